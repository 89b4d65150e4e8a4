// The one connection that writes: a commit's transaction, checkpoints, and the end of a clean
// session.
//
// Knows what it was told, not what streams should be: the tier checks that. Not thread-safe: used
// by whoever has the tier's turn. When a call fails, the transaction is rolled back and nothing
// changed; if even that failed, broken() says so.
#pragma once

#include <memory>
#include <set>
#include <span>
#include <string>

#include "internal/base/status.h"
#include "internal/cold/cold_tier.h"
#include "internal/cold/sqlite_catalog.h"
#include "internal/cold/sqlite_db.h"
#include "internal/cold/sqlite_rows.h"
#include "internal/cold/sqlite_tuning.h"

namespace spillway::cold {

// Records of a stream below `end_seq` to delete: whole runs.
struct Removal {
  uint32_t stream = 0;
  uint64_t end_seq = 0;
  bool more = false;  // beyond end_seq there are others to delete
};

class SqliteWriter {
 public:
  // Opens the database and reads its catalogue, then brings everything that stands in the WAL into
  // the database: what was found there may live in the page cache only, after a sync that failed.
  static base::Result<std::unique_ptr<SqliteWriter>> Open(SqliteVfs* vfs,
                                                          const SqliteTuning& tuning,
                                                          Catalog* catalog);

  // One transaction: new streams, records with their runs, and `touched`, the streams as they are
  // afterwards. With neither it still writes something, so that a sync covers what came before.
  base::Status Commit(const Changes& changes, std::span<const StreamState> touched,
                      Durability durability);

  // What of a stream below begin_seq one call should delete, by the tuning's limits.
  base::Result<Removal> NextRemoval(uint32_t stream, uint64_t stored_begin, uint64_t begin_seq);
  base::Status Remove(const Removal& removal);
  // Gives free pages back to the file's end; *more: there are others.
  base::Status Vacuum(bool* more);

  // Bytes of the WAL that still have to get into the database.
  uint64_t wal_bytes() const;
  // Copies the WAL into the database as far as readers allow. kFull leaves everything as it was.
  base::Status Checkpoint();

  // Marks the store as closed cleanly, empties the WAL and leaves one file, unless another process
  // reads it just now. The readers must be closed.
  base::Status CloseCleanly();

  bool broken() const { return broken_; }
  const StoreRow& store() const { return store_; }

 private:
  explicit SqliteWriter(const SqliteTuning& tuning) : tuning_(tuning) {}

  // BEGIN, body, COMMIT; or ROLLBACK.
  // The first one takes away the mark of a clean close; so does one `with_store_row`.
  enum class StoreRowToo { kNo, kYes };
  template <class Body>
  base::Status Transaction(Durability durability, StoreRowToo store_row_too, Body&& body);
  base::Status EnterWalMode();
  base::Status SetDurability(Durability durability);
  base::Status CreateStream(const StreamState& stream, std::set<std::string>* names);
  base::Status SaveStream(const StreamState& stream, bool is_new);
  base::Status SaveStore(const StoreRow& row);
  base::Status Append(const Piece& piece);
  base::Status AppendRuns(const Piece& piece);

  const SqliteTuning tuning_;
  RowSource rows_;  // before db_: outlives the connection
  std::unique_ptr<SqliteDb> db_;
  std::unique_ptr<RunHasher> hasher_;
  StoreRow store_;               // as it stands in the database
  std::set<std::string> names_;  // taken for views, folded
  Durability durability_ = Durability::kDevice;
  uint64_t page_bytes_ = 0;
  uint64_t wal_frames_ = 0;
  bool broken_ = false;
};

}  // namespace spillway::cold
