// LevelDB as both benchmarks use it: records and blocks.
#pragma once

#include <leveldb/cache.h>
#include <leveldb/db.h>

#include <memory>
#include <string>
#include <string_view>

#include "tests/bench/durability.h"
#include "tests/bench/files.h"

namespace spillway::bench {

inline void Check(const leveldb::Status& status, const char* call) {
  if (!status.ok()) {
    Die(std::string(call) + ": " + status.ToString());
  }
}

class LevelDb {
 public:
  LevelDb() = default;
  ~LevelDb() { db_.reset(); }  // before the cache it uses

  void Open(const std::string& folder) {
    constexpr size_t kWriteBufferBytes = size_t{64} << 20;
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
  // unsynced: whether something was written without a sync, which has to be durable now.
  void Close(bool unsynced) {
    db_.reset();
    if (unsynced) {
      SyncFolder(folder_);  // a synced last write would not cover the log before
    }
  }
  leveldb::DB* operator->() { return db_.get(); }

 private:
  std::string folder_;
  const std::unique_ptr<leveldb::Cache> cache_{leveldb::NewLRUCache(size_t{1} << 30)};
  std::unique_ptr<leveldb::DB> db_;
};

inline leveldb::WriteOptions HowToWrite(Durability durability) {
  leveldb::WriteOptions options;
  options.sync = durability == Durability::kEachBatch;
  return options;
}

}  // namespace spillway::bench
