// LevelDB: one entry per record, keys are big-endian 64-bit integers.
#include <leveldb/cache.h>
#include <leveldb/db.h>
#include <leveldb/write_batch.h>

#include <cstring>

#include "tests/bench/files.h"
#include "tests/bench/key.h"
#include "tests/bench/store.h"

namespace spillway::bench {
namespace {

constexpr size_t kWriteBufferBytes = size_t{64} << 20;
constexpr size_t kCacheBytes = size_t{1} << 30;

void Check(const leveldb::Status& status, const char* call) {
  if (!status.ok()) {
    Die(std::string(call) + ": " + status.ToString());
  }
}

class LevelDbStore final : public Store {
 public:
  explicit LevelDbStore(Durability durability)
      : durability_(durability), cache_(leveldb::NewLRUCache(kCacheBytes)) {}
  ~LevelDbStore() override { db_.reset(); }  // before the cache it uses

  void Create(const std::string& folder) override {
    created_ = true;
    Open(folder);
  }

  void Add(const Batch& batch) override {
    leveldb::WriteBatch writes;
    for (size_t i = 0; i < batch.count; ++i) {
      const Key key(batch.first_seq + i);
      const std::string_view record = batch.record(i);
      writes.Put(leveldb::Slice(key.data(), key.size()),
                 leveldb::Slice(record.data(), record.size()));
    }
    leveldb::WriteOptions options;
    options.sync = durability_ == Durability::kEachBatch;
    Check(db_->Write(options, &writes), "Write");
  }

  void Close() override {
    db_.reset();
    if (created_ && durability_ == Durability::kAtEnd) {
      SyncFolder(folder_);  // a synced last write would not cover the log before
    }
    created_ = false;
  }

  void Open(const std::string& folder) override {
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

  void Scan(RecordHash* hash) override {
    leveldb::ReadOptions options;
    options.fill_cache = false;
    const std::unique_ptr<leveldb::Iterator> it(db_->NewIterator(options));
    for (it->SeekToFirst(); it->Valid(); it->Next()) {
      hash->Add(it->value().data(), it->value().size());
    }
    Check(it->status(), "Iterator");
  }

  size_t Read(uint64_t seq, std::span<char> buffer) override {
    const Key key(seq);
    Check(db_->Get(leveldb::ReadOptions(), leveldb::Slice(key.data(), key.size()), &value_), "Get");
    std::memcpy(buffer.data(), value_.data(), value_.size());
    return value_.size();
  }

 private:
  const Durability durability_;
  std::unique_ptr<leveldb::Cache> cache_;
  std::unique_ptr<leveldb::DB> db_;
  std::string folder_;
  bool created_ = false;
  std::string value_;
};

}  // namespace

void AddLevelDb(std::vector<Contestant>* all) {
  for (const Durability durability : {Durability::kAtEnd, Durability::kEachBatch}) {
    const bool at_end = durability == Durability::kAtEnd;
    all->push_back(Contestant{
        .name = "leveldb",
        .durability = durability,
        .options = std::string("no compression, write buffer and files 64 MiB, block cache 1 "
                               "GiB, one WriteBatch per batch, ") +
                   (at_end ? "sync=false, fdatasync of all files at the end" : "sync=true"),
        .reads = at_end,
        .concurrent = true,
        .make = [=](const Budget&) { return std::make_unique<LevelDbStore>(durability); }});
  }
}

}  // namespace spillway::bench
