// What the tests of the tiers share: a folder, a tier in it, and a model to compare with.
#pragma once

#include <sqlite3.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "internal/cold/sqlite_library.h"
#include "internal/cold/sqlite_tier.h"
#include "internal/io/posix_file.h"
#include "tests/support/temp_folder.h"
#include "tests/support/tier_records.h"

namespace spillway::test {

inline std::string FileContents(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

inline void WriteFile(const std::string& path, const std::string& bytes) {
  std::ofstream out(path, std::ios::binary);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  ASSERT_TRUE(out.good());
}

// A database as any program would open it. Only while no tier has it open: see the header about a
// second copy of SQLite in one process.
class PlainSqlite {
 public:
  explicit PlainSqlite(const std::string& path,
                       int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE) {
    EXPECT_TRUE(cold::StartSqlite().ok());  // the library's copy is also ours here, and set up once
    EXPECT_EQ(sqlite3_open_v2(path.c_str(), &handle_, flags, nullptr), SQLITE_OK);
  }
  ~PlainSqlite() { sqlite3_close(handle_); }
  PlainSqlite(const PlainSqlite&) = delete;
  PlainSqlite& operator=(const PlainSqlite&) = delete;

  // The first column of all rows, one line each.
  std::string Run(const std::string& sql) {
    std::string lines;
    char* error = nullptr;
    const auto add = [](void* to, int, char** values, char**) {
      *static_cast<std::string*>(to) +=
          (values[0] == nullptr ? "NULL" : values[0]) + std::string("\n");
      return 0;
    };
    EXPECT_EQ(sqlite3_exec(handle_, sql.c_str(), add, &lines, &error), SQLITE_OK)
        << (error == nullptr ? "" : error) << " in " << sql;
    sqlite3_free(error);
    return lines;
  }

 private:
  sqlite3* handle_ = nullptr;
};

class TierFixture : public ::testing::Test {
 protected:
  using Tier = std::unique_ptr<cold::ColdTier>;

  virtual base::Result<Tier> OpenTier(cold::OpenMode mode) = 0;

  base::Result<Tier> TryOpen(cold::OpenMode mode = cold::OpenMode::kCreate) {
    return OpenTier(mode);
  }
  void Open(cold::OpenMode mode = cold::OpenMode::kCreate) {
    base::Result<Tier> tier = TryOpen(mode);
    ASSERT_TRUE(tier.ok()) << tier.status().message();
    tier_ = std::move(tier.value());
  }
  void Reopen() {
    Close();
    Open(cold::OpenMode::kExisting);
  }
  void Close(cold::CloseMode mode = cold::CloseMode::kClean) {
    const base::Status status = tier_->Close(mode);
    ASSERT_TRUE(status.ok()) << status.message();
    tier_.reset();
  }
  base::Status Commit(const cold::Changes& changes) {
    return tier_->Commit(changes, cold::Durability::kDevice);
  }
  void AddStream(uint32_t id, const std::string& name, bool has_times = false,
                 uint64_t first_seq = 0) {
    const cold::StreamState stream = {id, name, has_times, first_seq, first_seq};
    const base::Status status = Commit({{&stream, 1}, {}, {}});
    ASSERT_TRUE(status.ok()) << status.message();
    model_.streams[id] = {name, has_times, first_seq, first_seq};
  }
  void Append(uint32_t id, uint64_t count) {
    const record::ColumnBuffer buffer = model_.Next(id, count);
    const cold::Piece piece = {id, buffer.columns()};
    const base::Status status = Commit({{}, {}, {&piece, 1}});
    ASSERT_TRUE(status.ok()) << status.message();
    model_.streams[id].end_seq += count;
  }
  void TrimTo(uint32_t id, uint64_t begin_seq) {
    const cold::Trim trim = {id, begin_seq};
    const base::Status status = Commit({{}, {&trim, 1}, {}});
    ASSERT_TRUE(status.ok()) << status.message();
    TierStream& stream = model_.streams[id];
    stream.begin_seq = std::max(stream.begin_seq, begin_seq);
    stream.end_seq = std::max(stream.begin_seq, stream.end_seq);
  }
  void ExpectModel() { EXPECT_TRUE(Equals(tier_.get(), model_, tier_->Streams())); }

  TempFolder folder_;
  std::string path_ = folder_.File("store.db");
  TierModel model_;
  Tier tier_;
};

class SqliteTierTest : public TierFixture {
 protected:
  base::Result<Tier> OpenTier(cold::OpenMode mode) override {
    return cold::OpenSqliteTier(io::PosixFileSystem(), path_, mode, tuning_);
  }

  cold::SqliteTuning tuning_;
};

}  // namespace spillway::test
