#include <cstring>

#include "internal/cold/sqlite_tuning.h"
#include "tests/bench/files.h"
#include "tests/bench/sqlite_store.h"

namespace spillway::bench {
namespace {

// Taken from the tier itself, so that both always have the same. The header has only numbers:
// nothing of the library but its public functions is called from here.
Pragmas TierPragmas(const char* synchronous) {
  const cold::SqliteTuning tuning;
  return {{"page_size", std::to_string(tuning.page_bytes)},
          {"auto_vacuum", "INCREMENTAL"},
          {"journal_mode", "WAL"},
          {"synchronous", synchronous},
          {"cache_size", "-" + std::to_string(tuning.cache_kib)},
          {"temp_store", "MEMORY"},
          {"cell_size_check", "ON"},
          {"wal_autocheckpoint", std::to_string(tuning.wal_bytes_soft / tuning.page_bytes)}};
}

}  // namespace

Pragmas SqlitePragmas(SqliteWay way, Durability durability) {
  if (way == SqliteWay::kBulk) {
    return {{"page_size", "16384"},
            {"journal_mode", "OFF"},
            {"synchronous", "OFF"},
            {"locking_mode", "EXCLUSIVE"},
            {"cache_size", "-65536"}};
  }
  return TierPragmas(durability == Durability::kEachBatch ? "FULL" : "NORMAL");
}

Pragmas SqliteReadingPragmas() { return {{"mmap_size", "2147418112"}, {"cache_size", "-65536"}}; }

void SqliteRowStore::Create(const std::string& folder) {
  folder_ = folder;
  created_ = true;
  db_.Open(folder + "/rows.db", SqlitePragmas(way_, durability_));
  db_.Exec("CREATE TABLE s1(seq INTEGER PRIMARY KEY, time INTEGER, payload BLOB)");
  insert_.Prepare(db_.get(), "INSERT INTO s1(seq, payload) VALUES(?1, ?2)");
  if (way_ == SqliteWay::kBulk) {
    db_.Exec("BEGIN");
  }
}

void SqliteRowStore::Add(const Batch& batch) {
  if (way_ == SqliteWay::kTier && batches_open_ == 0) {
    db_.Exec("BEGIN");
  }
  for (size_t i = 0; i < batch.count; ++i) {
    const std::string_view record = batch.record(i);
    insert_.BindInteger(1, batch.first_seq + i);
    insert_.BindBlob(2, record.data(), record.size());
    insert_.Run();
  }
  if (way_ == SqliteWay::kTier && ++batches_open_ == batches_per_transaction_) {
    db_.Exec("COMMIT");
    batches_open_ = 0;
  }
}

void SqliteRowStore::Close() {
  if (created_ && (way_ == SqliteWay::kBulk || batches_open_ > 0)) {
    db_.Exec("COMMIT");
  }
  Release();  // the last connection checkpoints: the log is synced, copied, and the copy synced
  if (created_ && way_ == SqliteWay::kBulk) {
    SyncFolder(folder_);
  }
  created_ = false;
}

void SqliteRowStore::Release() {
  insert_.Finalize();
  select_.Finalize();
  db_.Close();
}

void SqliteRowStore::Open(const std::string& folder) {
  db_.Open(folder + "/rows.db", SqliteReadingPragmas());
  db_.Exec("BEGIN");  // one snapshot for all reads spares a lock for each
  select_.Prepare(db_.get(), "SELECT payload FROM s1 WHERE seq = ?1");
}

void SqliteRowStore::Scan(RecordHash* hash) {
  SqliteStatement scan;
  scan.Prepare(db_.get(), "SELECT payload FROM s1 ORDER BY seq");
  while (scan.Step()) {
    hash->Add(scan.Blob(0), scan.Bytes(0));
  }
}

size_t SqliteRowStore::Read(uint64_t seq, std::span<char> buffer) {
  select_.BindInteger(1, seq);
  if (!select_.Step()) {
    Die("sqlite: no record " + std::to_string(seq));
  }
  const size_t len = select_.Bytes(0);
  std::memcpy(buffer.data(), select_.Blob(0), len);
  select_.Rewind();
  return len;
}

}  // namespace spillway::bench
