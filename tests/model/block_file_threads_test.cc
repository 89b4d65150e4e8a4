// The block file under many threads: whole values, in the order of each writer, exactly as many
// changes as were accepted, sums that no snapshot sees change, and pages that no reader loses under
// its hands.
#include <array>
#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "internal/io/posix_file.h"
#include "tests/support/block_file_settings.h"
#include "tests/support/blocks.h"
#include "tests/support/prng.h"
#include "tests/support/temp_folder.h"

namespace spillway::test {
namespace {

using base::Code;
using base::Status;
using blockfile::AsBytes;
using blockfile::BlockInfo;
using blockfile::Level;
using blockfile::OpenMode;
using blockfile::Transaction;

constexpr uint64_t kThreads = 16;
#ifdef __SANITIZE_THREAD__
constexpr uint64_t kRounds = 25;  // of each thread
#else
constexpr uint64_t kRounds = 100;
#endif

class BlockFileThreadsTest : public ::testing::Test {
 protected:
  void Open(uint64_t seed, bool background) {
    Prng random(seed);
    settings_ = SmallBlockFile(&random);
    settings_.background = background;
    // Checkpoints, and so pages that come free, all the time; and a dirty set that is always full.
    settings_.journal_bytes_most = uint64_t{100} * settings_.page_bytes;
    settings_.dirty_bytes_most = uint64_t{40} * settings_.page_bytes;
    settings_.dirty_blocks_most = 12;
    settings_.direct_bytes = 6000;
    Reopen();
  }
  void Reopen() {
    file_.reset();
    // A file that was given up is busy until its thread has ended.
    for (Status status(Code::kBusy); status.code() == Code::kBusy;) {
      auto opened =
          Blocks::Open(io::PosixFileSystem(), folder_.File("blocks"), OpenMode::kCreate, settings_);
      status = opened.ok() ? Status() : opened.status();
      if (opened.ok()) {
        file_ = std::move(opened.value());
      } else if (status.code() == Code::kBusy) {
        std::this_thread::yield();
      }
      ASSERT_TRUE(status.ok() || status.code() == Code::kBusy) << status.message();
    }
  }
  static void Run(uint64_t count, const std::function<void(uint64_t)>& body) {
    std::vector<std::thread> threads;
    for (uint64_t i = 0; i < count; ++i) {
      threads.emplace_back(body, i);
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
  }
  uint64_t NumberIn(Transaction* txn, const std::string& name) {
    std::string text;
    const Status read = file_->Read(txn, name, &text);
    EXPECT_TRUE(read.ok()) << read.message();
    return read.ok() ? std::stoull(text) : 0;
  }
  void ExpectSound() {
    const Status sound = file_->CheckSpace(true);
    ASSERT_TRUE(sound.ok()) << sound.message();
    const Status closed = file_->Close();
    ASSERT_TRUE(closed.ok()) << closed.message();
    EXPECT_EQ(file_->Put("late", {}).code(), Code::kClosed);
    Reopen();
    const Status again = file_->CheckSpace(true);
    ASSERT_TRUE(again.ok()) << again.message();
  }

  TempFolder folder_;
  blockfile::Settings settings_;
  std::unique_ptr<Blocks> file_;
};

// Value n of a name: its number, then a payload that the number decides.
std::string ValueOf(uint64_t number) {
  const uint64_t sizes[] = {20, 700, 3000, 9000};
  return std::to_string(number) + ":" +
         std::string(sizes[number % 4], static_cast<char>('a' + number % 26));
}

TEST_F(BlockFileThreadsTest, ReadersSeeWholeValuesThatOnlyGoForward) {
  constexpr uint64_t kWriters = 4;
  constexpr uint64_t kNames = 4;  // of each writer
  Open(TestSeed("ReadersSeeWholeValues", 5), true);
  std::atomic<uint64_t> writing{kWriters};
  const auto write = [&](uint64_t writer) {
    for (uint64_t number = 1; number <= kRounds; ++number) {
      for (uint64_t name = 0; name < kNames; ++name) {
        const Status put = file_->Put(std::to_string(writer * kNames + name), ValueOf(number));
        ASSERT_TRUE(put.ok()) << put.message();
      }
      const Level levels[] = {Level::kKernel, Level::kDevice, Level::kCheckpoint};
      const Status flushed = file_->get()->Flush(levels[number % 3]);
      ASSERT_TRUE(flushed.ok()) << flushed.message();
    }
  };
  const auto read = [&](uint64_t reader) {
    std::vector<uint64_t> seen(kWriters * kNames, 0);
    for (uint64_t i = reader; writing > 0; ++i) {
      const uint64_t name = i * 7 % seen.size();
      std::string value;
      const Status status = file_->Read(std::to_string(name), &value);
      if (status.code() == Code::kNotFound) {
        ASSERT_EQ(seen[name], 0u);
        continue;
      }
      ASSERT_TRUE(status.ok()) << status.message();
      const uint64_t number = std::stoull(value);
      ASSERT_EQ(value.substr(0, 30), ValueOf(number).substr(0, 30));
      ASSERT_GE(number, seen[name]);
      seen[name] = number;
      if (i % 97 == 0) {
        const Status sound = file_->CheckSpace(true);
        ASSERT_TRUE(sound.ok()) << sound.message();
      }
    }
  };
  Run(kWriters + 3, [&](uint64_t thread) {
    if (thread < kWriters) {
      write(thread);
      --writing;
    } else {
      read(thread);
    }
  });
  ExpectSound();
}

TEST_F(BlockFileThreadsTest, SixteenThreadsOnOneNameLoseNoChange) {
  for (const bool background : {false, true}) {
    Open(3, background);
    ASSERT_TRUE(file_->Put("counter", "0").ok());
    ASSERT_TRUE(file_->Put("patched", std::string(20'000, '.')).ok());
    ASSERT_TRUE(file_->Remove("log").ok() || !background);
    std::atomic<uint64_t> first_puts{0};
    Run(kThreads, [&](uint64_t thread) {
      blockfile::PutItem claim = {"claim", AsBytes("mine"), blockfile::kNoVersion};
      first_puts += file_->get()->Put(nullptr, {&claim, 1}).ok() ? 1 : 0;
      for (uint64_t i = 0; i < kRounds / 4; ++i) {
        uint64_t length = 0;
        Status status = file_->get()->Append(nullptr, "log", AsBytes("12345678"), &length);
        ASSERT_TRUE(status.ok()) << status.message();
        status = file_->get()->Patch(nullptr, "patched", thread * 1000 + i, AsBytes("x"));
        ASSERT_TRUE(status.ok()) << status.message();
        for (status = Status(Code::kConflict); status.code() == Code::kConflict;) {
          BlockInfo info;
          ASSERT_TRUE(file_->get()->Stat(nullptr, "counter", &info).ok());
          const std::string next = std::to_string(NumberIn(nullptr, "counter") + 1);
          blockfile::PutItem item = {"counter", AsBytes(next), info.version};
          status = file_->get()->Put(nullptr, {&item, 1});
        }
        ASSERT_TRUE(status.ok()) << status.message();
        if (i % 5 == 4) {
          ASSERT_TRUE(file_->get()->Flush(thread % 2 == 0 ? Level::kKernel : Level::kDevice).ok());
        }
      }
    });
    EXPECT_EQ(first_puts, background ? 0u : 1u);  // the second life finds it
    EXPECT_EQ(NumberIn(nullptr, "counter"), kThreads * (kRounds / 4));
    std::string text;
    ASSERT_TRUE(file_->Read("log", &text).ok());
    EXPECT_EQ(text.size(), 8 * kThreads * (kRounds / 4));
    ASSERT_TRUE(file_->Read("patched", &text).ok());
    EXPECT_EQ(std::count(text.begin(), text.end(), 'x'),
              static_cast<ptrdiff_t>(kThreads * (kRounds / 4)));
    ExpectSound();
  }
}

TEST_F(BlockFileThreadsTest, TransfersBetweenAccountsNeverChangeTheirSum) {
  constexpr uint64_t kAccounts = 6;
  constexpr uint64_t kEach = 1000;
  Open(4, true);
  for (uint64_t i = 0; i < kAccounts; ++i) {
    ASSERT_TRUE(file_->Put("account " + std::to_string(i), std::to_string(kEach)).ok());
  }
  std::atomic<uint64_t> writing{kThreads};
  std::atomic<uint64_t> done{0};
  const auto transfer = [&](Prng* random) {
    const std::string from = "account " + std::to_string(random->Below(kAccounts));
    const std::string to = "account " + std::to_string(random->Below(kAccounts));
    std::shared_ptr<Transaction> txn;
    ASSERT_TRUE(file_->get()->Begin(false, &txn).ok());
    const uint64_t amount = random->Below(std::min<uint64_t>(50, NumberIn(txn.get(), from) + 1));
    for (const bool takes : {true, false}) {
      const std::string& name = takes ? from : to;
      const uint64_t before = NumberIn(txn.get(), name);
      // Large ones at times, which go around the dirty set.
      const std::string after = std::to_string(takes ? before - amount : before + amount) + ":" +
                                std::string(random->OneIn(9) ? 7000 : 5, '.');
      blockfile::PutItem item = {name, AsBytes(after)};
      ASSERT_TRUE(file_->get()->Put(txn.get(), {&item, 1}).ok());
    }
    const Level level = random->OneIn(4) ? Level::kDevice : Level::kRelaxed;
    const Status status = file_->get()->Commit(txn.get(), level);
    ASSERT_TRUE(status.ok() || status.code() == Code::kConflict) << status.message();
    done += status.ok() ? 1 : 0;
  };
  const auto look = [&](uint64_t reader) {
    std::shared_ptr<Transaction> snapshot;
    ASSERT_TRUE(file_->get()->Begin(true, &snapshot).ok());
    for (int again = 0; again < 2; ++again) {
      uint64_t sum = 0;
      std::vector<std::string> names;
      ASSERT_TRUE(file_->ListNames(snapshot.get(), "account", &names).ok());
      ASSERT_EQ(names.size(), kAccounts);
      for (const std::string& name : names) {
        sum += NumberIn(snapshot.get(), name);
      }
      ASSERT_EQ(sum, kAccounts * kEach);
      if (again == 0 && reader % 2 == 0) {
        ASSERT_TRUE(file_->Checkpoint().ok());
      }
    }
  };
  Run(kThreads + 2, [&](uint64_t thread) {
    Prng random(thread);
    if (thread < kThreads) {
      for (uint64_t i = 0; i < kRounds / 4 && !HasFailure(); ++i) {
        transfer(&random);
      }
      --writing;
      return;
    }
    while (writing > 0 && !HasFailure()) {
      look(thread);
    }
  });
  EXPECT_GT(done, 0u);
  look(0);
  ExpectSound();
}

TEST_F(BlockFileThreadsTest, ListsAndViewsStayAsTheyWereWhileManyWrite) {
  Open(5, true);
  constexpr uint64_t kNames = 300;
  for (uint64_t i = 0; i < kNames; ++i) {
    ASSERT_TRUE(file_->Put("stays " + std::to_string(1000 + i), ValueOf(i)).ok());
  }
  std::atomic<uint64_t> writing{4};
  Run(8, [&](uint64_t thread) {
    Prng random(thread);
    if (thread < 4) {
      for (uint64_t i = 0; i < 4 * kRounds && !HasFailure(); ++i) {
        const std::string name = "comes and goes " + std::to_string(random.Below(40));
        ASSERT_TRUE(file_->Put(name, ValueOf(i)).ok());
        const Code renamed = file_->get()->Rename(nullptr, name, name + "'", true).code();
        ASSERT_TRUE(renamed == Code::kOk || renamed == Code::kNotFound);
        const Code removed = file_->Remove(name + "'").code();
        ASSERT_TRUE(removed == Code::kOk || removed == Code::kNotFound);
      }
      --writing;
      return;
    }
    while (writing > 0 && !HasFailure()) {
      std::vector<std::string> names;
      ASSERT_TRUE(file_->ListNames(nullptr, "stays", &names).ok());
      ASSERT_EQ(names.size(), kNames);
      const uint64_t number = random.Below(kNames);
      blockfile::Blob blob;
      ASSERT_TRUE(file_->get()
                      ->Get(nullptr, "stays " + std::to_string(1000 + number), 0, UINT64_MAX, &blob)
                      .ok());
      ASSERT_EQ(blockfile::AsText(blob.bytes), ValueOf(number));
      const Status sound = file_->CheckSpace();
      ASSERT_TRUE(sound.ok()) << sound.message();
    }
  });
  ExpectSound();
}

// Snapshots make writers seal groups that others still fill, while the file's writer takes groups.
TEST_F(BlockFileThreadsTest, GroupsThatAreSealedWhileTheyAreFilledAreWrittenWhole) {
  Open(6, false);
  settings_.direct_bytes = UINT64_MAX;
  settings_.dirty_bytes_most = uint64_t{8} << 20;
  settings_.dirty_blocks_most = 1000;
  settings_.journal_bytes_most = uint64_t{64} << 20;
  Reopen();
  std::atomic<uint64_t> writing{4};
  std::array<uint64_t, 4> last{};
  Run(7, [&](uint64_t thread) {
    for (uint64_t i = 1; thread < 4 && i <= 2 * kRounds && !HasFailure(); ++i) {
      const std::string large(i % 3 == 0 ? 300'000 : 10, static_cast<char>('a' + i % 26));
      ASSERT_TRUE(file_->Put("common", large).ok());
      const Status put = file_->Put(std::to_string(thread), std::to_string(i) + ":" + large);
      ASSERT_TRUE(put.ok()) << put.message();
      last[thread] = i;
    }
    writing -= thread < 4 ? 1 : 0;
    std::shared_ptr<Transaction> snapshot;
    while (writing > 0 && !HasFailure()) {
      if (thread == 4) {
        ASSERT_TRUE(file_->get()->Begin(true, &snapshot).ok());
      } else {
        const Status flushed = file_->get()->Flush(Level::kKernel);
        ASSERT_TRUE(flushed.ok()) << flushed.message();
      }
    }
  });
  for (int again = 0; again < 2; ++again) {
    for (uint64_t thread = 0; thread < 4; ++thread) {
      ASSERT_EQ(NumberIn(nullptr, std::to_string(thread)), last[thread]);
    }
    ExpectSound();
  }
}

// Closed, discarded or given up, while calls of every kind run: they are refused or done.
TEST_F(BlockFileThreadsTest, CallsThatRunWhileTheFileEndsAreRefusedOrDone) {
  for (uint64_t round = 0; round < 3 * kRounds / 5 && !HasFailure(); ++round) {
    Open(round % 7, round % 2 == 0);
    std::atomic<uint64_t> last{0};
    Run(6, [&](uint64_t thread) {
      std::unique_ptr<blockfile::Lister> lister;
      std::shared_ptr<Transaction> txn;
      const auto gone = [](const Status& status) {
        EXPECT_TRUE(status.ok() || status.code() == Code::kClosed ||
                    status.code() == Code::kNotFound)
            << static_cast<int>(status.code()) << " " << status.message();
        return status.code() == Code::kClosed;
      };
      for (uint64_t i = 1;; ++i) {
        if (thread == 0) {  // the one that ends it
          if (i < 5 + round % 20) {
            ASSERT_TRUE(file_->Put("durable", ValueOf(i)).ok());
            ASSERT_TRUE(file_->Flush().ok());
            last = i;
            continue;
          }
          const Status closed = file_->get()->Close(round % 3 == 0);
          ASSERT_TRUE(closed.ok()) << closed.message();
          return;
        }
        const std::string name = std::to_string(thread) + " " + std::to_string(i % 9);
        std::string text;
        blockfile::BlockPage page;
        if (gone(thread == 1   ? file_->Put(name, ValueOf(i))
                 : thread == 2 ? file_->Read("durable", &text)
                 : thread == 3 ? file_->get()->List(nullptr, "", false, &lister)
                 : thread == 4 ? file_->get()->Begin(i % 2 == 0, &txn)
                               : file_->CheckSpace(true)) ||
            (lister != nullptr && gone(lister->Next(10, &page)))) {
          return;
        }
      }
    });
    Reopen();
    std::string text;
    ASSERT_TRUE(file_->Read("durable", &text).ok());
    EXPECT_EQ(text, ValueOf(last));
    const Status sound = file_->CheckSpace(true);
    ASSERT_TRUE(sound.ok()) << sound.message();
  }
}

TEST_F(BlockFileThreadsTest, AFileThatIsGivenUpWhileItsThreadWritesHoldsWhatWasFlushed) {
  for (uint64_t round = 0; round < kRounds / 2 && !HasFailure(); ++round) {
    Open(round % 7, true);
    for (uint64_t i = 0; i < 10; ++i) {
      ASSERT_TRUE(file_->Put("kept " + std::to_string(i), ValueOf(round + i)).ok());
    }
    ASSERT_TRUE(file_->Flush().ok());
    for (uint64_t i = 0; i < 10; ++i) {  // so that the thread has something to do
      ASSERT_TRUE(file_->Put("more " + std::to_string(i), std::string(5000, 'm')).ok());
    }
    Reopen();
    for (uint64_t i = 0; i < 10; ++i) {
      std::string text;
      ASSERT_TRUE(file_->Read("kept " + std::to_string(i), &text).ok());
      ASSERT_EQ(text, ValueOf(round + i));
    }
    const Status sound = file_->CheckSpace(true);
    ASSERT_TRUE(sound.ok()) << sound.message();
  }
}

}  // namespace
}  // namespace spillway::test
