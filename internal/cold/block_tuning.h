// What a block-file tier may be tuned by.
#pragma once

#include <cstddef>
#include <cstdint>

#include "internal/blockfile/block_file.h"

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

}  // namespace spillway::cold
