// LMDB: one entry per record, keys are native 64-bit integers in ascending order. With MDB_WRITEMAP
// this took 1.4 times as long: the file grows, and each of its new pages faults.
#include <lmdb.h>

#include <cstring>

#include "tests/bench/files.h"
#include "tests/bench/store.h"

namespace spillway::bench {
namespace {

// A sparse file: address space, not disk or memory.
constexpr size_t kMapBytes = size_t{16} << 30;

void Check(int code, const char* call) {
  if (code != MDB_SUCCESS) {
    Die(std::string(call) + ": " + mdb_strerror(code));
  }
}

class LmdbStore final : public Store {
 public:
  explicit LmdbStore(Durability durability) : durability_(durability) {}
  ~LmdbStore() override { Release(); }

  void Create(const std::string& folder) override {
    OpenAt(folder, MDB_NOMEMINIT | (durability_ == Durability::kAtEnd ? MDB_NOSYNC : 0U));
    MDB_txn* txn = nullptr;
    Check(mdb_txn_begin(env_, nullptr, 0, &txn), "mdb_txn_begin");
    Check(mdb_dbi_open(txn, nullptr, MDB_INTEGERKEY | MDB_CREATE, &dbi_), "mdb_dbi_open");
    Check(mdb_txn_commit(txn), "mdb_txn_commit");
  }

  void Add(const Batch& batch) override {
    MDB_txn* txn = nullptr;
    MDB_cursor* cursor = nullptr;
    Check(mdb_txn_begin(env_, nullptr, 0, &txn), "mdb_txn_begin");
    Check(mdb_cursor_open(txn, dbi_, &cursor), "mdb_cursor_open");
    for (size_t i = 0; i < batch.count; ++i) {
      uint64_t seq = batch.first_seq + i;
      const std::string_view record = batch.record(i);
      MDB_val key = {sizeof(seq), &seq};
      MDB_val value = {record.size(), const_cast<char*>(record.data())};
      Check(mdb_cursor_put(cursor, &key, &value, MDB_APPEND), "mdb_cursor_put");
    }
    mdb_cursor_close(cursor);
    Check(mdb_txn_commit(txn), "mdb_txn_commit");
  }

  void Close() override {
    if (reader_ == nullptr && durability_ == Durability::kAtEnd) {
      Check(mdb_env_sync(env_, 1), "mdb_env_sync");
    }
    Release();
  }

  void Open(const std::string& folder) override {
    OpenAt(folder, MDB_RDONLY | MDB_NOLOCK);
    Check(mdb_txn_begin(env_, nullptr, MDB_RDONLY, &reader_), "mdb_txn_begin");
    Check(mdb_dbi_open(reader_, nullptr, MDB_INTEGERKEY, &dbi_), "mdb_dbi_open");
  }

  void Scan(RecordHash* hash) override {
    MDB_cursor* cursor = nullptr;
    Check(mdb_cursor_open(reader_, dbi_, &cursor), "mdb_cursor_open");
    MDB_val key;
    MDB_val value;
    int code = MDB_SUCCESS;
    while ((code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == MDB_SUCCESS) {
      hash->Add(value.mv_data, value.mv_size);
    }
    if (code != MDB_NOTFOUND) {
      Check(code, "mdb_cursor_get");
    }
    mdb_cursor_close(cursor);
  }

  size_t Read(uint64_t seq, std::span<char> buffer) override {
    MDB_val key = {sizeof(seq), &seq};
    MDB_val value;
    Check(mdb_get(reader_, dbi_, &key, &value), "mdb_get");
    std::memcpy(buffer.data(), value.mv_data, value.mv_size);
    return value.mv_size;
  }

 private:
  void OpenAt(const std::string& folder, unsigned flags) {
    Check(mdb_env_create(&env_), "mdb_env_create");
    Check(mdb_env_set_mapsize(env_, kMapBytes), "mdb_env_set_mapsize");
    Check(mdb_env_open(env_, folder.c_str(), flags, 0600), "mdb_env_open");
  }
  void Release() {
    if (reader_ != nullptr) {
      mdb_txn_abort(reader_);
      reader_ = nullptr;
    }
    if (env_ != nullptr) {
      mdb_env_close(env_);
      env_ = nullptr;
    }
  }

  const Durability durability_;
  MDB_env* env_ = nullptr;
  MDB_dbi dbi_ = 0;
  MDB_txn* reader_ = nullptr;  // one snapshot for all reads
};

}  // namespace

void AddLmdb(std::vector<Contestant>* all) {
  for (const Durability durability : {Durability::kAtEnd, Durability::kEachBatch}) {
    const bool at_end = durability == Durability::kAtEnd;
    all->push_back(Contestant{
        .name = "lmdb",
        .durability = durability,
        .options =
            std::string("MDB_INTEGERKEY, MDB_APPEND, MDB_NOMEMINIT, one transaction per batch, ") +
            (at_end ? "MDB_NOSYNC, mdb_env_sync at the end" : "synced by its commit") +
            ", map 16 GiB; reads: MDB_RDONLY, one transaction",
        .reads = at_end,
        .make = [=](const Budget&) { return std::make_unique<LmdbStore>(durability); }});
  }
}

}  // namespace spillway::bench
