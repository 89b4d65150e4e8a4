// What a database says about itself when it is opened: store, streams, names. Checked, because the
// bytes may have been damaged or made up.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "internal/base/status.h"
#include "internal/cold/cold_tier.h"
#include "internal/cold/sqlite_db.h"
#include "internal/cold/sqlite_format.h"

namespace spillway::cold {

struct CatalogStream {
  StreamState state;
  // Nothing of the stream is stored below; between here and begin_seq lies what can be reclaimed.
  uint64_t stored_begin = 0;
  // With begin_seq here, nothing could be reclaimed any more.
  uint64_t settled_begin = 0;
};

struct Catalog {
  StoreRow store;
  std::vector<CatalogStream> streams;  // ascending by id
  std::set<std::string> names;         // of tables and views that are not the format's, folded
};

// Work: one row per stream of the catalogue, and O(log n) per stream: its runs end at end_seq, its
// last record is end_seq - 1, a run covers begin_seq. Records are not read. kCorrupt where that
// fails.
base::Status LoadCatalog(SqliteDb* db, Catalog* out);

}  // namespace spillway::cold
