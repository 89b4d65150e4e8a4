// The measured numbers of the SQLite tier; FORMAT.md has the table they come from. Tests shrink
// them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "internal/cold/sqlite_format.h"

namespace spillway::cold {

struct SqliteTuning {
  uint32_t page_bytes = 16384;  // of a new database
  uint32_t cache_kib =
      2048;  // pages of the writer; what a larger transaction dirties goes to the WAL early
  uint32_t reader_cache_kib = 2048;
  uint64_t run_bytes = 16384;                     // at most kRunBytesMax
  uint64_t wal_bytes_soft = uint64_t{32} << 20;   // checkpoint after the commit that passes it
  uint64_t wal_bytes_hard = uint64_t{128} << 20;  // let readers wait so that the WAL can start anew
  uint32_t readers_max = 4;
  uint64_t reclaim_records = 20'000;            // of one Reclaim call,
  uint64_t reclaim_bytes = uint64_t{64} << 20;  // or this much payload,
  uint64_t reclaim_pages = 1024;                // and pages given back
  std::optional<StoreId> store_id;              // of a new database; random by default
};

// For every connection.
std::string ConnectionPragmas(uint32_t cache_kib);
// For a new database, before its first table.
std::string DatabasePragmas(uint32_t page_bytes);

}  // namespace spillway::cold
