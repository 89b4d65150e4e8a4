// Power failures while a file is made smaller: whatever stands on the device then, every block is
// what it was, and the next vacuum comes to the same end.
#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "tests/support/block_file_settings.h"
#include "tests/support/block_model.h"
#include "tests/support/blocks.h"
#include "tests/support/power_cut.h"
#include "tests/support/prng.h"
#include "tests/support/sim_disk.h"
#include "tests/support/temp_folder.h"

namespace spillway::test {
namespace {

using base::Status;
using blockfile::OpenMode;
using blockfile::VacuumResult;

struct Counts {
  uint64_t images = 0;
  uint64_t bytes_moved = 0;
};

class Shrinking {
 public:
  explicit Shrinking(uint64_t seed)
      : random_(seed), disk_(folder_.path(), seed), settings_(SmallBlockFile(&random_)) {
    auto opened = Blocks::Open(&disk_, folder_.File("blocks"), OpenMode::kCreate, settings_);
    file_ = std::move(opened.value());
  }

  // Many blocks of which few stay; then the vacuum, in steps.
  void Run(Counts* counts) {
    for (int i = 0; i < 60; ++i) {
      const uint64_t bytes = random_.OneIn(8) ? 70'000 : random_.Below(9000);
      ASSERT_TRUE(file_->Put("block " + std::to_string(i), RandomBytes(&random_, bytes)).ok());
    }
    ASSERT_TRUE(file_->Checkpoint().ok());
    for (int i = 0; i < 60; ++i) {
      ASSERT_TRUE(random_.OneIn(4) || file_->Remove("block " + std::to_string(i)).ok());
    }
    ASSERT_TRUE(file_->Flush().ok());
    ASSERT_TRUE(ReadAll(file_.get(), nullptr, Meta::kYes, &model_).ok());
    begun_ = disk_.log_size();
    VacuumResult result;
    for (int step = 0; step < 3; ++step) {
      ASSERT_TRUE(file_->get()->Vacuum({.bytes_most = 30'000}, nullptr, &result).ok());
      counts->bytes_moved += result.bytes_moved;
      result = {};
    }
    ASSERT_TRUE(file_->get()->Vacuum({.full = true}, nullptr, &result).ok());
    counts->bytes_moved += result.bytes_moved;
    bytes_file_ = result.bytes_file;
    file_.reset();
  }

  void CutEverywhere(Counts* counts) {
    PowerCut cut(disk_);
    TempFolder image;
    for (size_t at = begun_; at <= disk_.log_size() && !::testing::Test::HasFailure(); ++at) {
      cut.AdvanceTo(at);
      for (int each = 0; each < 3; ++each, ++counts->images) {
        cut.WriteImage(random_.Next(), image.path());
        SCOPED_TRACE("cut at " + std::to_string(at) + " of " + std::to_string(disk_.log_size()));
        CheckImage(image, random_.OneIn(5));
      }
    }
  }

 private:
  void CheckImage(const TempFolder& image, bool goes_on) {
    SimDisk disk(image.path(), 1, SimDisk::Record::kNo);
    auto opened = Blocks::Open(&disk, image.File("blocks"), OpenMode::kExisting, settings_);
    ASSERT_TRUE(opened.ok()) << opened.status().message();
    Blocks* const file = opened.value().get();
    ExpectSame(file);
    if (goes_on) {
      VacuumResult result;
      const Status status = file->get()->Vacuum({.full = true}, nullptr, &result);
      ASSERT_TRUE(status.ok()) << status.message();
      // The journal of another life lies elsewhere.
      EXPECT_LE(result.bytes_file, bytes_file_ + 4 * settings_.region_pages * settings_.page_bytes +
                                       settings_.reserve_bytes);
      ExpectSame(file);
    }
  }
  void ExpectSame(Blocks* file) {
    BlockModel found;
    const Status read = ReadAll(file, nullptr, Meta::kYes, &found);
    ASSERT_TRUE(read.ok()) << read.message();
    ASSERT_EQ(Difference(model_, found), "");
    const Status sound = file->CheckSpace(true);
    ASSERT_TRUE(sound.ok()) << sound.message();
  }

  Prng random_;
  TempFolder folder_;
  SimDisk disk_;
  const blockfile::Settings settings_;
  std::unique_ptr<Blocks> file_;
  BlockModel model_;
  size_t begun_ = 0;
  uint64_t bytes_file_ = 0;
};

#ifdef __SANITIZE_THREAD__
constexpr uint64_t kSeeds = 2;
#else
constexpr uint64_t kSeeds = 8;
#endif

TEST(VacuumCrashTest, EveryImageHoldsEveryBlockAndTheNextVacuumComesToTheSameEnd) {
  const uint64_t seed = TestSeed("EveryImageHoldsEveryBlock", 1);
  Counts counts;
  for (uint64_t i = 0; i < kSeeds && !::testing::Test::HasFailure(); ++i) {
    SCOPED_TRACE("seed " + std::to_string(seed + i));
    Shrinking shrinking(seed + i);
    shrinking.Run(&counts);
    if (!::testing::Test::HasFailure()) {
      shrinking.CutEverywhere(&counts);
    }
  }
  std::printf("%llu images, %llu bytes moved\n", static_cast<unsigned long long>(counts.images),
              static_cast<unsigned long long>(counts.bytes_moved));
  EXPECT_GT(counts.images, 100 * kSeeds);
  EXPECT_GT(counts.bytes_moved, 0u);
}

}  // namespace
}  // namespace spillway::test
