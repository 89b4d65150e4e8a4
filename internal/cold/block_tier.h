// The cold tier that keeps records in a block file, beside blocks of the application's own: see
// BLOCK_FORMAT.md in this folder.
//
// Commits write their records at the same time and name them in turns, as do reclaims and the
// close; reads go on meanwhile, and so does whatever the application does with its blocks.
#pragma once

#include <memory>
#include <string>

#include "internal/base/operation.h"
#include "internal/cold/block_tuning.h"
#include "internal/cold/cold_tier.h"
#include "internal/io/file.h"

namespace spillway::cold {

// Opens or makes the file and what describes a store in it; tuning.file.mode does not count.
// kNotFound also for a block file without a store in it, if there must be one; kAlreadyExists,
// kBusy, kCorrupt, kUnsupported.
base::Result<std::unique_ptr<ColdTier>> OpenBlockTier(io::FileSystem* file_system,
                                                      const std::string& path, OpenMode mode,
                                                      const BlockTuning& tuning = {},
                                                      base::Operation* operation = nullptr);

}  // namespace spillway::cold
