// SQLite with a blob per batch: its payload in one column, the ends of its records in another. And
// the list of all SQLite contestants.
#include <cstring>

#include "tests/bench/files.h"
#include "tests/bench/sqlite_store.h"

namespace spillway::bench {
namespace {

class SqliteBlobStore final : public Store {
 public:
  SqliteBlobStore(SqliteWay way, Durability durability) : way_(way), durability_(durability) {}
  ~SqliteBlobStore() override { Release(); }

  void Create(const std::string& folder) override {
    folder_ = folder;
    created_ = true;
    db_.Open(folder + "/blobs.db", SqlitePragmas(way_, durability_));
    db_.Exec("CREATE TABLE b(first_seq INTEGER PRIMARY KEY, ends BLOB, payload BLOB)");
    insert_.Prepare(db_.get(), "INSERT INTO b VALUES(?1, ?2, ?3)");
    if (way_ == SqliteWay::kBulk) {
      db_.Exec("BEGIN");
    }
  }

  void Add(const Batch& batch) override {
    ends_.resize(batch.count);
    for (size_t i = 0; i < batch.count; ++i) {
      ends_[i] = static_cast<uint32_t>(batch.offsets[i + 1]);
    }
    insert_.BindInteger(1, batch.first_seq);
    insert_.BindBlob(2, ends_.data(), ends_.size() * sizeof(uint32_t));
    insert_.BindBlob(3, batch.data, batch.bytes());
    insert_.Run();
  }

  void Close() override {
    if (created_ && way_ == SqliteWay::kBulk) {
      db_.Exec("COMMIT");
    }
    Release();
    if (created_ && way_ == SqliteWay::kBulk) {
      SyncFolder(folder_);
    }
    created_ = false;
  }

  void Open(const std::string& folder) override {
    db_.Open(folder + "/blobs.db", SqliteReadingPragmas());
    db_.Exec("BEGIN");
  }

  void Scan(RecordHash* hash) override {
    SqliteStatement scan;
    scan.Prepare(db_.get(), "SELECT ends, payload FROM b ORDER BY first_seq");
    while (scan.Step()) {
      const size_t count = scan.Bytes(0) / sizeof(uint32_t);
      const auto* ends = static_cast<const uint32_t*>(scan.Blob(0));
      const auto* payload = static_cast<const char*>(scan.Blob(1));
      uint32_t begin = 0;
      for (size_t i = 0; i < count; ++i) {
        hash->Add(payload + begin, ends[i] - begin);
        begin = ends[i];
      }
    }
  }

  size_t Read(uint64_t seq, std::span<char> buffer) override {
    if (rows_.empty()) {
      LoadIndex();
    }
    // All rows but the last have as many records as the first.
    Row& row = rows_[seq / rows_[0].ends.size()];
    const size_t i = static_cast<size_t>(seq - row.first_seq);
    const uint32_t begin = i == 0 ? 0 : row.ends[i - 1];
    const uint32_t len = row.ends[i] - begin;
    if (row.blob == nullptr &&
        sqlite3_blob_open(db_.get(), "main", "b", "payload",
                          static_cast<sqlite3_int64>(row.first_seq), 0, &row.blob) != SQLITE_OK) {
      Die("sqlite3_blob_open");
    }
    if (sqlite3_blob_read(row.blob, buffer.data(), static_cast<int>(len),
                          static_cast<int>(begin)) != SQLITE_OK) {
      Die("sqlite3_blob_read");
    }
    return len;
  }

 private:
  // A handle stays open per row: it remembers where the pages of its blob are.
  struct Row {
    uint64_t first_seq;
    std::vector<uint32_t> ends;
    sqlite3_blob* blob = nullptr;
  };

  void LoadIndex() {
    SqliteStatement scan;
    scan.Prepare(db_.get(), "SELECT first_seq, ends FROM b ORDER BY first_seq");
    while (scan.Step()) {
      const auto* ends = static_cast<const uint32_t*>(scan.Blob(1));
      const size_t count = scan.Bytes(1) / sizeof(uint32_t);
      rows_.push_back(Row{.first_seq = scan.Integer(0), .ends = {ends, ends + count}});
    }
  }

  void Release() {
    for (const Row& row : rows_) {
      sqlite3_blob_close(row.blob);
    }
    rows_.clear();
    insert_.Finalize();
    db_.Close();
  }

  const SqliteWay way_;
  const Durability durability_;
  bool created_ = false;
  std::string folder_;
  SqliteDb db_;
  SqliteStatement insert_;
  std::vector<uint32_t> ends_;
  std::vector<Row> rows_;
};

template <class Kind>
void AddOne(std::vector<Contestant>* all, const char* name, SqliteWay way, Durability durability,
            bool reads) {
  all->push_back(
      Contestant{.name = name,
                 .durability = durability,
                 .options = Describe(SqlitePragmas(way, durability)) +
                            (way == SqliteWay::kBulk ? ", one transaction, fdatasync at the end"
                                                     : ", a transaction per batch") +
                            "; reads: " + Describe(SqliteReadingPragmas()) + ", one transaction",
                 .reads = reads,
                 .make = [=](const Budget&) { return std::make_unique<Kind>(way, durability); }});
}

}  // namespace

void AddSqlite(std::vector<Contestant>* all) {
  using enum SqliteWay;
  AddOne<SqliteRowStore>(all, "sqlite_row", kTier, Durability::kAtEnd, true);
  AddOne<SqliteRowStore>(all, "sqlite_row", kTier, Durability::kEachBatch, false);
  AddOne<SqliteRowStore>(all, "sqlite_row_bulk", kBulk, Durability::kAtEnd, false);
  AddOne<SqliteBlobStore>(all, "sqlite_blob_bulk", kBulk, Durability::kAtEnd, true);
  AddOne<SqliteBlobStore>(all, "sqlite_blob", kTier, Durability::kEachBatch, false);
}

}  // namespace spillway::bench
