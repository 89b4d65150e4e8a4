// Puts streams and their records into a block file, within a transaction, and into the plan of what
// the file will then have.
#pragma once

#include <span>

#include "internal/base/status.h"
#include "internal/blockfile/block_file.h"
#include "internal/blockfile/transaction.h"
#include "internal/cold/block_tuning.h"
#include "internal/cold/stream_blocks.h"

namespace spillway::cold {

class BlockWriter {
 public:
  BlockWriter(blockfile::BlockFile* file, blockfile::Transaction* txn, const BlockTuning& tuning)
      : file_(file), txn_(txn), tuning_(tuning) {}

  // The block that describes the stream, unless it says so already.
  base::Status PutStream(const StreamState& state, StreamEnd* stream);

  // Records of one stream, without those that are in the file already. own_blocks: in blocks of
  // their own, which can be given up as they are.
  base::Status PutRecords(std::span<const Piece> pieces, bool own_blocks, StreamEnd* stream);

 private:
  // Consecutive records, not yet in the file.
  struct Frame {
    std::vector<record::Columns> columns;
    uint64_t payload_bytes = 0;
  };
  base::Status PutFrame(uint32_t id, const Frame& frame, bool own_block, StreamEnd* stream);
  base::Status PutSmall(std::string_view name, bool grows, const Frame& frame, Bytes tag,
                        std::vector<uint8_t>* bytes);
  base::Status PutLarge(std::string_view name, const Frame& frame, Bytes tag, Bytes head);

  blockfile::BlockFile* const file_;
  blockfile::Transaction* const txn_;
  const BlockTuning& tuning_;
};

}  // namespace spillway::cold
