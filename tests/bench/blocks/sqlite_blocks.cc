// SQLite: a row per block, keyed by its name; WAL, and FULL where each group has to be durable.
#include <cstring>

#include "tests/bench/blocks/block_store.h"
#include "tests/bench/files.h"
#include "tests/bench/sqlite_db.h"

namespace spillway::bench {
namespace {

// Tried, medians of five on ext4. Pages: for blocks of 4 KiB 4 KiB are the fastest of 4 to 64, for
// 64 KiB 16 are. WITHOUT ROWID: slower by 0 to 50 %. A log file that stays (PERSIST_WAL): no gain.
Pragmas BlockPragmas(Durability durability, size_t bytes_max) {
  const bool each = durability == Durability::kEachBatch;
  return {{"busy_timeout", "60000"},
          {"page_size", bytes_max <= 4096 ? "4096" : "16384"},
          {"journal_mode", "WAL"},
          {"synchronous", each ? "FULL" : "NORMAL"},
          // With one connection, no shared memory. Else each thread has its own.
          {"locking_mode", each ? "EXCLUSIVE" : "NORMAL"},
          {"cache_size", "-131072"},
          {"wal_autocheckpoint", "16384"}};
}

constexpr const char* kRead = "SELECT payload FROM b WHERE name = ?1";
constexpr const char* kPut =
    "INSERT INTO b VALUES(?1, ?2) ON CONFLICT(name) DO UPDATE SET payload = excluded.payload";
constexpr const char* kDelete = "DELETE FROM b WHERE name = ?1";

void BindName(SqliteStatement* statement, std::string_view name) {
  statement->BindBlob(1, name.data(), name.size());
}

class SqliteBlocks final : public BlockStore {
 public:
  using BlockStore::BlockStore;
  ~SqliteBlocks() override { Release(); }

  void Open(const std::string& folder, Durability durability) override {
    durability_ = durability;
    path_ = folder + "/blocks.db";
    db_.Open(path_, BlockPragmas(durability, set().bytes_max()));
    db_.Exec("CREATE TABLE IF NOT EXISTS b(name BLOB PRIMARY KEY, payload BLOB)");
    put_.Prepare(db_.get(), kPut);
    delete_.Prepare(db_.get(), kDelete);
  }

  void Put(const BlockBatch& batch) override {
    db_.Exec("BEGIN");
    for (size_t i = 0; i < batch.count(); ++i) {
      const std::string_view payload = batch.payload(i);
      BindName(&put_, batch.name(i));
      put_.BindBlob(2, payload.data(), payload.size());
      put_.Run();
    }
    db_.Exec("COMMIT");
  }

  void Delete(const BlockBatch& batch) override {
    db_.Exec("BEGIN");
    for (size_t i = 0; i < batch.count(); ++i) {
      BindName(&delete_, batch.name(i));
      delete_.Run();
    }
    db_.Exec("COMMIT");
  }

  std::unique_ptr<BlockSession> StartSession(SessionKind kind) override {
    return std::make_unique<Session>(this, kind);
  }

  void List(std::string_view prefix, NameList* names) override {
    std::string after(prefix);
    ++after.back();
    SqliteStatement scan;
    scan.Prepare(db_.get(), "SELECT name FROM b WHERE name >= ?1 AND name < ?2 ORDER BY name");
    BindName(&scan, prefix);
    scan.BindBlob(2, after.data(), after.size());
    while (scan.Step()) {
      names->Add({static_cast<const char*>(scan.Blob(0)), scan.Bytes(0)});
    }
  }

  void Close() override { Release(); }  // the last connection copies the log into the database

 private:
  class Session final : public BlockSession {
   public:
    Session(SqliteBlocks* store, SessionKind kind) : set_(store->set()), kind_(kind) {
      db_ = &store->db_;
      if (kind == SessionKind::kLive) {
        own_.Open(store->path_, BlockPragmas(store->durability_, set_.bytes_max()));
        db_ = &own_;
      } else {
        db_->Exec("BEGIN");  // spares a lock for each read
      }
      read_.Prepare(db_->get(), kRead);
      put_.Prepare(db_->get(), kPut);
      delete_.Prepare(db_->get(), kDelete);
    }
    ~Session() override {
      for (SqliteStatement* statement : {&read_, &put_, &delete_}) {
        statement->Finalize();
      }
      if (kind_ == SessionKind::kSnapshot) {
        db_->Exec("COMMIT");
      }
    }
    size_t Read(size_t index, std::span<char> buffer) override {
      BindName(&read_, set_.name(index));
      size_t bytes = kNoBlock;
      if (read_.Step()) {
        bytes = read_.Bytes(0);
        std::memcpy(buffer.data(), read_.Blob(0), bytes);
      }
      read_.Rewind();
      return bytes;
    }
    void Put(size_t index, std::string_view payload) override {
      BindName(&put_, set_.name(index));
      put_.BindBlob(2, payload.data(), payload.size());
      put_.Run();
    }
    void Delete(size_t index) override {
      BindName(&delete_, set_.name(index));
      delete_.Run();
    }

   private:
    const BlockSet& set_;
    const SessionKind kind_;
    SqliteDb own_;
    SqliteDb* db_;
    SqliteStatement read_;
    SqliteStatement put_;
    SqliteStatement delete_;
  };

  void Release() {
    put_.Finalize();
    delete_.Finalize();
    db_.Close();
  }

  Durability durability_ = Durability::kAtEnd;
  std::string path_;
  SqliteDb db_;
  SqliteStatement put_;
  SqliteStatement delete_;
};

}  // namespace

void AddSqliteBlocks(std::vector<BlockContestant>* all) {
  all->push_back(BlockContestant{
      .name = "sqlite",
      .options = "name BLOB PRIMARY KEY, payload BLOB; a transaction per group; " +
                 Describe(BlockPragmas(Durability::kEachBatch, 4096)) +
                 ", above 4 KiB page_size=16384; where only Close has to be durable: "
                 "synchronous=NORMAL, locking_mode=NORMAL, a connection per thread",
      .deletes = true,
      .live = true,
      .lists = true,
      .make = [](const BlockSet& set) { return std::make_unique<SqliteBlocks>(set); }});
}

}  // namespace spillway::bench
