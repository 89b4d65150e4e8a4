// What the SQLite tier keeps and gives back, while all goes well.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "tests/support/prng.h"
#include "tests/unit/cold/tier_fixture.h"

namespace spillway::test {
namespace {

using base::Code;
using cold::OpenMode;

TEST_F(SqliteTierTest, ARelativePathIsTakenFromTheFolderOfTheOpen) {
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(folder_.path());
  path_ = "store.db";
  Open();
  std::filesystem::current_path(before);
  AddStream(0, "a");
  Append(0, 5);
  ExpectModel();
  Close();
  EXPECT_TRUE(std::filesystem::exists(folder_.File("store.db")));
  path_ = std::string("a\0b", 3);
  EXPECT_EQ(TryOpen().status().code(), Code::kInvalidArgument);
}

TEST_F(SqliteTierTest, AClosedStoreIsOnePrivateFileThatNeedsNoWritePermission) {
  const mode_t before = ::umask(0);
  Open();
  ::umask(before);
  AddStream(0, "a");
  Append(0, 1000);
  struct stat found = {};
  for (const char* suffix : {"", "-lock", "-wal", "-shm"}) {
    ASSERT_EQ(::stat((path_ + suffix).c_str(), &found), 0) << suffix;
    EXPECT_EQ(found.st_mode & 07777, 0600u) << suffix;
  }
  Close();
  for (const char* suffix : {"-wal", "-shm", "-journal", "-new"}) {
    EXPECT_FALSE(std::filesystem::exists(path_ + suffix)) << suffix;
  }
  const std::string bytes = FileContents(path_);
  std::filesystem::permissions(path_, std::filesystem::perms::owner_read);
  PlainSqlite plain(path_, SQLITE_OPEN_READONLY);
  EXPECT_EQ(plain.Run("SELECT count(*) || ' ' || max(seq) FROM a"), "1000 999\n");
  EXPECT_EQ(plain.Run("PRAGMA integrity_check"), "ok\n");
  EXPECT_EQ(plain.Run("PRAGMA journal_mode"), "delete\n");
  EXPECT_EQ(plain.Run("SELECT clean FROM spillway_store"), "1\n");
  EXPECT_EQ(FileContents(path_), bytes);
}

TEST_F(SqliteTierTest, TheCleanMarkGoesWithTheFirstCommit) {
  Open();
  Close();
  Open();
  tier_.reset();  // nothing written: still clean
  EXPECT_EQ(PlainSqlite(path_).Run("SELECT clean FROM spillway_store"), "1\n");
  Open();
  AddStream(0, "a");
  tier_.reset();
  EXPECT_EQ(PlainSqlite(path_).Run("SELECT clean FROM spillway_store"), "0\n");
  Open();
  Close();
  EXPECT_EQ(PlainSqlite(path_).Run("SELECT clean FROM spillway_store"), "1\n");
}

// Names are bytes; a view needs a name that SQLite can have and nobody else has.
TEST_F(SqliteTierTest, ViewsStandUnderTheNamesThatCanHaveOne) {
  Open();
  const std::string long_name(1024, 'n');
  const std::vector<std::pair<std::string, bool>> names = {
      {"plain", true},         {"with \"quotes\" and 'these'", true},
      {"select", true},        {"日本語 ☃", true},
      {"new\nline", true},     {long_name, true},
      {"PLAIN", false},        {"s1", false},
      {"S77", false},          {"s", true},
      {"spillway_x", false},   {"sqlite_x", false},
      {"\xff\xfe", false},     {std::string("a\0b", 3), false},
      {"\xed\xa0\x80", false}, {"a; DROP TABLE s0; --", true},
  };
  for (uint32_t id = 0; id < names.size(); ++id) {
    AddStream(id, names[id].first);
    Append(id, id + 1);
  }
  Close();
  Open(OpenMode::kExisting);
  ExpectModel();
  Close();
  PlainSqlite plain(path_);
  for (uint32_t id = 0; id < names.size(); ++id) {
    std::string quoted;
    for (const char c : names[id].first) {
      quoted.append(c == '"' ? 2 : 1, c);
    }
    const std::string table = "s" + std::to_string(id);
    const std::string count = std::to_string(id + 1) + "\n";
    EXPECT_EQ(plain.Run("SELECT count(*) FROM " + table), count);
    EXPECT_EQ(
        plain.Run("SELECT count(*) FROM sqlite_schema WHERE type = 'view' AND sql LIKE '%FROM " +
                  table + " %'"),
        names[id].second ? "1\n" : "0\n")
        << names[id].first;
    if (names[id].second) {
      EXPECT_EQ(plain.Run("SELECT count(*) FROM \"" + quoted + "\""), count);
    }
  }
}

TEST_F(SqliteTierTest, TrimmedRecordsLeaveTheViewAtOnceAndTheFileByAndBy) {
  model_.bytes_max = 5000;
  tuning_.reclaim_records = 500;
  tuning_.reclaim_pages = 20;
  tuning_.wal_bytes_soft = 64 << 10;
  Open();
  AddStream(0, "a");
  AddStream(1, "b");
  Append(0, 3000);
  Append(1, 100);
  TrimTo(0, 2500);
  bool more = true;
  int calls = 0;
  for (; more; ++calls) {
    ASSERT_LT(calls, 1000);
    ASSERT_TRUE(tier_->Reclaim(&more).ok());
    ExpectModel();
  }
  EXPECT_GE(calls, 3);  // a bounded piece of work each
  const uint64_t after_trim = tier_->stats().file_bytes;
  TrimTo(0, 10'000);  // a clear, and beyond the end
  TrimTo(1, 50);
  for (more = true; more;) {
    ASSERT_TRUE(tier_->Reclaim(&more).ok());
  }
  EXPECT_LT(tier_->stats().file_bytes, after_trim / 2);
  Append(0, 10);
  ExpectModel();
  Close();
  PlainSqlite plain(path_);
  EXPECT_EQ(plain.Run("SELECT min(seq) || ' ' || count(*) FROM a"), "10000 10\n");
  EXPECT_EQ(plain.Run("SELECT min(seq) || ' ' || count(*) FROM b"), "50 50\n");
  EXPECT_EQ(plain.Run("PRAGMA freelist_count"), "0\n");
  EXPECT_EQ(plain.Run("PRAGMA integrity_check"), "ok\n");
}

TEST_F(SqliteTierTest, ReclaimGoesOnAfterReopen) {
  Open();
  AddStream(0, "a");
  Append(0, 2000);
  TrimTo(0, 1999);
  tier_.reset();
  Open();
  ExpectModel();
  bool more = true;
  while (more) {
    ASSERT_TRUE(tier_->Reclaim(&more).ok());
  }
  ExpectModel();
  Close();
  EXPECT_LE(std::stoi(PlainSqlite(path_).Run("SELECT count(*) FROM s0")), 1000);
}

// Has something to read when the test below runs it in a process of its own.
TEST(OtherProcess, ReadsTheStore) {
  const char* path = std::getenv("SPW_TEST_STORE");
  if (path == nullptr) {
    return;
  }
  PlainSqlite plain(path, SQLITE_OPEN_READONLY);
  EXPECT_EQ(plain.Run("SELECT count(*) || ' ' || max(seq) FROM a"), "500 499\n");
}

int RunOtherProcess(const std::string& path) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::setenv("SPW_TEST_STORE", path.c_str(), 1);
    const int null = ::open("/dev/null", O_WRONLY);
    ::dup2(null, 1);
    ::execl("/proc/self/exe", "other", "--gtest_filter=OtherProcess.ReadsTheStore", nullptr);
    ::_exit(127);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return status;
}

TEST_F(SqliteTierTest, AnotherProcessReadsTheStoreWhileItIsOpen) {
  Open();
  AddStream(0, "a");
  Append(0, 500);
  EXPECT_EQ(RunOtherProcess(path_), 0);
  Append(0, 100);  // and it took nothing away from us
  ExpectModel();
  Close();
  EXPECT_FALSE(std::filesystem::exists(path_ + "-wal"));
}

TEST_F(SqliteTierTest, ReadersSeeWholeRecordsWhileCommitsAndCheckpointsRun) {
  tuning_.wal_bytes_soft = 256 << 10;
  tuning_.wal_bytes_hard = 1 << 20;
  tuning_.readers_max = 2;
  Open();
  AddStream(0, "a", true);
  AddStream(1, "b");
  Append(0, 100);
  Append(1, 100);
  const TierModel fixed = model_;
  std::atomic<bool> over{false};
  std::atomic<uint64_t> reads{0};
  std::vector<std::thread> readers;
  for (uint64_t r = 0; r < 4; ++r) {
    readers.emplace_back([&, r] {
      Prng random(r);
      while (!over.load()) {
        const auto id = static_cast<uint32_t>(random.Below(2));
        const uint64_t begin = random.Below(100);
        ASSERT_TRUE(
            HoldsRecords(tier_.get(), fixed, id, begin, random.Between(begin + 1, 100), 500));
        reads.fetch_add(1);
      }
    });
  }
  uint64_t wal_bytes_max = 0;
  for (int i = 0; i < 150 || (reads.load() < 200 && i < 3000); ++i) {
    Append(0, 200);
    Append(1, 100);
    wal_bytes_max = std::max<uint64_t>(wal_bytes_max, std::filesystem::file_size(path_ + "-wal"));
  }
  over = true;
  for (std::thread& reader : readers) {
    reader.join();
  }
  EXPECT_GE(reads.load(), 200u);
  // Readers delay checkpoints, but not beyond the hard limit and one commit.
  EXPECT_LE(wal_bytes_max, tuning_.wal_bytes_hard + (1 << 20));
  ExpectModel();
  Close();
}

TEST_F(SqliteTierTest, EqualHistoriesGiveEqualStores) {
  tuning_.store_id = cold::StoreId{7};
  std::string bytes[2];
  for (std::string& store : bytes) {
    model_.streams.clear();
    Open();
    AddStream(0, "a");
    Append(0, 300);
    Close();
    store = FileContents(path_);
    std::filesystem::remove(path_);
  }
  EXPECT_EQ(bytes[0], bytes[1]);
}

TEST_F(SqliteTierTest, PragmasForOthersAreUnderstood) {
  PlainSqlite plain(folder_.File("other.db"));
  plain.Run(cold::SqliteTierPragmas());
  EXPECT_EQ(plain.Run("PRAGMA journal_mode"), "wal\n");
  EXPECT_EQ(plain.Run("PRAGMA page_size"), std::to_string(tuning_.page_bytes) + "\n");
  EXPECT_EQ(plain.Run("PRAGMA auto_vacuum"), "2\n");
}

}  // namespace
}  // namespace spillway::test
