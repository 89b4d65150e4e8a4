// Reads records out of the blocks of a stream.
//
// Thread-safe. What is remembered of a block is only where its frames stand.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "internal/base/mutex.h"
#include "internal/base/status.h"
#include "internal/blockfile/block_file.h"
#include "internal/blockfile/stream_reader.h"
#include "internal/cold/block_format.h"
#include "internal/record/column_buffer.h"

namespace spillway::cold {

class BlockRecords {
 public:
  explicit BlockRecords(blockfile::BlockFile* file) : file_(file) {}

  // Adds records of a block to *out, in order from `seq` on, which it holds, until end_seq or its
  // end is reached or *out has max_payload_bytes; at least one. kNotFound: the block has gone.
  base::Status Read(uint32_t stream, const RecordsBlock& block, bool has_times, uint64_t seq,
                    uint64_t end_seq, uint64_t max_payload_bytes, record::ColumnBuffer* out)
      SPW_EXCLUDES(mu_);

  // Whether its frames can be found, without which none of its records can be read.
  base::Status Check(uint32_t stream, const RecordsBlock& block, bool has_times) SPW_EXCLUDES(mu_);

 private:
  struct Frame {
    uint64_t offset;
    FrameShape shape;
  };
  using Frames = std::vector<Frame>;
  struct Found {
    uint64_t bytes = 0;  // of the block, when it was walked
    std::shared_ptr<const Frames> frames;
  };
  struct Wanted {
    uint64_t seq;
    uint64_t end_seq;
    uint64_t max_payload_bytes;
  };

  base::Status FramesOf(uint32_t stream, const RecordsBlock& block, bool has_times,
                        const blockfile::StreamReader& reader,
                        std::shared_ptr<const Frames>* frames) SPW_EXCLUDES(mu_);
  static base::Status Walk(const RecordsBlock& block, bool has_times,
                           const blockfile::StreamReader& reader, Frames* frames);
  static base::Status ReadFrame(const Frame& frame, const blockfile::StreamReader& reader,
                                const Wanted& wanted, record::ColumnBuffer* out);
  static base::Status ReadSome(const Frame& frame, const blockfile::StreamReader& reader,
                               uint64_t from, uint64_t to, uint64_t max_payload_bytes,
                               record::ColumnBuffer* out);

  static constexpr size_t kRemembered = 64;
  blockfile::BlockFile* const file_;
  base::Mutex mu_;
  std::map<std::pair<uint32_t, uint64_t>, Found> found_ SPW_GUARDED_BY(mu_);
};

}  // namespace spillway::cold
