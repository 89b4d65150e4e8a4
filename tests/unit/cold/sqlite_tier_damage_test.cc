// What the SQLite tier says to files that are damaged, foreign or made up: data as they were
// written, kCorrupt, or that it is no store. Never wrong data, never a crash, nothing repaired.
#include <sys/stat.h>

#include <filesystem>
#include <map>
#include <tuple>

#include "internal/base/checksum.h"
#include "tests/support/prng.h"
#include "tests/unit/cold/tier_fixture.h"

namespace spillway::test {
namespace {

using base::Code;
using base::Result;
using base::Status;
using cold::OpenMode;

class SqliteTierDamageTest : public SqliteTierTest {
 protected:
  // A closed store of two streams with some trimmed records.
  void MakeStore(uint32_t page_bytes, uint64_t records) {
    tuning_.page_bytes = page_bytes;
    tuning_.store_id = cold::StoreId{9};
    model_.bytes_max = 600;
    Open();
    AddStream(0, "a", true);
    AddStream(1, "b");
    Append(0, records);
    Append(1, records / 2);
    Append(0, records);
    TrimTo(0, 7);
    Close();
  }

  // Opens whatever stands at path_, reads every record one by one. False: wrong data.
  struct Findings {
    uint64_t right = 0;
    uint64_t refused = 0;
    bool opened = false;
    bool wrong = false;
  };
  Findings ReadWhatIsThere() {
    Findings findings;
    Result<Tier> tier = TryOpen(OpenMode::kExisting);
    if (!tier.ok()) {
      EXPECT_TRUE(tier.status().code() == Code::kCorrupt ||
                  tier.status().code() == Code::kUnsupported || tier.status().code() == Code::kIo)
          << tier.status().message();
      return findings;
    }
    findings.opened = true;
    findings.wrong = tier.value()->Streams().size() != model_.streams.size();
    for (const cold::StreamState& state : tier.value()->Streams()) {
      const TierStream& wanted = model_.streams[state.id];
      findings.wrong = findings.wrong || state.name != wanted.name ||
                       state.begin_seq != wanted.begin_seq || state.end_seq != wanted.end_seq;
      for (uint64_t seq = state.begin_seq; !findings.wrong && seq < state.end_seq; seq += 10) {
        CheckRecords(tier.value().get(), state, seq, std::min(seq + 10, state.end_seq), &findings);
      }
    }
    return findings;
  }

  void CheckRecords(cold::ColdTier* tier, const cold::StreamState& state, uint64_t seq,
                    uint64_t end, Findings* findings) {
    record::ColumnBuffer out;
    const Status status = tier->Read(state.id, seq, end, 1 << 20, &out);
    if (!status.ok()) {
      findings->wrong = findings->wrong || status.code() != Code::kCorrupt;
      ++findings->refused;
      return;
    }
    const record::Columns columns = out.columns();
    for (uint64_t at = seq; at < std::min(end, columns.end_seq()); ++at) {
      const std::span<const uint8_t> got = columns.payload(at - columns.first_seq);
      const std::string payload = PayloadOf(state.id, at, model_.salt, model_.bytes_max);
      const bool same = std::string(got.begin(), got.end()) == payload &&
                        (!state.has_times || columns.times[at - columns.first_seq] ==
                                                 TimeOf(state.id, at, model_.salt));
      findings->wrong = findings->wrong || !same;
      ++findings->right;
    }
  }
};

TEST_F(SqliteTierDamageTest, FlippedBytesAreNeverReadAsData) {
  MakeStore(1024, 150);
  const std::string good = FileContents(path_);
  Prng random(TestSeed("FlippedBytes", 3));
  uint64_t noticed = 0;
  constexpr uint64_t kFiles = 1500;
  for (uint64_t i = 0; i < kFiles; ++i) {
    std::string bad = good;
    // Every byte of the first pages in turn, then anywhere; one byte or a burst.
    const uint64_t at = i < 500 ? i * 7 : random.Below(bad.size());
    for (uint64_t k = at; k < std::min<uint64_t>(bad.size(), at + random.Between(1, 5)); ++k) {
      bad[k] = static_cast<char>(random.OneIn(2) ? bad[k] ^ (1 << random.Below(8))
                                                 : static_cast<int>(random.Next()));
    }
    WriteFile(path_, bad);
    const Findings findings = ReadWhatIsThere();
    ASSERT_FALSE(findings.wrong) << "file " << i << ", damaged at " << at;
    noticed += !findings.opened || findings.refused != 0 ? 1 : 0;
    for (const char* suffix : {"-wal", "-shm", "-journal"}) {
      std::filesystem::remove(path_ + suffix);
    }
  }
  std::printf("%llu of %llu damages noticed; the others hit nothing that is read\n",
              static_cast<unsigned long long>(noticed), static_cast<unsigned long long>(kFiles));
  EXPECT_GT(noticed, kFiles / 4);
}

TEST_F(SqliteTierDamageTest, SwappedRepeatedAndLostPagesAreNeverReadAsData) {
  MakeStore(512, 150);
  const std::string good = FileContents(path_);
  constexpr size_t kPage = 512;
  Prng random(TestSeed("SwappedRepeated", 4));
  for (uint64_t i = 0; i < 600; ++i) {
    std::string bad = good;
    const size_t a = random.Below(good.size() / kPage) * kPage;
    const size_t b = random.Below(good.size() / kPage) * kPage;
    switch (random.Below(4)) {
      case 0:
        bad.replace(a, kPage, good, b, kPage);
        break;
      case 1:
        bad.replace(a, kPage, good, b, kPage);
        bad.replace(b, kPage, good, a, kPage);
        break;
      case 2:
        bad.replace(a, kPage, kPage, '\0');
        break;
      default:
        bad.resize(random.Below(good.size()));
    }
    WriteFile(path_, bad);
    ASSERT_FALSE(ReadWhatIsThere().wrong) << "file " << i;
    for (const char* suffix : {"-wal", "-shm", "-journal"}) {
      std::filesystem::remove(path_ + suffix);
    }
  }
}

// Records that come before the damage are given, those after it can be reached.
TEST_F(SqliteTierDamageTest, ADamagedRunIsNamedAndItsNeighboursAreRead) {
  tuning_.run_bytes = 200;
  model_.bytes_max = 30;
  Open();
  AddStream(0, "a");
  Append(0, 300);
  Close();
  const std::string victim =
      PlainSqlite(path_).Run("SELECT min(seq) FROM s0 WHERE seq >= 150 AND length(payload) > 4");
  PlainSqlite(path_).Run("UPDATE s0 SET payload = zeroblob(length(payload)) WHERE seq = " + victim);
  Open(OpenMode::kExisting);
  record::ColumnBuffer out;
  ASSERT_TRUE(tier_->Read(0, 0, 300, 1 << 20, &out).ok());
  const uint64_t damaged = out.columns().end_seq();
  EXPECT_GT(damaged, 100u);
  EXPECT_LE(damaged, std::stoull(victim));
  const Status status = tier_->Read(0, damaged, 300, 1 << 20, &out);
  EXPECT_EQ(status.code(), Code::kCorrupt);
  EXPECT_NE(status.message().find(path_ + ": stream 0, records [" + std::to_string(damaged)),
            std::string::npos)
      << status.message();
  EXPECT_NE(status.message().find("wrong checksum"), std::string::npos) << status.message();
  EXPECT_GE(tier_->stats().checksum_errors, 1u);
  EXPECT_TRUE(HoldsRecords(tier_.get(), model_, 0, 0, damaged, 1 << 20));
  EXPECT_TRUE(HoldsRecords(tier_.get(), model_, 0, 200, 300, 1 << 20));
  Append(0, 10);  // writing goes on
  EXPECT_TRUE(HoldsRecords(tier_.get(), model_, 0, 200, 310, 1 << 20));
}

TEST_F(SqliteTierDamageTest, ChangedRowsAreNoticed) {
  tuning_.run_bytes = 500;
  MakeStore(4096, 100);
  const std::string good = FileContents(path_);
  const std::map<std::string, bool> changes = {
      // statement, and whether the store still opens
      {"DELETE FROM s0 WHERE seq = 50", true},
      {"UPDATE s0 SET time = time + 1 WHERE seq = 50", true},
      {"UPDATE s0 SET time = NULL WHERE seq = 50", true},
      {"UPDATE s1 SET time = 1 WHERE seq = 20", true},
      {"UPDATE s0 SET payload = CAST(payload AS TEXT) WHERE seq = 50", true},
      {"UPDATE s0 SET payload = NULL WHERE seq = 50", true},
      {"UPDATE s0 SET payload = zeroblob(100000000) WHERE seq = 50", true},
      {"UPDATE spillway_runs SET checksum = checksum + 1 WHERE stream = 0", true},
      {"UPDATE spillway_runs SET count = count + 1 WHERE stream = 0 AND first_seq < 100 AND "
       "first_seq > 0",
       true},
      {"UPDATE spillway_runs SET count = 9223372036854775807 WHERE stream = 0", false},
      {"UPDATE spillway_runs SET first_seq = -1 WHERE stream = 0 AND first_seq = 0", false},
      {"DELETE FROM spillway_runs WHERE stream = 0 AND first_seq > 0 AND first_seq < 100", true},
      {"DELETE FROM spillway_runs WHERE stream = 0", false},
      {"DELETE FROM s0 WHERE seq = (SELECT max(seq) FROM s0)", false},
      {"INSERT INTO s0 VALUES(100000, 1, x'00')", false},
      {"INSERT INTO s0 VALUES(-1, 1, x'00')", false},
      {"UPDATE spillway_streams SET end_seq = end_seq - 1 WHERE id = 0", false},
      {"UPDATE spillway_streams SET name = 'c' WHERE id = 0", false},
      {"UPDATE spillway_streams SET id = 5 WHERE id = 0", false},
      {"DELETE FROM spillway_streams WHERE id = 0", false},
      {"INSERT INTO spillway_streams SELECT 70000, name, has_times, begin_seq, end_seq, checksum "
       "FROM "
       "spillway_streams WHERE id = 0",
       false},
      {"UPDATE spillway_store SET commits = commits + 1", false},
      {"UPDATE spillway_store SET store_id = x'00'", false},
      {"DELETE FROM spillway_store", false},
      {"DROP TABLE s1", false},
      {"DROP TABLE spillway_runs", false},
      {"DROP VIEW a", true},
      {"CREATE TABLE s9(a)", false},
      {"CREATE TABLE spillway_rows(time, payload)", false},
      {"ALTER TABLE s0 ADD COLUMN more DEFAULT 1", false},
      {"CREATE INDEX i ON s0(time)", false},
      {"CREATE TRIGGER t AFTER INSERT ON s0 BEGIN DELETE FROM s1; END", false},
      {"CREATE TABLE notes(text); INSERT INTO notes VALUES('mine')", true},
      {"PRAGMA user_version = 2", false},
      {"PRAGMA user_version = 0", false},
      {"PRAGMA application_id = 1", false},
  };
  for (const auto& [sql, opens] : changes) {
    WriteFile(path_, good);
    PlainSqlite(path_).Run(sql);
    const std::string changed = FileContents(path_);
    const Findings findings = ReadWhatIsThere();
    EXPECT_EQ(findings.opened, opens) << sql;
    EXPECT_FALSE(findings.wrong) << sql;
    const bool harmless =
        sql.find("VIEW") != std::string::npos || sql.find("notes") != std::string::npos;
    EXPECT_TRUE(!opens || (findings.refused == 0) == harmless) << sql;
    if (!opens) {
      EXPECT_EQ(FileContents(path_), changed) << sql << ": a refused file was written";
    }
    for (const char* suffix : {"-wal", "-shm", "-journal"}) {
      std::filesystem::remove(path_ + suffix);
    }
  }
}

TEST_F(SqliteTierDamageTest, ForeignFilesAreRefusedAndNotTouched) {
  PlainSqlite(path_).Run(
      "CREATE TABLE mine(a); INSERT INTO mine VALUES(1); PRAGMA journal_mode=WAL");
  std::map<std::string, std::string> files = {{"sqlite", FileContents(path_)},
                                              {"empty", ""},
                                              {"short", "SQLite format 3"},
                                              {"text", std::string(100'000, 'x')},
                                              {"zeroes", std::string(100'000, '\0')}};
  for (const auto& [name, bytes] : files) {
    std::filesystem::remove(path_ + "-wal");
    WriteFile(path_, bytes);
    for (const OpenMode mode : {OpenMode::kCreate, OpenMode::kExisting}) {
      const Result<Tier> tier = TryOpen(mode);
      EXPECT_EQ(tier.status().code(), Code::kCorrupt) << name;
      EXPECT_EQ(tier.status().message(), path_ + ": not a Spillway store");
      EXPECT_EQ(FileContents(path_), bytes) << name;
      EXPECT_FALSE(std::filesystem::exists(path_ + "-wal")) << name;
      EXPECT_FALSE(std::filesystem::exists(path_ + "-shm")) << name;
    }
  }
}

TEST_F(SqliteTierDamageTest, AWalWithoutItsDatabaseIsNotThrownAway) {
  WriteFile(path_ + "-wal", "acknowledged records");
  const Result<Tier> tier = TryOpen();
  EXPECT_EQ(tier.status().code(), Code::kCorrupt);
  EXPECT_EQ(FileContents(path_ + "-wal"), "acknowledged records");
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(SqliteTierDamageTest, ALeftOverTemporaryFileIsReplaced) {
  WriteFile(path_ + "-new", std::string(50'000, 'x'));
  Open();
  AddStream(0, "a");
  ExpectModel();
  EXPECT_FALSE(std::filesystem::exists(path_ + "-new"));
}

TEST_F(SqliteTierDamageTest, ALinkIsRefused) {
  Open();
  Close();
  const std::string link = folder_.File("link.db");
  std::filesystem::create_symlink(path_, link);
  path_ = link;
  EXPECT_EQ(TryOpen().status().code(), Code::kIo);
}

TEST_F(SqliteTierDamageTest, ALaterVersionIsUnsupported) {
  MakeStore(4096, 10);
  PlainSqlite(path_).Run("PRAGMA user_version = 2");
  const std::string bytes = FileContents(path_);
  EXPECT_EQ(TryOpen().status().code(), Code::kUnsupported);
  EXPECT_EQ(FileContents(path_), bytes);
}

// FORMAT.md, step by step, with nothing of the tier's own code.
TEST_F(SqliteTierDamageTest, AStrangerCanVerifyARunByTheFormatText) {
  MakeStore(4096, 40);
  sqlite3* db = nullptr;
  ASSERT_TRUE(cold::StartSqlite().ok());
  ASSERT_EQ(sqlite3_open_v2(path_.c_str(), &db, SQLITE_OPEN_READONLY, nullptr), SQLITE_OK);
  sqlite3_stmt* run = nullptr;
  ASSERT_EQ(sqlite3_prepare_v2(
                db,
                "SELECT stream, first_seq, count, spillway_runs.checksum, has_times, store_id FROM "
                "spillway_runs JOIN spillway_streams ON stream = spillway_streams.id, "
                "spillway_store",
                -1, &run, nullptr),
            SQLITE_OK);
  int runs = 0;
  for (; sqlite3_step(run) == SQLITE_ROW; ++runs) {
    std::string head(static_cast<const char*>(sqlite3_column_blob(run, 5)), 16);
    std::string lengths;
    std::string times;
    std::string payloads;
    const auto put = [](std::string* to, int64_t value) {
      for (int i = 0; i < 8; ++i) {
        to->push_back(static_cast<char>(static_cast<uint64_t>(value) >> (8 * i)));
      }
    };
    for (const int column : {0, 1, 2, 4}) {
      put(&head, sqlite3_column_int64(run, column));
    }
    const std::string sql = "SELECT time, payload FROM s" +
                            std::to_string(sqlite3_column_int64(run, 0)) +
                            " WHERE seq >= ?1 AND seq < ?1 + ?2 ORDER BY seq";
    sqlite3_stmt* row = nullptr;
    ASSERT_EQ(sqlite3_prepare_v2(db, sql.c_str(), -1, &row, nullptr), SQLITE_OK);
    sqlite3_bind_int64(row, 1, sqlite3_column_int64(run, 1));
    sqlite3_bind_int64(row, 2, sqlite3_column_int64(run, 2));
    while (sqlite3_step(row) == SQLITE_ROW) {
      put(&lengths, sqlite3_column_bytes(row, 1));
      if (sqlite3_column_int64(run, 4) != 0) {
        put(&times, sqlite3_column_int64(row, 0));
      }
      payloads.append(static_cast<const char*>(sqlite3_column_blob(row, 1)),
                      static_cast<size_t>(sqlite3_column_bytes(row, 1)));
    }
    sqlite3_finalize(row);
    const std::string all = head + lengths + times + payloads;
    EXPECT_EQ(static_cast<int64_t>(
                  base::Hash64({reinterpret_cast<const uint8_t*>(all.data()), all.size()}, 3)),
              sqlite3_column_int64(run, 3));
  }
  EXPECT_GT(runs, 1);
  sqlite3_finalize(run);
  sqlite3_close(db);
}

}  // namespace
}  // namespace spillway::test
