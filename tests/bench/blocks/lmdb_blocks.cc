// LMDB: an entry per block, keyed by its name; a transaction per group, synced by its commit.
#include <lmdb.h>

#include <cstring>

#include "tests/bench/blocks/block_store.h"
#include "tests/bench/files.h"

namespace spillway::bench {
namespace {

constexpr size_t kMapBytes = size_t{16} << 30;  // address space, not disk or memory

void Check(int code, const char* call) {
  if (code != MDB_SUCCESS) {
    Die(std::string(call) + ": " + mdb_strerror(code));
  }
}

MDB_val AsVal(std::string_view bytes) { return {bytes.size(), const_cast<char*>(bytes.data())}; }

class LmdbBlocks final : public BlockStore {
 public:
  using BlockStore::BlockStore;
  ~LmdbBlocks() override { Release(); }

  void Open(const std::string& folder, Durability durability) override {
    durability_ = durability;
    Check(mdb_env_create(&env_), "mdb_env_create");
    Check(mdb_env_set_mapsize(env_, kMapBytes), "mdb_env_set_mapsize");
    // Tried: MDB_WRITEMAP, up to four times slower to sync.
    const unsigned flags = durability == Durability::kAtEnd ? MDB_NOSYNC : 0U;
    Check(mdb_env_open(env_, folder.c_str(), MDB_NOMEMINIT | MDB_NOTLS | flags, 0600),
          "mdb_env_open");
    MDB_txn* txn = Begin();
    Check(mdb_dbi_open(txn, nullptr, 0, &dbi_), "mdb_dbi_open");
    Commit(txn);
  }

  void Put(const BlockBatch& batch) override {
    MDB_txn* txn = Begin();
    for (size_t i = 0; i < batch.count(); ++i) {
      Replace(txn, batch.name(i), batch.payload(i));
    }
    Commit(txn);
  }

  void Delete(const BlockBatch& batch) override {
    MDB_txn* txn = Begin();
    for (size_t i = 0; i < batch.count(); ++i) {
      Remove(txn, batch.name(i));
    }
    Commit(txn);
  }

  std::unique_ptr<BlockSession> StartSession(SessionKind kind) override {
    return std::make_unique<Session>(this, kind);
  }

  void List(std::string_view prefix, NameList* names) override {
    MDB_txn* txn = nullptr;
    MDB_cursor* cursor = nullptr;
    Check(mdb_txn_begin(env_, nullptr, MDB_RDONLY, &txn), "mdb_txn_begin");
    Check(mdb_cursor_open(txn, dbi_, &cursor), "mdb_cursor_open");
    MDB_val key = AsVal(prefix);
    int code = mdb_cursor_get(cursor, &key, nullptr, MDB_SET_RANGE);
    while (code == MDB_SUCCESS) {
      const std::string_view name(static_cast<const char*>(key.mv_data), key.mv_size);
      if (!name.starts_with(prefix)) {
        break;
      }
      names->Add(name);
      code = mdb_cursor_get(cursor, &key, nullptr, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    mdb_txn_abort(txn);
  }

  void Close() override {
    if (durability_ == Durability::kAtEnd) {
      Check(mdb_env_sync(env_, 1), "mdb_env_sync");
    }
    Release();
  }

 private:
  // One reader for all reads, or a reader that is renewed for each.
  class Session final : public BlockSession {
   public:
    Session(LmdbBlocks* store, SessionKind kind) : store_(store), kind_(kind) {
      Check(mdb_txn_begin(store->env_, nullptr, MDB_RDONLY, &reader_), "mdb_txn_begin");
      if (kind == SessionKind::kLive) {
        mdb_txn_reset(reader_);
      }
    }
    ~Session() override { mdb_txn_abort(reader_); }

    size_t Read(size_t index, std::span<char> buffer) override {
      if (kind_ == SessionKind::kLive) {
        Check(mdb_txn_renew(reader_), "mdb_txn_renew");
      }
      MDB_val key = AsVal(store_->set().name(index));
      MDB_val value;
      const int code = mdb_get(reader_, store_->dbi_, &key, &value);
      size_t bytes = kNoBlock;
      if (code != MDB_NOTFOUND) {
        Check(code, "mdb_get");
        bytes = value.mv_size;
        std::memcpy(buffer.data(), value.mv_data, bytes);
      }
      if (kind_ == SessionKind::kLive) {
        mdb_txn_reset(reader_);
      }
      return bytes;
    }
    char View(size_t index) override {
      MDB_val key = AsVal(store_->set().name(index));
      MDB_val value;
      Check(mdb_get(reader_, store_->dbi_, &key, &value), "mdb_get");
      return *static_cast<const char*>(value.mv_data);
    }
    void Put(size_t index, std::string_view payload) override {
      MDB_txn* txn = store_->Begin();
      store_->Replace(txn, store_->set().name(index), payload);
      Commit(txn);
    }
    void Delete(size_t index) override {
      MDB_txn* txn = store_->Begin();
      store_->Remove(txn, store_->set().name(index));
      Commit(txn);
    }

   private:
    LmdbBlocks* const store_;
    const SessionKind kind_;
    MDB_txn* reader_ = nullptr;
  };

  MDB_txn* Begin() {
    MDB_txn* txn = nullptr;
    Check(mdb_txn_begin(env_, nullptr, 0, &txn), "mdb_txn_begin");
    return txn;
  }
  static void Commit(MDB_txn* txn) { Check(mdb_txn_commit(txn), "mdb_txn_commit"); }

  void Replace(MDB_txn* txn, std::string_view name, std::string_view payload) const {
    MDB_val key = AsVal(name);
    MDB_val value = AsVal(payload);
    Check(mdb_put(txn, dbi_, &key, &value, 0), "mdb_put");
  }
  void Remove(MDB_txn* txn, std::string_view name) const {
    MDB_val key = AsVal(name);
    const int code = mdb_del(txn, dbi_, &key, nullptr);
    if (code != MDB_NOTFOUND) {
      Check(code, "mdb_del");
    }
  }
  void Release() {
    if (env_ != nullptr) {
      mdb_env_close(env_);
      env_ = nullptr;
    }
  }

  Durability durability_ = Durability::kAtEnd;
  MDB_env* env_ = nullptr;
  MDB_dbi dbi_ = 0;
};

}  // namespace

void AddLmdbBlocks(std::vector<BlockContestant>* all) {
  all->push_back(BlockContestant{
      .name = "lmdb",
      .options = "MDB_NOMEMINIT, a transaction per group, synced by its commit, map 16 GiB; where "
                 "only Close has to be durable: MDB_NOSYNC and mdb_env_sync; reads: one snapshot, "
                 "no checksum",
      .deletes = true,
      .live = true,
      .lists = true,
      .views = true,
      .make = [](const BlockSet& set) { return std::make_unique<LmdbBlocks>(set); }});
}

}  // namespace spillway::bench
