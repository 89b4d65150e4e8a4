// RocksDB as both benchmarks use it: records and blocks. Tried for ascending keys and without gain:
// a memtable that is a vector, and hints of where to insert.
#pragma once

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/table.h>

#include <memory>
#include <string>
#include <string_view>

#include "tests/bench/files.h"

namespace spillway::bench {

inline void Check(const rocksdb::Status& status, const char* call) {
  if (!status.ok()) {
    Die(std::string(call) + ": " + status.ToString());
  }
}

inline rocksdb::Slice AsSlice(std::string_view bytes) { return {bytes.data(), bytes.size()}; }

inline rocksdb::Options RocksDbOptions() {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.compression = rocksdb::kNoCompression;
  options.write_buffer_size = size_t{64} << 20;
  options.max_write_buffer_number = 4;
  options.max_background_jobs = 2;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(size_t{1} << 30);
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

inline std::unique_ptr<rocksdb::DB> OpenRocksDb(const std::string& folder) {
  rocksdb::DB* db = nullptr;
  Check(rocksdb::DB::Open(RocksDbOptions(), folder + "/db", &db), "Open");
  return std::unique_ptr<rocksdb::DB>(db);
}

}  // namespace spillway::bench
