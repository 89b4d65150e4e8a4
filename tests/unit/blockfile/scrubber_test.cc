// Verification in the background. The passes are the test's own, so that it knows where they are.
#include "internal/blockfile/scrubber.h"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>

#include "gtest/gtest.h"
#include "tests/support/blocks.h"
#include "tests/support/memory_disk.h"

namespace spillway::test {
namespace {

using base::Code;
using base::Status;
using blockfile::Report;
using blockfile::Scrubber;

class Passes {
 public:
  Status Pass(uint64_t rate, base::Operation* operation, Report* report) {
    std::unique_lock<std::mutex> lock(mutex_);
    ++begun_;
    rate_ = rate;
    changed_.notify_all();
    // Until the test lets it end, or somebody cancels it.
    while (allowed_ == 0 && !operation->cancelled()) {
      changed_.wait_for(lock, std::chrono::milliseconds(1));
    }
    if (operation->cancelled()) {
      ++cancelled_;
      changed_.notify_all();
      return Status(Code::kCancelled);
    }
    --allowed_;
    report->blocks = 3;
    report->problems_found = 2;
    return {};
  }
  void Allow() {
    std::lock_guard<std::mutex> lock(mutex_);
    ++allowed_;
    changed_.notify_all();
  }
  void AwaitBegun(int passes) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return begun_ >= passes; });
  }
  uint64_t rate() {
    std::lock_guard<std::mutex> lock(mutex_);
    return rate_;
  }
  int cancelled() {
    std::lock_guard<std::mutex> lock(mutex_);
    return cancelled_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int begun_ = 0;
  int allowed_ = 0;
  int cancelled_ = 0;
  uint64_t rate_ = 0;
};

class ScrubberTest : public ::testing::Test {
 protected:
  ~ScrubberTest() override { scrubber_->Stop(); }
  Passes passes_;
  const std::shared_ptr<Scrubber> scrubber_ =
      std::make_shared<Scrubber>([this](uint64_t rate, base::Operation* operation, Report* report) {
        return passes_.Pass(rate, operation, report);
      });
};

TEST_F(ScrubberTest, KeepsWhatTheLastWholePassFound) {
  Report report;
  EXPECT_EQ(scrubber_->LastReport(&report).code(), Code::kNotFound);
  ASSERT_TRUE(scrubber_->SetRate(1000).ok());
  passes_.Allow();
  passes_.AwaitBegun(2);  // so the first has ended
  ASSERT_TRUE(scrubber_->LastReport(&report).ok());
  EXPECT_EQ(report.blocks, 3u);
  EXPECT_EQ(scrubber_->passes(), 1u);
  EXPECT_EQ(scrubber_->problems(), 2u);
}

TEST_F(ScrubberTest, AnotherRateEndsThePassAndBeginsAnother) {
  ASSERT_TRUE(scrubber_->SetRate(1000).ok());
  passes_.AwaitBegun(1);
  EXPECT_EQ(passes_.rate(), 1000u);
  ASSERT_TRUE(scrubber_->SetRate(77).ok());
  passes_.AwaitBegun(2);
  EXPECT_EQ(passes_.rate(), 77u);
  EXPECT_EQ(passes_.cancelled(), 1);
  EXPECT_EQ(scrubber_->passes(), 0u);
}

TEST_F(ScrubberTest, StopsInTheMiddleOfAPassAndCanStartAgain) {
  ASSERT_TRUE(scrubber_->SetRate(1000).ok());
  passes_.AwaitBegun(1);
  EXPECT_EQ(scrubber_->Stop(), 1000u);
  EXPECT_EQ(passes_.cancelled(), 1);
  ASSERT_TRUE(scrubber_->SetRate(5).ok());
  passes_.AwaitBegun(2);
  EXPECT_EQ(passes_.rate(), 5u);
}

// A file as users have it: what is damaged is reported, and a close does not wait for the rate.
TEST(ScrubbedFileTest, TellsOfDamageAndLeavesTheFileAsItIs) {
  MemoryDisk disk;
  auto file = std::move(
      Blocks::Open(&disk, "blocks", blockfile::OpenMode::kCreate, blockfile::Settings()).value());
  const std::string marked(70'000, 'M');
  ASSERT_TRUE(file->Put("damaged", marked).ok());
  ASSERT_TRUE(file->Checkpoint().ok());
  disk["blocks"][disk["blocks"].find(marked)] ^= 1;
  const std::string before = disk["blocks"];
  ASSERT_TRUE(file->get()->Scrub(UINT64_MAX).ok());
  Report report;
  while (file->get()->ScrubReport(&report).code() == Code::kNotFound) {
    std::this_thread::yield();
  }
  EXPECT_EQ(report.blocks_damaged, 1u);
  ASSERT_EQ(report.problems.size(), 1u);
  EXPECT_EQ(report.problems[0].name, "damaged");
  EXPECT_GE(file->get()->Stats().scrub_passes, 1u);
  EXPECT_GE(file->get()->Stats().scrub_problems, 1u);
  EXPECT_TRUE(disk["blocks"] == before);
  ASSERT_TRUE(file->get()->Scrub(1).ok());  // a byte a second
  EXPECT_TRUE(file->Close().ok());
  EXPECT_EQ(file->get()->Scrub(5).code(), Code::kClosed);
}

}  // namespace
}  // namespace spillway::test
