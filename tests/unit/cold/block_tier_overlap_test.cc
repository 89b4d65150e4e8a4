// Two commits of the block-file tier at once: while one writes its payload, another comes to its
// end.
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "gtest/gtest.h"
#include "internal/cold/block_tier.h"
#include "tests/support/sim_disk.h"
#include "tests/support/temp_folder.h"
#include "tests/support/tier_records.h"

namespace spillway::test {
namespace {

using base::Status;
using cold::Durability;

TEST(BlockTierOverlapTest, ACommitEndsWhileAnotherWritesItsPayload) {
  TempFolder folder;
  SimDisk disk(folder.path(), 1, SimDisk::Record::kNo);
  auto opened = cold::OpenBlockTier(&disk, folder.File("store"), cold::OpenMode::kCreate);
  ASSERT_TRUE(opened.ok()) << opened.status().message();
  const std::unique_ptr<cold::ColdTier> tier = std::move(opened.value());
  TierModel model;
  model.bytes_max = 20'000;
  const cold::StreamState streams[] = {{0, "slow", false, 0, 0}, {1, "quick", false, 0, 0}};
  ASSERT_TRUE(tier->Commit({streams, {}, {}}, Durability::kDevice).ok());
  model.streams = {{0, {"slow", false, 0, 0}}, {1, {"quick", false, 0, 0}}};
  const auto append = [&](uint32_t stream) {
    const record::ColumnBuffer records = model.Next(stream, 1000);
    const cold::Piece piece = {stream, records.columns()};
    return tier->Commit({{}, {}, {&piece, 1}}, Durability::kDevice);
  };

  std::mutex mutex;
  std::condition_variable changed;
  bool waits = false;
  bool goes_on = false;
  std::thread::id slow_thread;
  disk.SetGate([&] {
    std::unique_lock lock(mutex);
    if (std::this_thread::get_id() == slow_thread && !waits) {
      waits = true;  // at the first write of its commit
      changed.notify_all();
      changed.wait(lock, [&] { return goes_on; });
    }
  });
  Status slow;
  std::thread thread([&] {
    {
      const std::lock_guard lock(mutex);
      slow_thread = std::this_thread::get_id();
    }
    slow = append(0);
  });
  {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return waits; });
  }
  const Status quick = append(1);
  EXPECT_TRUE(quick.ok()) << quick.message();
  TierModel meanwhile = model;
  meanwhile.streams[1].end_seq = 1000;
  EXPECT_TRUE(Equals(tier.get(), meanwhile, tier->Streams()));
  {
    const std::lock_guard lock(mutex);
    goes_on = true;
  }
  changed.notify_all();
  thread.join();
  EXPECT_TRUE(slow.ok()) << slow.message();
  meanwhile.streams[0].end_seq = 1000;
  EXPECT_TRUE(Equals(tier.get(), meanwhile, tier->Streams()));
  EXPECT_TRUE(tier->Close(cold::CloseMode::kClean).ok());
}

}  // namespace
}  // namespace spillway::test
