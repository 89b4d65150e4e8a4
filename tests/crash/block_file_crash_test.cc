// Power failures of the block file: a random history on a recording disk, cut at random moments;
// what is found then is what some flush left, not before the last one that had returned.
#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "internal/blockfile/block_file.h"
#include "tests/support/block_file_settings.h"
#include "tests/support/power_cut.h"
#include "tests/support/prng.h"
#include "tests/support/sim_disk.h"
#include "tests/support/temp_folder.h"

namespace spillway::test {
namespace {

using base::Code;
using base::Status;
using blockfile::AsBytes;
using blockfile::BlockFile;
using Model = std::map<std::string, std::string>;

constexpr char kName[] = "blocks";

// What the file held after a flush, and when.
struct Milestone {
  size_t position;  // of the log when the flush returned
  size_t begun;     // and when it was called
  Model model;
};

class History {
 public:
  History(uint64_t seed, uint64_t steps)
      : random_(seed), disk_(folder_.path(), seed), settings_(SmallBlockFile(&random_)) {
    milestones_.push_back({0, 0, {}});
    Open();
    for (uint64_t i = 0; i < steps && !::testing::Test::HasFatalFailure(); ++i) {
      Step();
    }
    file_.reset();
  }

  const SimDisk& disk() const { return disk_; }
  const BlockFile::Settings& settings() const { return settings_; }
  const std::vector<Milestone>& milestones() const { return milestones_; }
  size_t created() const { return created_; }

 private:
  void Open() {
    file_.reset();
    auto opened =
        BlockFile::Open(&disk_, folder_.File(kName), BlockFile::Create::kIfMissing, settings_);
    ASSERT_TRUE(opened.ok()) << opened.status().message();
    file_ = std::move(opened.value());
    created_ = created_ == 0 ? disk_.log_size() : created_;
  }

  void Step() {
    for (uint64_t changes = random_.Below(8); changes > 0; --changes) {
      Change();
    }
    const size_t begun = disk_.log_size();
    const uint64_t what = random_.Below(12);
    const Status status = what == 0   ? file_->Close()
                          : what == 1 ? file_->Checkpoint()
                                      : file_->Flush();
    ASSERT_TRUE(status.ok()) << status.message();
    milestones_.push_back({disk_.log_size(), begun, model_});
    if (what == 0 || what == 2) {  // 2: as if the process had been killed
      Open();
    }
  }

  void Change() {
    const std::string name = "block " + std::to_string(random_.Below(30));
    if (random_.OneIn(4)) {
      ASSERT_EQ(file_->Remove(name).code(), model_.erase(name) > 0 ? Code::kOk : Code::kNotFound);
      return;
    }
    const uint64_t sizes[] = {0, 10, 128, 129, 512, 3000, 9000, 70'000};
    std::string payload(sizes[random_.Below(random_.OneIn(9) ? 8 : 7)], '\0');
    for (char& byte : payload) {
      byte = static_cast<char>(random_.Next());
    }
    ASSERT_TRUE(file_->Put(name, AsBytes(payload)).ok());
    model_[name] = payload;
  }

  Prng random_;
  TempFolder folder_;
  SimDisk disk_;
  const BlockFile::Settings settings_;
  Model model_;
  std::unique_ptr<BlockFile> file_;
  std::vector<Milestone> milestones_;
  size_t created_ = 0;
};

Status Contents(BlockFile* file, Model* found) {
  std::vector<std::string> names;
  SPW_RETURN_IF_ERROR(file->ListNames(&names));
  for (const std::string& name : names) {
    std::vector<uint8_t> payload;
    SPW_RETURN_IF_ERROR(file->Read(name, &payload));
    (*found)[name].assign(payload.begin(), payload.end());
  }
  return file->CheckSpace();
}

// A recovered file takes more, and is as sound afterwards.
::testing::AssertionResult GoesOn(BlockFile* file, Model* model) {
  (*model)["more"] = std::string(3000, 'm');
  Model found;
  Status status = file->Put("more", AsBytes((*model)["more"]));
  status = status.ok() ? file->Flush() : status;
  status = status.ok() ? Contents(file, &found) : status;
  return status.ok() && found == *model
             ? ::testing::AssertionSuccess()
             : ::testing::AssertionFailure() << "does not go on: " << status.message();
}

enum class Then { kGoOn, kLeaveIt };

::testing::AssertionResult Recovers(io::FileSystem* disk, const std::string& folder,
                                    const History& history, size_t position, Then then) {
  auto file =
      BlockFile::Open(disk, folder + "/" + kName, BlockFile::Create::kNo, history.settings());
  if (!file.ok()) {
    if (file.status().code() == Code::kNotFound && position < history.created()) {
      return ::testing::AssertionSuccess();
    }
    return ::testing::AssertionFailure() << "does not open: " << file.status().message();
  }
  Model found;
  const Status read = Contents(file.value().get(), &found);
  if (!read.ok()) {
    return ::testing::AssertionFailure() << "does not read: " << read.message();
  }
  const std::vector<Milestone>& milestones = history.milestones();
  size_t first = 0;
  size_t last = 0;
  for (size_t i = 0; i < milestones.size(); ++i) {
    first = milestones[i].position <= position ? i : first;
    last = milestones[i].begun <= position ? i : last;
  }
  for (size_t i = first; i <= last; ++i) {
    if (milestones[i].model == found) {
      return then == Then::kGoOn ? GoesOn(file.value().get(), &found)
                                 : ::testing::AssertionSuccess();
    }
  }
  return ::testing::AssertionFailure() << "no milestone of " << first << " to " << last << " fits";
}

struct Counts {
  uint64_t images = 0;
  uint64_t second = 0;  // of power failing while the file was opened again
};

// The power fails again while the first image is opened: the second open finds the same.
void CutTheRecovery(const History& history, const std::string& image, size_t position, Prng* random,
                    Counts* counts) {
  SimDisk disk(image, random->Next());
  const ::testing::AssertionResult recovers =
      Recovers(&disk, image, history, position, Then::kLeaveIt);
  ASSERT_TRUE(recovers) << "at " << position;
  PowerCut again(disk);
  TempFolder folder;
  for (size_t at = 0; at <= disk.log_size(); at += random->Between(1, 4)) {
    again.AdvanceTo(at);
    again.WriteImage(random->Next(), folder.path());
    SimDisk plain(folder.path(), 1, SimDisk::Record::kNo);
    ASSERT_TRUE(Recovers(&plain, folder.path(), history, position, Then::kGoOn))
        << "at " << position << ", then at " << at;
    ++counts->second;
  }
}

void CutEverywhere(uint64_t seed, PowerCut::Garbage garbage, Counts* counts) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  const History history(seed, 40);
  if (::testing::Test::HasFatalFailure()) {
    return;
  }
  Prng random(seed + 1);
  PowerCut cut(history.disk(), garbage);
  TempFolder folder;
  for (size_t position = 0; position <= history.disk().log_size();
       position += random.Between(1, 3)) {
    cut.AdvanceTo(position);
    cut.WriteImage(random.Next(), folder.path());
    ++counts->images;
    if (random.OneIn(20)) {
      CutTheRecovery(history, folder.path(), position, &random, counts);
    } else {
      SimDisk disk(folder.path(), 1, SimDisk::Record::kNo);
      ASSERT_TRUE(Recovers(&disk, folder.path(), history, position, Then::kGoOn))
          << "at " << position;
    }
    if (::testing::Test::HasFatalFailure()) {
      return;
    }
  }
}

TEST(BlockFileCrashTest, EveryImageIsWhatSomeFlushLeftAndNotBeforeTheLast) {
  const uint64_t seed = TestSeed("EveryImageIsWhatSomeFlushLeft", 1);
  Counts counts;
  for (uint64_t i = 0; i < 20 && !::testing::Test::HasFailure(); ++i) {
    CutEverywhere(seed + i, PowerCut::Garbage::kNo, &counts);
  }
  std::printf("%llu images, %llu of a second failure\n",
              static_cast<unsigned long long>(counts.images),
              static_cast<unsigned long long>(counts.second));
  EXPECT_GT(counts.images, 1000u);
}

TEST(BlockFileCrashTest, SectorsInFlightMayHoldGarbage) {
  const uint64_t seed = TestSeed("BlockFileSectorsInFlight", 1000);
  Counts counts;
  for (uint64_t i = 0; i < 8 && !::testing::Test::HasFailure(); ++i) {
    CutEverywhere(seed + i, PowerCut::Garbage::kYes, &counts);
  }
  EXPECT_GT(counts.images, 300u);
}

}  // namespace
}  // namespace spillway::test
