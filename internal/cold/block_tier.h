// The cold tier that keeps records in a block file, beside blocks of the application's own: see
// BLOCK_FORMAT.md in this folder.
//
// Commits, reclaims and the close take turns; reads go on meanwhile, and so does whatever the
// application does with its blocks.
#pragma once

#include <memory>
#include <string>

#include "internal/base/operation.h"
#include "internal/blockfile/block_file.h"
#include "internal/cold/cold_tier.h"
#include "internal/io/file.h"

namespace spillway::cold {

// What waits in memory of the file is beyond the store's budget, so it is little.
inline blockfile::Settings LittleMemory() {
  blockfile::Settings settings;
  settings.dirty_bytes_most = uint64_t{4} << 20;
  settings.cache_bytes = uint64_t{4} << 20;
  settings.direct_bytes = uint64_t{256} << 10;
  settings.cached_pages = 512;
  return settings;
}

struct BlockTuning {
  blockfile::Settings file = LittleMemory();
  // What is smaller is appended to the stream's last block, until that is so long or has so many
  // frames.
  uint64_t own_block_bytes = uint64_t{256} << 10;
  uint64_t shared_block_bytes = uint64_t{1} << 20;
  uint32_t shared_block_frames = 1024;
  uint64_t frame_payload_bytes = uint64_t{8} << 20;  // unless it is one record
  size_t reclaim_blocks = 64;                        // removed at a time
};

// Opens or makes the file and what describes a store in it; tuning.file.mode does not count.
// kNotFound also for a block file without a store in it, if there must be one; kAlreadyExists,
// kBusy, kCorrupt, kUnsupported.
base::Result<std::unique_ptr<ColdTier>> OpenBlockTier(io::FileSystem* file_system,
                                                      const std::string& path, OpenMode mode,
                                                      const BlockTuning& tuning = {},
                                                      base::Operation* operation = nullptr);

}  // namespace spillway::cold
