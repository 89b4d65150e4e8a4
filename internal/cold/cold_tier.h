// Where spilled records live: a durable, contiguous range [begin_seq, end_seq) of every stream.
//
// Knows nothing of memory, limits or policy. Commit is all or nothing, also after a power cut, and
// commits become durable in their order. Reads go on while a commit runs. Thread-safe; of a stream
// one commit runs at a time. Error codes: kFull, kNoMemory, kBusy from Commit or Reclaim:
// nothing changed, try again. Anything else poisons the tier for writing: every later Commit
// returns the same status, and reads go on where the disk allows. kCorrupt and kIo from Read
// concern the records asked for.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "internal/base/status.h"
#include "internal/record/column_buffer.h"
#include "internal/record/columns.h"

namespace spillway::blockfile {
class BlockFile;
}

namespace spillway::cold {

// kNameless: a new one without a name in the folder that the path says, gone when it is closed.
enum class OpenMode { kCreate, kExisting, kNew, kNameless };

// What a tier can take.
inline constexpr uint32_t kStreamIdMax = 65535;
inline constexpr uint64_t kStreamNameMax = 1024;
inline constexpr uint64_t kSeqMax = uint64_t{1} << 62;  // SQLite's integers have a sign

// What the tier has of a stream. Ids are given by the store: small, in order of creation.
struct StreamState {
  uint32_t id = 0;
  std::string name;
  bool has_times = false;
  uint64_t begin_seq = 0;  // everything below is dropped, though its space may not be back yet
  uint64_t end_seq = 0;
};

// Records to append to a stream, starting at its end_seq.
struct Piece {
  uint32_t stream = 0;
  record::Columns columns;
};

// Drops everything of a stream below begin_seq. If that is above its end_seq, the stream goes on
// from there, empty.
struct Trim {
  uint32_t stream = 0;
  uint64_t begin_seq = 0;
};

// One transaction. Streams are created first, then trimmed, then appended to. All borrowed for the
// call.
struct Changes {
  std::span<const StreamState> new_streams;  // begin_seq == end_seq
  std::span<const Trim> trims;
  std::span<const Piece> pieces;
  // If it fails, others may come in place of these records; else they come again as they are.
  bool once = false;
};

enum class Durability {
  kKernel,  // handed to the operating system
  kDevice,  // on the device, together with every commit that returned before this one began
};

enum class CloseMode {
  kClean,    // leave a mark that everything is there, and the fewest files
  kAbandon,  // as if the process had ended; writes nothing
};

struct TierStats {
  uint64_t file_bytes = 0;
  uint64_t checksum_errors = 0;
};

// What a tier counts, to be read at any time.
struct TierCounters {
  std::atomic<uint64_t> file_bytes{0};
  std::atomic<uint64_t> checksum_errors{0};

  TierStats Read() const {
    return {file_bytes.load(std::memory_order_relaxed),
            checksum_errors.load(std::memory_order_relaxed)};
  }
};

// Whether a failed Commit, Reclaim or Close left everything as it was, so that the same call can be
// made again. Busy: a tool of another process writes, which it should not, but waiting loses
// nothing.
inline bool MayRetry(const base::Status& status) {
  return status.code() == base::Code::kFull || status.code() == base::Code::kNoMemory ||
         status.code() == base::Code::kBusy;
}

class ColdTier {
 public:
  virtual ~ColdTier() = default;  // abandons what is not closed

  // The streams as they were found at open. Call it before the first Commit.
  virtual std::vector<StreamState> Streams() const = 0;

  // Changes may be empty: with kDevice it then makes earlier kernel commits durable.
  virtual base::Status Commit(const Changes& changes, Durability durability) = 0;

  // Decodes records of a stream in order into *out, beginning at or somewhat before `seq` (whole
  // checksummed runs), until `end_seq` is reached or max_payload_bytes are decoded; at least the
  // record `seq`. seq < end_seq must lie within the stream. kTrimmed: it has been dropped.
  virtual base::Status Read(uint32_t stream, uint64_t seq, uint64_t end_seq,
                            uint64_t max_payload_bytes, record::ColumnBuffer* out) = 0;

  // For a record below end_seq that Read cannot give: where to go on, at most end_seq. Nothing from
  // seq to there can be read.
  virtual uint64_t EndOfDamage(uint32_t stream, uint64_t seq, uint64_t end_seq) = 0;

  // Gives back some of the space of dropped records, a bounded amount of work. *more: there is more
  // to do.
  virtual base::Status Reclaim(bool* more) = 0;

  // Lock-free.
  virtual TierStats stats() const = 0;

  // The block file that the records are in, for blocks of the application's own; null if they are
  // elsewhere. Its owner closes it by Close.
  virtual blockfile::BlockFile* file() { return nullptr; }

  // Ends it. With kClean on a poisoned tier: returns what poisoned it, and abandons. No other call
  // may run or follow.
  virtual base::Status Close(CloseMode mode) = 0;
};

}  // namespace spillway::cold
