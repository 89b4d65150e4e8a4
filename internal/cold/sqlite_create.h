// Makes a new database, and tells ours from others, without SQLite seeing a foreign one.
#pragma once

#include <string>

#include "internal/base/status.h"
#include "internal/cold/sqlite_tuning.h"
#include "internal/io/file.h"

namespace spillway::cold {

// Makes the database at `path`, which must not exist. The caller has the store's lock. It is made
// under a temporary name, synced, renamed, and its folder synced: after a crash there is no
// database at `path` or a whole one. A temporary file that an earlier crash left is replaced.
// kAlreadyExists if a database appears meanwhile; kCorrupt if a WAL or journal lies there without
// its database: nothing of that kind is deleted.
base::Status CreateDatabase(io::FileSystem* file_system, const std::string& path,
                            const SqliteTuning& tuning);

// OK if the bytes of `database` (or of its WAL or journal) say that it is a store of a format we
// know. kCorrupt: not a store. kUnsupported: of a later version. Reads only.
base::Status Identify(io::FileSystem* file_system, io::File* database);

}  // namespace spillway::cold
