// The cold tier that any SQLite tool can read: see FORMAT.md in this folder for the tables.
//
// Commits, reclaims and the close take turns on one connection; reads use a few others and go on
// meanwhile. A commit that failed with kNoMemory changed nothing and may be tried again, like
// kFull.
#pragma once

#include <memory>
#include <string>

#include "internal/cold/cold_tier.h"
#include "internal/cold/sqlite_tuning.h"
#include "internal/io/file.h"

namespace spillway::cold {

// Opens or makes the database at `path` and takes the lock on `<path>-lock`; kBusy if somebody has
// it, kNotFound and kAlreadyExists as the mode says, kCorrupt if the file is damaged or no store,
// kUnsupported if a later version made it. file_system outlives the tier.
base::Result<std::unique_ptr<ColdTier>> OpenSqliteTier(io::FileSystem* file_system,
                                                       const std::string& path, OpenMode mode,
                                                       const SqliteTuning& tuning = {});

// Whether the file that is there begins as a SQLite database does.
base::Status IsSqlite(io::FileSystem* file_system, const std::string& path, bool* is);

// What a program that puts the same rows straight into SQLite says to a new database to stand on
// the tier's own settings (SQLite checkpoints by pages; the number is the tier's bytes).
std::string SqliteTierPragmas(const SqliteTuning& tuning = {});

}  // namespace spillway::cold
