#include "internal/cold/sqlite_writer.h"

#include <algorithm>
#include <utility>

#include "internal/base/utf8.h"

namespace spillway::cold {
namespace {

using base::Code;
using base::Result;
using base::Status;

constexpr uint64_t kWalFrameHeaderBytes = 24;

// SQLite calls it after a commit with the number of frames in the WAL. To have a hook of our own
// also switches off SQLite's own checkpoints.
int NoteWal(void* frames, sqlite3* /*db*/, const char* /*name*/, int count) {
  *static_cast<uint64_t*>(frames) = static_cast<uint64_t>(count);
  return SQLITE_OK;
}

}  // namespace

Result<std::unique_ptr<SqliteWriter>> SqliteWriter::Open(SqliteVfs* vfs, const SqliteTuning& tuning,
                                                         Catalog* catalog) {
  std::unique_ptr<SqliteWriter> writer(new SqliteWriter(tuning));
  Result<std::unique_ptr<SqliteDb>> db = SqliteDb::Open(vfs);
  if (!db.ok()) {
    return db.status();
  }
  writer->db_ = std::move(db.value());
  SPW_RETURN_IF_ERROR(writer->db_->Execute(ConnectionPragmas(tuning.cache_kib).c_str()));
  SPW_RETURN_IF_ERROR(LoadCatalog(writer->db_.get(), catalog));
  writer->store_ = catalog->store;
  writer->names_ = std::move(catalog->names);
  writer->hasher_ = std::make_unique<RunHasher>(catalog->store.store_id);
  SPW_RETURN_IF_ERROR(RegisterRowSource(writer->db_.get(), &writer->rows_));
  SPW_RETURN_IF_ERROR(writer->EnterWalMode());
  return writer;
}

Status SqliteWriter::EnterWalMode() {
  {
    Result<Query> mode = db_->Use("PRAGMA journal_mode=WAL");
    if (!mode.ok()) {
      return mode.status();
    }
    bool row = false;
    SPW_RETURN_IF_ERROR(mode.value().Step(&row));
    if (!row ||
        sqlite3_stricmp(reinterpret_cast<const char*>(mode.value().Bytes(0).data()), "wal") != 0) {
      return Status(Code::kBusy, db_->path() + ": another program uses it");
    }
    // The answer comes first, and only the end of the statement writes and syncs the change.
    SPW_RETURN_IF_ERROR(mode.value().Step(&row));
  }
  const Result<int64_t> page_bytes = db_->QueryInt("PRAGMA page_size");
  if (!page_bytes.ok()) {
    return page_bytes.status();
  }
  page_bytes_ = static_cast<uint64_t>(page_bytes.value());
  // What is left in the WAL goes into the database now and the WAL starts empty: after a sync that
  // failed, it may stand in the page cache only, and what we commit behind it would be lost with
  // it. A tool of another process that reads just now can prevent it, which is no error.
  const int rc = sqlite3_wal_checkpoint_v2(db_->handle(), "main", SQLITE_CHECKPOINT_TRUNCATE,
                                           nullptr, nullptr);
  if (rc != SQLITE_OK && (rc & 0xff) != SQLITE_BUSY) {
    return db_->Error("checkpoint");
  }
  sqlite3_wal_hook(db_->handle(), NoteWal, &wal_frames_);
  return Status();
}

uint64_t SqliteWriter::wal_bytes() const {
  return wal_frames_ * (page_bytes_ + kWalFrameHeaderBytes);
}

template <class Body>
Status SqliteWriter::Transaction(Durability durability, StoreRowToo store_row_too, Body&& body) {
  StoreRow row = store_;
  const bool save_row = store_.clean || store_row_too == StoreRowToo::kYes;
  if (save_row) {
    row.clean = false;
    ++row.commits;
  }
  const auto run = [&](const char* sql) -> Status {
    Result<Query> query = db_->Use(sql);
    return query.ok() ? query.value().Run() : query.status();
  };
  // Prepared before it is needed, so that rolling back asks for no memory.
  Result<Query> roll_back = db_->Use("ROLLBACK");
  if (!roll_back.ok()) {
    return roll_back.status();
  }
  // An exception out of `body` must find the transaction rolled back, too.
  Status status = base::CatchToStatus([&]() -> Status {
    SPW_RETURN_IF_ERROR(SetDurability(durability));
    SPW_RETURN_IF_ERROR(run("BEGIN IMMEDIATE"));
    SPW_RETURN_IF_ERROR(body());
    if (save_row) {
      SPW_RETURN_IF_ERROR(SaveStore(row));
    }
    return run("COMMIT");
  });
  if (!status.ok()) {
    // Full disks, I/O errors and missing memory often have rolled back already.
    const Status rolled_back = base::CatchToStatus(
        [&] { return db_->InTransaction() ? roll_back.value().Run() : Status(); });
    broken_ = broken_ || !rolled_back.ok() || db_->InTransaction();
    return status;
  }
  store_ = row;
  return Status();
}

// In WAL mode FULL syncs each commit and pads it to the sector; NORMAL syncs only when the WAL
// starts anew and in checkpoints. Never OFF: a WAL that starts anew without a sync may mix with its
// past.
Status SqliteWriter::SetDurability(Durability durability) {
  if (durability == durability_) {
    return Status();
  }
  SPW_RETURN_IF_ERROR(db_->Execute(
      durability == Durability::kDevice ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL"));
  durability_ = durability;
  return Status();
}

Status SqliteWriter::Commit(const Changes& changes, std::span<const StreamState> touched,
                            Durability durability) {
  std::set<std::string> names;  // of new views
  std::set<uint32_t> added;
  for (const StreamState& stream : changes.new_streams) {
    added.insert(stream.id);
  }
  // A transaction that changes no page writes no frame and syncs nothing.
  const StoreRowToo store_row_too = touched.empty() ? StoreRowToo::kYes : StoreRowToo::kNo;
  Status status = Transaction(durability, store_row_too, [&]() -> Status {
    for (const StreamState& stream : changes.new_streams) {
      SPW_RETURN_IF_ERROR(CreateStream(stream, &names));
    }
    for (const Piece& piece : changes.pieces) {
      SPW_RETURN_IF_ERROR(Append(piece));
    }
    for (const StreamState& stream : touched) {
      SPW_RETURN_IF_ERROR(SaveStream(stream, added.contains(stream.id)));
    }
    return Status();
  });
  if (status.ok()) {
    names_.merge(names);
  }
  return status;
}

Status SqliteWriter::CreateStream(const StreamState& stream, std::set<std::string>* names) {
  SPW_RETURN_IF_ERROR(db_->Execute(RecordsTable(stream.id).c_str()));
  std::string name = FoldName(stream.name);
  if (!CanNameView(stream.name) || names_.contains(name) ||
      !names->insert(std::move(name)).second) {
    return Status();  // FORMAT.md "Names": it has a table and no view
  }
  return db_->Execute(StreamView(stream).c_str());
}

Status SqliteWriter::SaveStream(const StreamState& stream, bool is_new) {
  Result<Query> query = db_->Use(
      is_new ? "INSERT INTO spillway_streams(id, begin_seq, end_seq, checksum, name, has_times) "
               "VALUES(?1, ?2, ?3, ?4, ?5, ?6)"
             : "UPDATE spillway_streams SET begin_seq = ?2, end_seq = ?3, checksum = ?4 WHERE id = "
               "?1");
  if (!query.ok()) {
    return query.status();
  }
  Query& save = query.value();
  save.Bind(1, stream.id).Bind(2, static_cast<int64_t>(stream.begin_seq));
  save.Bind(3, static_cast<int64_t>(stream.end_seq));
  save.Bind(4, static_cast<int64_t>(ChecksumOf(store_.store_id, stream)));
  if (is_new) {
    save.Bind(6, stream.has_times ? 1 : 0);
    if (base::IsUtf8(stream.name) && stream.name.find('\0') == std::string::npos) {
      save.BindText(5, stream.name);
    } else {
      save.BindBlob(5, {reinterpret_cast<const uint8_t*>(stream.name.data()), stream.name.size()});
    }
  }
  SPW_RETURN_IF_ERROR(save.Run());
  if (sqlite3_changes(db_->handle()) != 1) {
    return base::Corrupt(db_->path() + ": stream " + std::to_string(stream.id) +
                         " is gone from spillway_streams");
  }
  return Status();
}

Status SqliteWriter::SaveStore(const StoreRow& row) {
  Result<Query> query =
      db_->Use("UPDATE spillway_store SET clean = ?1, commits = ?2, checksum = ?3 WHERE id = 1");
  if (!query.ok()) {
    return query.status();
  }
  query.value().Bind(1, row.clean ? 1 : 0).Bind(2, static_cast<int64_t>(row.commits));
  query.value().Bind(3, static_cast<int64_t>(ChecksumOf(row)));
  return query.value().Run();
}

Status SqliteWriter::Append(const Piece& piece) {
  if (piece.columns.count == 0) {
    return Status();
  }
  // OR FAIL: a statement that may fail half-way needs no journal of its own, as we roll back all.
  Result<Query> insert = db_->Use("INSERT OR FAIL INTO " + RecordsTableName(piece.stream) +
                                  " SELECT rowid, time, payload FROM spillway_rows");
  if (!insert.ok()) {
    return insert.status();
  }
  rows_.columns = &piece.columns;
  SPW_RETURN_IF_ERROR(insert.value().Run());
  return AppendRuns(piece);
}

Status SqliteWriter::AppendRuns(const Piece& piece) {
  Result<Query> query = db_->Use("INSERT OR FAIL INTO spillway_runs VALUES(?1, ?2, ?3, ?4, ?5)");
  if (!query.ok()) {
    return query.status();
  }
  const record::Columns& columns = piece.columns;
  for (uint64_t first = 0; first < columns.count;) {
    const uint64_t count = RunLength(columns, first, tuning_.run_bytes);
    const record::Columns run =
        columns.Slice(columns.first_seq + first, columns.first_seq + first + count);
    query.value().Bind(1, piece.stream).Bind(2, static_cast<int64_t>(run.first_seq));
    query.value().Bind(3, static_cast<int64_t>(run.count));
    query.value().Bind(4, static_cast<int64_t>(run.payload_bytes()));
    query.value().Bind(5, static_cast<int64_t>(hasher_->ChecksumOf(piece.stream, run)));
    SPW_RETURN_IF_ERROR(query.value().Run());
    query.value().Again();
    first += count;
  }
  return Status();
}

Result<Removal> SqliteWriter::NextRemoval(uint32_t stream, uint64_t stored_begin,
                                          uint64_t begin_seq) {
  Removal removal{stream, stored_begin, false};
  Result<Query> query = db_->Use(
      "SELECT first_seq, count, bytes FROM spillway_runs WHERE stream = ?1 AND first_seq >= ?2 "
      "ORDER BY first_seq");
  if (!query.ok()) {
    return query.status();
  }
  query.value().Bind(1, stream).Bind(2, static_cast<int64_t>(stored_begin));
  uint64_t records = 0;
  uint64_t bytes = 0;
  for (bool row = true;;) {
    SPW_RETURN_IF_ERROR(query.value().Step(&row));
    const auto first = row ? static_cast<uint64_t>(query.value().Int(0)) : kSeqMax;
    if (first >= begin_seq) {  // all that is stored below goes
      removal.end_seq = begin_seq;
      return removal;
    }
    const auto count = static_cast<uint64_t>(query.value().Int(1));
    if (count == 0 || count > kSeqMax - first) {
      return base::Corrupt(db_->path() + ": a run that cannot be, at " + std::to_string(first));
    }
    if (first + count > begin_seq) {  // a run stays whole until all of it may go
      removal.end_seq = first;
      return removal;
    }
    if (records >= tuning_.reclaim_records || bytes >= tuning_.reclaim_bytes) {
      removal.more = true;
      return removal;
    }
    removal.end_seq = first + count;
    records += count;
    bytes += static_cast<uint64_t>(std::max<int64_t>(0, query.value().Int(2)));
  }
}

Status SqliteWriter::Remove(const Removal& removal) {
  return Transaction(Durability::kKernel, StoreRowToo::kNo, [&]() -> Status {
    const auto end = static_cast<int64_t>(removal.end_seq);
    Result<Query> rows =
        db_->Use("DELETE FROM " + RecordsTableName(removal.stream) + " WHERE seq < ?1");
    if (!rows.ok()) {
      return rows.status();
    }
    SPW_RETURN_IF_ERROR(rows.value().Bind(1, end).Run());
    Result<Query> runs = db_->Use("DELETE FROM spillway_runs WHERE stream = ?1 AND first_seq < ?2");
    if (!runs.ok()) {
      return runs.status();
    }
    return runs.value().Bind(1, removal.stream).Bind(2, end).Run();
  });
}

Status SqliteWriter::Vacuum(bool* more) {
  *more = false;
  const Result<int64_t> before = db_->QueryInt("PRAGMA freelist_count");
  if (!before.ok() || before.value() == 0) {
    return before.status();
  }
  const std::string sql =
      "PRAGMA incremental_vacuum(" + std::to_string(tuning_.reclaim_pages) + ")";
  SPW_RETURN_IF_ERROR(Transaction(Durability::kKernel, StoreRowToo::kNo,
                                  [&] { return db_->Execute(sql.c_str()); }));
  const Result<int64_t> after = db_->QueryInt("PRAGMA freelist_count");
  *more = after.ok() && after.value() > 0 && after.value() < before.value();
  return after.status();
}

Status SqliteWriter::Checkpoint() {
  int frames = 0;
  int copied = 0;
  const int rc =
      sqlite3_wal_checkpoint_v2(db_->handle(), "main", SQLITE_CHECKPOINT_PASSIVE, &frames, &copied);
  if (rc != SQLITE_OK) {
    return db_->Error("checkpoint");
  }
  if (frames == copied) {
    wal_frames_ = 0;  // the next commit starts the WAL anew
  }
  return Status();
}

Status SqliteWriter::CloseCleanly() {
  if (!store_.clean) {  // else nothing was written since the mark
    StoreRow row = store_;
    row.clean = true;
    ++row.commits;
    SPW_RETURN_IF_ERROR(
        Transaction(Durability::kDevice, StoreRowToo::kNo, [&] { return SaveStore(row); }));
    store_ = row;
  }
  // Checkpoints, syncs, removes the WAL and its shared memory, and makes the file an ordinary one.
  Status status = db_->Execute("PRAGMA journal_mode=DELETE");
  // Somebody else reads: then the WAL stays, and whoever closes last can tidy up.
  return status.code() == Code::kBusy ? Status() : status;
}

}  // namespace spillway::cold
