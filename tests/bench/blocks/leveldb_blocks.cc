// LevelDB: an entry per block, keyed by its name; a WriteBatch per group.
#include <leveldb/cache.h>
#include <leveldb/db.h>
#include <leveldb/write_batch.h>

#include <cstring>

#include "tests/bench/blocks/block_store.h"
#include "tests/bench/files.h"

namespace spillway::bench {
namespace {

constexpr size_t kWriteBufferBytes = size_t{64} << 20;
constexpr size_t kCacheBytes = size_t{1} << 30;

void Check(const leveldb::Status& status, const char* call) {
  if (!status.ok()) {
    Die(std::string(call) + ": " + status.ToString());
  }
}

leveldb::Slice AsSlice(std::string_view bytes) { return {bytes.data(), bytes.size()}; }

class LevelDbBlocks final : public BlockStore {
 public:
  explicit LevelDbBlocks(const BlockSet& set)
      : BlockStore(set), cache_(leveldb::NewLRUCache(kCacheBytes)) {}
  ~LevelDbBlocks() override { db_.reset(); }  // before the cache it uses

  void Open(const std::string& folder, Durability durability) override {
    durability_ = durability;
    folder_ = folder;
    leveldb::Options options;
    options.create_if_missing = true;
    options.compression = leveldb::kNoCompression;
    options.write_buffer_size = kWriteBufferBytes;
    options.max_file_size = kWriteBufferBytes;
    options.block_cache = cache_.get();
    leveldb::DB* db = nullptr;
    Check(leveldb::DB::Open(options, folder, &db), "Open");
    db_.reset(db);
  }

  void Put(const BlockBatch& batch) override {
    leveldb::WriteBatch writes;
    for (size_t i = 0; i < batch.count(); ++i) {
      writes.Put(AsSlice(batch.name(i)), AsSlice(batch.payload(i)));
    }
    Check(db_->Write(HowToWrite(), &writes), "Write");
  }

  void Delete(const BlockBatch& batch) override {
    leveldb::WriteBatch writes;
    for (size_t i = 0; i < batch.count(); ++i) {
      writes.Delete(AsSlice(batch.name(i)));
    }
    Check(db_->Write(HowToWrite(), &writes), "Write");
  }

  std::unique_ptr<BlockSession> StartSession(SessionKind) override {
    return std::make_unique<Session>(this);
  }

  void List(std::string_view prefix, NameList* names) override {
    const std::unique_ptr<leveldb::Iterator> it(db_->NewIterator(leveldb::ReadOptions()));
    for (it->Seek(AsSlice(prefix)); it->Valid() && it->key().starts_with(AsSlice(prefix));
         it->Next()) {
      names->Add({it->key().data(), it->key().size()});
    }
    Check(it->status(), "Iterator");
  }

  void Close() override {
    db_.reset();
    if (durability_ == Durability::kAtEnd) {
      SyncFolder(folder_);  // a synced last write would not cover the log before
    }
  }

 private:
  class Session final : public BlockSession {
   public:
    explicit Session(LevelDbBlocks* store) : store_(store) {}
    size_t Read(size_t index, std::span<char> buffer) override {
      const leveldb::Status status =
          store_->db_->Get(leveldb::ReadOptions(), AsSlice(store_->set().name(index)), &value_);
      if (status.IsNotFound()) {
        return kNoBlock;
      }
      Check(status, "Get");
      std::memcpy(buffer.data(), value_.data(), value_.size());
      return value_.size();
    }
    void Put(size_t index, std::string_view payload) override {
      Check(store_->db_->Put(store_->HowToWrite(), AsSlice(store_->set().name(index)),
                             AsSlice(payload)),
            "Put");
    }
    void Delete(size_t index) override {
      Check(store_->db_->Delete(store_->HowToWrite(), AsSlice(store_->set().name(index))),
            "Delete");
    }

   private:
    LevelDbBlocks* const store_;
    std::string value_;
  };

  leveldb::WriteOptions HowToWrite() const {
    leveldb::WriteOptions options;
    options.sync = durability_ == Durability::kEachBatch;
    return options;
  }

  Durability durability_ = Durability::kAtEnd;
  std::string folder_;
  std::unique_ptr<leveldb::Cache> cache_;
  std::unique_ptr<leveldb::DB> db_;
};

}  // namespace

void AddLevelDbBlocks(std::vector<BlockContestant>* all) {
  all->push_back(BlockContestant{
      .name = "leveldb",
      .options = "no compression, write buffer and files 64 MiB, block cache 1 GiB, a WriteBatch "
                 "per group, sync=true; where only Close has to be durable: sync=false, fdatasync "
                 "of all files at the end",
      .deletes = true,
      .live = true,
      .lists = true,
      .make = [](const BlockSet& set) { return std::make_unique<LevelDbBlocks>(set); }});
}

}  // namespace spillway::bench
