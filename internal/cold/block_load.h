// What a block file says of a store in it, without reading a record: O(blocks).
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "internal/base/status.h"
#include "internal/blockfile/block_file.h"
#include "internal/cold/block_format.h"

namespace spillway::cold {

struct StoredStream {
  StreamState state;                 // without end_seq
  std::vector<RecordsBlock> blocks;  // in order; a gap is of records that are lost
};

// *found false: there is no store in the file. kCorrupt: what a store makes is damaged, or is none
// that a store makes; kUnsupported: a later version's.
base::Status LoadStreams(blockfile::BlockFile* file, std::map<uint32_t, StoredStream>* streams,
                         bool* found);

}  // namespace spillway::cold
