// What a block file says of a store in it, without reading a record: O(blocks).
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "internal/base/status.h"
#include "internal/blockfile/block_file.h"
#include "internal/cold/stream_blocks.h"

namespace spillway::cold {

struct StoredStream {
  StreamState state;
  StreamInFile in_file;
};

// *found false: there is no store in the file. kCorrupt: what a store makes is damaged, or is none
// that a store makes; kUnsupported: a later version's.
base::Status LoadStreams(blockfile::BlockFile* file, std::map<uint32_t, StoredStream>* streams,
                         bool* found);

}  // namespace spillway::cold
