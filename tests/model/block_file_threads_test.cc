// The block file under many threads: whole values, in the order of each writer, and pages that no
// reader loses under its hands.
#include <atomic>
#include <string>
#include <thread>
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
using base::Status;
using blockfile::AsBytes;
using blockfile::BlockFile;

// Value n of a name: its number, then a payload that the number decides.
std::string ValueOf(uint64_t number) {
  std::string value = std::to_string(number) + ":";
  const uint64_t sizes[] = {20, 700, 3000, 9000};
  return value + std::string(sizes[number % 4], static_cast<char>('a' + number % 26));
}

TEST(BlockFileThreadsTest, ReadersSeeWholeValuesThatOnlyGoForward) {
  constexpr uint64_t kWriters = 3;
  constexpr uint64_t kNames = 4;  // of each writer
  constexpr uint64_t kRounds = 150;
  Prng random(TestSeed("ReadersSeeWholeValues", 5));
  TempFolder folder;
  SimDisk disk(folder.path(), 1, SimDisk::Record::kNo);
  BlockFile::Settings settings = SmallBlockFile(&random);
  settings.journal_pages_most = 100;  // checkpoints, and so pages that come free, all the time
  auto opened =
      BlockFile::Open(&disk, folder.File("blocks"), BlockFile::Create::kIfMissing, settings);
  ASSERT_TRUE(opened.ok());
  BlockFile* const file = opened.value().get();
  std::atomic<uint64_t> writing{kWriters};
  std::vector<std::thread> threads;
  for (uint64_t writer = 0; writer < kWriters; ++writer) {
    threads.emplace_back([&, writer] {
      for (uint64_t number = 1; number <= kRounds; ++number) {
        for (uint64_t name = 0; name < kNames; ++name) {
          const std::string value = ValueOf(number);
          ASSERT_TRUE(file->Put(std::to_string(writer * kNames + name), AsBytes(value)).ok());
        }
        ASSERT_TRUE(file->Flush().ok());
      }
      --writing;
    });
  }
  for (uint64_t reader = 0; reader < 2; ++reader) {
    threads.emplace_back([&, reader] {
      std::vector<uint64_t> seen(kWriters * kNames, 0);
      for (uint64_t i = reader; writing > 0; ++i) {
        const uint64_t name = i * 7 % seen.size();
        std::vector<uint8_t> found;
        const Status read = file->Read(std::to_string(name), &found);
        if (read.code() == Code::kNotFound) {
          ASSERT_EQ(seen[name], 0u);
          continue;
        }
        ASSERT_TRUE(read.ok()) << read.message();
        const std::string value(found.begin(), found.end());
        const uint64_t number = std::stoull(value);
        ASSERT_EQ(value, ValueOf(number));
        ASSERT_GE(number, seen[name]);
        seen[name] = number;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  const Status space = file->CheckSpace();
  ASSERT_TRUE(space.ok()) << space.message();
  ASSERT_TRUE(file->Close().ok());
  EXPECT_EQ(file->Put("late", {}).code(), Code::kClosed);
}

}  // namespace
}  // namespace spillway::test
