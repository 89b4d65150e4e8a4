// Reading records of a stream, run by run, each verified: a few connections that readers take in
// turns.
//
// Thread-safe. A connection is opened when all others are busy, up to a limit; then readers wait.
// Reads hold no mutex, see one committed state each, and go on while the writer commits.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "internal/base/mutex.h"
#include "internal/base/status.h"
#include "internal/cold/sqlite_db.h"
#include "internal/cold/sqlite_format.h"
#include "internal/cold/sqlite_tuning.h"
#include "internal/record/column_buffer.h"

namespace spillway::cold {

struct ReadRequest {
  uint32_t stream = 0;
  bool has_times = false;
  uint64_t seq = 0;
  uint64_t end_seq = 0;
  uint64_t max_payload_bytes = 0;
};

class SqliteReaders {
 public:
  // `vfs` outlives it.
  SqliteReaders(SqliteVfs* vfs, const StoreId& store_id, const SqliteTuning& tuning);
  ~SqliteReaders();  // no read may run
  SqliteReaders(const SqliteReaders&) = delete;
  SqliteReaders& operator=(const SqliteReaders&) = delete;

  // As ColdTier::Read, for a range that the caller knows to be there. When a run is damaged, what
  // stands before it is returned; if it is the first one, kCorrupt and *out is empty.
  // *checksum_error: a run did not match its checksum.
  base::Status Read(const ReadRequest& request, record::ColumnBuffer* out, bool* checksum_error);

  // As ColdTier::EndOfDamage. If the runs themselves cannot be looked up: where they can be again,
  // found in steps that double, so what is good between two damaged pages may be passed over.
  uint64_t EndOfDamage(uint32_t stream, uint64_t seq, uint64_t end_seq);

  // Waits until no read runs and makes later ones wait until Resume.
  void Pause();
  void Resume();

 private:
  struct Reader {
    explicit Reader(const StoreId& store_id) : hasher(store_id) {}
    std::unique_ptr<SqliteDb> db;
    RunHasher hasher;
  };
  class Lease;

  // Null if the taker has to open one.
  std::unique_ptr<Reader> Take();
  void Give(std::unique_ptr<Reader> reader) noexcept;

  SqliteVfs* const vfs_;
  const StoreId store_id_;
  const SqliteTuning tuning_;
  base::Mutex mutex_;
  base::CondVar changed_;
  std::vector<std::unique_ptr<Reader>> idle_ SPW_GUARDED_BY(mutex_);  // room for all reserved
  uint32_t taken_ SPW_GUARDED_BY(mutex_) = 0;
  bool paused_ SPW_GUARDED_BY(mutex_) = false;
};

}  // namespace spillway::cold
