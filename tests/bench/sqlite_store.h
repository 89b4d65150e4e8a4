// SQLite with a row per record, as the cold tier writes them, and the settings it is given.
#pragma once

#include <string>

#include "tests/bench/sqlite_db.h"
#include "tests/bench/store.h"

namespace spillway::bench {

// How rows get in.
enum class SqliteWay {
  // The cold tier's own pragmas, a transaction per batch. Between durability at the end and after
  // each
  // batch the difference is `synchronous`: NORMAL syncs at checkpoints only, and Close is one.
  kTier,
  // No journal, no sync before the end, one transaction: nothing survives a crash half-way.
  kBulk,
};

Pragmas SqlitePragmas(SqliteWay way, Durability durability);
// For all that only read.
Pragmas SqliteReadingPragmas();

class SqliteRowStore final : public Store {
 public:
  // With kTier, `batches_per_transaction` batches share a commit.
  SqliteRowStore(SqliteWay way, Durability durability, size_t batches_per_transaction = 1)
      : way_(way), durability_(durability), batches_per_transaction_(batches_per_transaction) {}
  ~SqliteRowStore() override { Release(); }

  void Create(const std::string& folder) override;
  void Add(const Batch& batch) override;
  void Close() override;
  void Open(const std::string& folder) override;
  void Scan(RecordHash* hash) override;
  size_t Read(uint64_t seq, std::span<char> buffer) override;

 private:
  void Release();

  const SqliteWay way_;
  const Durability durability_;
  const size_t batches_per_transaction_;
  size_t batches_open_ = 0;  // in the running transaction
  bool created_ = false;
  std::string folder_;
  SqliteDb db_;
  SqliteStatement insert_;
  SqliteStatement select_;
};

}  // namespace spillway::bench
