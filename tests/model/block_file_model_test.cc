// The block file beside a std::map: random changes, flushes, checkpoints, closes and kills.
#include <map>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "internal/blockfile/block_file.h"
#include "tests/support/block_file_settings.h"
#include "tests/support/prng.h"
#include "tests/support/sim_disk.h"
#include "tests/support/temp_folder.h"

namespace spillway::test {
namespace {

using base::Code;
using blockfile::AsBytes;
using blockfile::BlockFile;
using Model = std::map<std::string, std::string>;

class Pair {
 public:
  explicit Pair(uint64_t seed)
      : random_(seed),
        disk_(folder_.path(), seed, SimDisk::Record::kNo),
        settings_(SmallBlockFile(&random_)) {
    Open();
  }

  void Step() {
    switch (random_.Below(24)) {
      case 0:
        ASSERT_TRUE(file_->Close().ok());
        durable_ = model_;
        return Open();
      case 1:  // a kill: what was not flushed is gone
        model_ = durable_;
        return Open();
      case 2:
        ASSERT_EQ(file_->Checkpoint().code(), Code::kOk);
        durable_ = model_;
        return CheckAll();
      case 3:
      case 4:
      case 5:
        ASSERT_EQ(file_->Flush().code(), Code::kOk);
        durable_ = model_;
        return;
      case 6:
        return CheckAll();
      case 7:
      case 8:
      case 9:
      case 10:
        return Remove();
      default:
        return Put();
    }
  }

  void CheckAll() {
    std::vector<std::string> names;
    ASSERT_TRUE(file_->ListNames(&names).ok());
    ASSERT_EQ(names.size(), model_.size());
    size_t i = 0;
    for (const auto& [name, payload] : model_) {
      ASSERT_EQ(names[i++], name);
      CheckOne(name);
    }
    const base::Status space = file_->CheckSpace();
    ASSERT_TRUE(space.ok()) << space.message();
  }

 private:
  void Open() {
    file_.reset();
    auto opened =
        BlockFile::Open(&disk_, folder_.File("blocks"), BlockFile::Create::kIfMissing, settings_);
    ASSERT_TRUE(opened.ok()) << opened.status().message();
    file_ = std::move(opened.value());
    CheckAll();
  }

  std::string AnyName() {
    std::string name = "block " + std::to_string(random_.Below(random_.OneIn(2) ? 20 : 300));
    return random_.OneIn(9) ? name + std::string(random_.Below(80), 'n') : name;
  }

  void Put() {
    const std::string name = AnyName();
    const uint64_t sizes[] = {0, 1, 100, 127, 128, 129, 511, 512, 513, 5000, 70'000, 140'000};
    std::string payload(sizes[random_.Below(random_.OneIn(6) ? 12 : 9)], '\0');
    for (char& byte : payload) {
      byte = static_cast<char>(random_.Next());
    }
    ASSERT_EQ(file_->Put(name, AsBytes(payload), std::string(random_.Below(9), 't')).code(),
              Code::kOk);
    model_[name] = payload;
    CheckOne(name);
  }

  void Remove() {
    const std::string name = AnyName();
    ASSERT_EQ(file_->Remove(name).code(), model_.erase(name) > 0 ? Code::kOk : Code::kNotFound);
    CheckOne(name);
  }

  void CheckOne(const std::string& name) {
    std::vector<uint8_t> payload;
    const auto expected = model_.find(name);
    const base::Status status = file_->Read(name, &payload);
    ASSERT_EQ(status.code(), expected == model_.end() ? Code::kNotFound : Code::kOk)
        << name << ": " << status.message();
    if (expected != model_.end()) {
      ASSERT_EQ(std::string(payload.begin(), payload.end()), expected->second) << name;
    }
  }

  Prng random_;
  TempFolder folder_;
  SimDisk disk_;
  const BlockFile::Settings settings_;
  Model model_;
  Model durable_;
  std::unique_ptr<BlockFile> file_;
};

#ifdef __SANITIZE_THREAD__
constexpr uint64_t kSeeds = 2;  // ten times slower, and one thread is not what it looks for
#else
constexpr uint64_t kSeeds = 12;
#endif

TEST(BlockFileModelTest, HoldsWhatAMapHoldsThroughFlushesCheckpointsClosesAndKills) {
  for (uint64_t i = 0; i < kSeeds && !::testing::Test::HasFailure(); ++i) {
    Pair pair(TestSeed("HoldsWhatAMapHolds", 100 + i));
    for (int step = 0; step < 600 && !::testing::Test::HasFailure(); ++step) {
      pair.Step();
    }
    pair.CheckAll();
  }
}

}  // namespace
}  // namespace spillway::test
