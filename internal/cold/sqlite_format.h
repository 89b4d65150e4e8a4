// What stands in the database: table texts, names and checksums. FORMAT.md tells it in full; this
// is its code. Pure: no connection, no I/O. Functions are thread-safe; a RunHasher belongs to one
// thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "internal/base/checksum.h"
#include "internal/cold/cold_tier.h"
#include "internal/record/columns.h"

namespace spillway::cold {

inline constexpr char kSqliteMagic[] = "SQLite format 3";  // with its NUL, how a database begins

using StoreId = std::array<uint8_t, 16>;

inline constexpr uint32_t kApplicationId = 0x53505759;  // "SPWY"
inline constexpr uint32_t kFormatVersion = 1;           // user_version
// A run's payload, unless it is one record, and its records.
inline constexpr uint64_t kRunBytesMax = 65536;
inline constexpr uint64_t kRunCountMax = 4096;

inline constexpr char kStoreTable[] =
    "CREATE TABLE spillway_store(id INTEGER PRIMARY KEY, format INTEGER NOT NULL, "
    "store_id BLOB NOT NULL, clean INTEGER NOT NULL, commits INTEGER NOT NULL, "
    "checksum INTEGER NOT NULL)";
inline constexpr char kStreamsTable[] =
    "CREATE TABLE spillway_streams(id INTEGER PRIMARY KEY, name NOT NULL, "
    "has_times INTEGER NOT NULL, begin_seq INTEGER NOT NULL, end_seq INTEGER NOT NULL, "
    "checksum INTEGER NOT NULL)";
inline constexpr char kRunsTable[] =
    "CREATE TABLE spillway_runs(stream INTEGER NOT NULL, first_seq INTEGER NOT NULL, "
    "count INTEGER NOT NULL, bytes INTEGER NOT NULL, checksum INTEGER NOT NULL, "
    "PRIMARY KEY(stream, first_seq)) WITHOUT ROWID";

// "s7"
std::string RecordsTableName(uint32_t stream);
// "CREATE TABLE s7(seq INTEGER PRIMARY KEY, time INTEGER, payload BLOB)"
std::string RecordsTable(uint32_t stream);

// Names that only the format gives: s<digits>, spillway_*, sqlite_*, in any case of ASCII letters.
bool IsReservedName(std::string_view name);
// ASCII letters in lower case: SQLite compares names that way.
std::string FoldName(std::string_view name);
// Whether a stream of this name can have a view under it, leaving clashes with others aside.
bool CanNameView(std::string_view name);
std::string StreamView(const StreamState& stream);

// The one row of spillway_store.
struct StoreRow {
  StoreId store_id = {};
  bool clean = false;
  uint64_t commits = 0;  // counts the times this row was written
};
uint64_t ChecksumOf(const StoreRow& row);
// A row of spillway_streams.
uint64_t ChecksumOf(const StoreId& store_id, const StreamState& stream);

// Checksums of runs. Not thread-safe; may throw std::bad_alloc.
class RunHasher {
 public:
  explicit RunHasher(const StoreId& store_id) : store_id_(store_id), hasher_(0) {}

  // Of exactly these records.
  uint64_t ChecksumOf(uint32_t stream, const record::Columns& run);

 private:
  const StoreId store_id_;
  base::Hasher hasher_;
  std::vector<uint64_t> lengths_;
};

// How many of the records from `first` on make the next run: as many as fit into run_bytes.
uint64_t RunLength(const record::Columns& columns, uint64_t first, uint64_t run_bytes);

}  // namespace spillway::cold
