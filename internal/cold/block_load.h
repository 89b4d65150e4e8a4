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

// What stands in the file of a stream. May be ahead of what the tier shows, by what is with the
// file but could not be flushed.
struct Kept {
  bool described = false;  // there is the block that describes it
  uint64_t begin_seq = 0;  // as that says
  uint64_t end_seq = 0;
  std::vector<RecordsBlock> blocks;  // in order; also of dropped records that were not reclaimed
  // First records of blocks that were given up after they were put, and are still in the file.
  std::vector<uint64_t> stale;
};

// *found false: there is no store in the file. kCorrupt: what a store makes is damaged, or is none
// that a store makes; kUnsupported: a later version's.
base::Status LoadStreams(blockfile::BlockFile* file, std::map<uint32_t, StoredStream>* streams,
                         bool* found);

}  // namespace spillway::cold
