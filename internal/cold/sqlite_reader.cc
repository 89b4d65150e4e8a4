#include "internal/cold/sqlite_reader.h"

#include <algorithm>
#include <string>
#include <utility>

namespace spillway::cold {
namespace {

using base::Result;
using base::Status;

// The run that covers ?2, and all behind it. Read together with the rows: the first statement's
// snapshot lasts until both are reset.
constexpr char kRunsFrom[] =
    "SELECT first_seq, count, bytes, checksum FROM spillway_runs WHERE stream = ?1 AND first_seq "
    ">= "
    "(SELECT max(first_seq) FROM spillway_runs WHERE stream = ?1 AND first_seq <= ?2) ORDER BY "
    "first_seq";

constexpr char kNextRun[] =
    "SELECT min(first_seq) FROM spillway_runs WHERE stream = ?1 AND first_seq > ?2";
constexpr char kRunOf[] =
    "SELECT max(first_seq) FROM spillway_runs WHERE stream = ?1 AND first_seq <= ?2";

// Whether it could be looked up; *first_seq stays if there is none.
bool FindRun(SqliteDb* db, const char* sql, uint32_t stream, uint64_t seq, uint64_t* first_seq) {
  Result<Query> run = db->Use(sql);
  if (!run.ok()) {
    return false;
  }
  run.value().Bind(1, stream).Bind(2, static_cast<int64_t>(seq));
  bool row = false;
  if (!run.value().Step(&row).ok()) {
    return false;
  }
  if (row && run.value().Type(0) == SQLITE_INTEGER && run.value().Int(0) >= 0) {
    *first_seq = static_cast<uint64_t>(run.value().Int(0));
  }
  return true;
}

// One pass over runs and rows in step.
class RunDecoder {
 public:
  RunDecoder(const ReadRequest& request, SqliteDb* db, RunHasher* hasher, record::ColumnBuffer* out)
      : request_(request), db_(db), hasher_(hasher), out_(out) {}

  // Stops before the first run that is damaged: then damage() says how. The result is about SQLite.
  Status Decode(uint64_t end_seq) {
    Result<Query> runs = db_->Use(kRunsFrom);
    if (!runs.ok()) {
      return runs.status();
    }
    runs.value().Bind(1, request_.stream).Bind(2, static_cast<int64_t>(request_.seq));
    out_->Reset(request_.seq, request_.has_times);
    next_seq_ = request_.seq;
    bool row = false;
    SPW_RETURN_IF_ERROR(runs.value().Step(&row));
    if (!row || runs.value().Int(0) < 0 ||
        runs.value().Int(0) > static_cast<int64_t>(request_.seq)) {
      return Damage("no run covers it");
    }
    next_seq_ = static_cast<uint64_t>(runs.value().Int(0));
    out_->Reset(next_seq_, request_.has_times);
    Result<Query> rows =
        db_->Use("SELECT seq, time, payload FROM " + RecordsTableName(request_.stream) +
                 " WHERE seq >= ?1 ORDER BY seq");
    if (!rows.ok()) {
      return rows.status();
    }
    rows.value().Bind(1, static_cast<int64_t>(next_seq_));
    while (damage_.ok()) {
      SPW_RETURN_IF_ERROR(DecodeRun(runs.value(), rows.value()));
      const bool enough =
          next_seq_ > request_.seq &&
          (next_seq_ >= end_seq || out_->payload_bytes() >= request_.max_payload_bytes);
      if (!damage_.ok() || enough) {
        break;
      }
      SPW_RETURN_IF_ERROR(runs.value().Step(&row));
      if (!row) {
        return Damage("its run is missing");
      }
    }
    return Status();
  }

  const Status& damage() const { return damage_; }
  bool checksum_error() const { return checksum_error_; }
  // Where the damaged run begins; all before it is good.
  uint64_t next_seq() const { return next_seq_; }

 private:
  Status Damage(const char* what) {
    damage_ =
        base::Corrupt(db_->path() + ": stream " + std::to_string(request_.stream) + ", records [" +
                      std::to_string(next_seq_) + ", " + std::to_string(run_end_) + "): " + what);
    return Status();
  }

  Status DecodeRun(const Query& run, Query& rows) {
    const auto count = static_cast<uint64_t>(run.Int(1));
    const auto bytes = static_cast<uint64_t>(run.Int(2));
    run_end_ = next_seq_ + 1;
    if (run.Int(0) != static_cast<int64_t>(next_seq_) || count < 1 || count > kRunCountMax ||
        (count > 1 && bytes > kRunBytesMax)) {
      return Damage("its run is missing or cannot be");
    }
    run_end_ = next_seq_ + count;
    const uint64_t first = out_->count();
    const uint64_t payload_before = out_->payload_bytes();
    for (uint64_t i = 0; i < count; ++i) {
      bool row = false;
      SPW_RETURN_IF_ERROR(rows.Step(&row));
      if (!row || rows.Int(0) != static_cast<int64_t>(next_seq_ + i)) {
        return Damage("a record is missing");
      }
      const std::span<const uint8_t> payload = rows.Bytes(2);
      const bool typed = rows.Type(2) == SQLITE_BLOB &&
                         rows.Type(1) == (request_.has_times ? SQLITE_INTEGER : SQLITE_NULL);
      if (!typed && sqlite3_errcode(db_->handle()) == SQLITE_NOMEM) {
        return base::NoMemory();
      }
      if (!typed || payload.size() > bytes - (out_->payload_bytes() - payload_before)) {
        return Damage("a record has another type or length than it was written with");
      }
      out_->Append(payload, rows.Int(1));
    }
    const record::Columns all = out_->columns();
    const record::Columns decoded = all.Slice(all.first_seq + first, all.first_seq + first + count);
    if (decoded.payload_bytes() != bytes ||
        static_cast<int64_t>(hasher_->ChecksumOf(request_.stream, decoded)) != run.Int(3)) {
      checksum_error_ = true;
      return Damage("wrong checksum");
    }
    next_seq_ = run_end_;
    return Status();
  }

  const ReadRequest& request_;
  SqliteDb* const db_;
  RunHasher* const hasher_;
  record::ColumnBuffer* const out_;
  uint64_t next_seq_ = 0;
  uint64_t run_end_ = 0;
  bool checksum_error_ = false;
  Status damage_;
};

}  // namespace

// A reader for the length of a read.
class SqliteReaders::Lease {
 public:
  explicit Lease(SqliteReaders* pool) : pool_(pool), reader_(pool->Take()) {}
  ~Lease() { pool_->Give(std::move(reader_)); }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

  Reader* operator->() const { return reader_.get(); }

  // To be called first.
  Status Open() {
    if (reader_ != nullptr) {
      return {};
    }
    Result<std::unique_ptr<SqliteDb>> db = SqliteDb::Open(pool_->vfs_);
    SPW_RETURN_IF_ERROR(db.status());
    SPW_RETURN_IF_ERROR(db.value()->Execute(
        (ConnectionPragmas(pool_->tuning_.reader_cache_kib) + "PRAGMA query_only=ON").c_str()));
    reader_ = std::make_unique<Reader>(pool_->store_id_);
    reader_->db = std::move(db.value());
    return {};
  }

 private:
  SqliteReaders* const pool_;
  std::unique_ptr<Reader> reader_;  // null until it is open
};

SqliteReaders::SqliteReaders(SqliteVfs* vfs, const StoreId& store_id, const SqliteTuning& tuning)
    : vfs_(vfs), store_id_(store_id), tuning_(tuning) {
  base::MutexLock lock(mutex_);
  idle_.reserve(tuning.readers_max);
}

SqliteReaders::~SqliteReaders() = default;

Status SqliteReaders::Read(const ReadRequest& request, record::ColumnBuffer* out,
                           bool* checksum_error) {
  Lease lease(this);
  SPW_RETURN_IF_ERROR(lease.Open());
  RunDecoder decoder(request, lease->db.get(), &lease->hasher, out);
  const Status status = decoder.Decode(request.end_seq);
  *checksum_error = decoder.checksum_error();
  const bool good = status.ok() && decoder.damage().ok();
  if (good) {
    return Status();
  }
  if (decoder.next_seq() > request.seq && decoder.next_seq() < request.end_seq) {
    // What stands before the damage is asked for as well, and is good: read up to there once more.
    RunDecoder again(request, lease->db.get(), &lease->hasher, out);
    const Status retried = again.Decode(decoder.next_seq());
    if (retried.ok() && again.damage().ok()) {
      return Status();
    }
  }
  out->Reset(request.seq, request.has_times);
  return status.ok() ? decoder.damage() : status;
}

uint64_t SqliteReaders::EndOfDamage(uint32_t stream, uint64_t seq, uint64_t end_seq) {
  Lease lease(this);
  if (!lease.Open().ok()) {
    return seq + 1;
  }
  SqliteDb* const db = lease->db.get();
  // All from a record up to the next run is looked for in the same run.
  uint64_t next = end_seq;
  if (FindRun(db, kNextRun, stream, seq, &next)) {
    return std::min(next, end_seq);
  }
  uint64_t good = seq + 1;
  for (uint64_t step = 1; good < end_seq && !FindRun(db, kRunOf, stream, good, &next); step *= 2) {
    seq = good;
    good = std::min(end_seq, good + step);
  }
  while (good - seq > 1) {
    const uint64_t middle = seq + (good - seq) / 2;
    (FindRun(db, kRunOf, stream, middle, &next) ? good : seq) = middle;
  }
  return good;
}

std::unique_ptr<SqliteReaders::Reader> SqliteReaders::Take() {
  base::MutexLock lock(mutex_);
  while (paused_ || taken_ == tuning_.readers_max) {
    changed_.Wait(mutex_);
  }
  ++taken_;
  if (idle_.empty()) {
    return nullptr;
  }
  std::unique_ptr<Reader> reader = std::move(idle_.back());
  idle_.pop_back();
  return reader;
}

void SqliteReaders::Give(std::unique_ptr<Reader> reader) noexcept {
  base::MutexLock lock(mutex_);
  --taken_;
  if (reader != nullptr) {
    idle_.push_back(std::move(reader));  // has room
  }
  changed_.NotifyAll();
}

void SqliteReaders::Pause() {
  base::MutexLock lock(mutex_);
  paused_ = true;
  while (taken_ != 0) {
    changed_.Wait(mutex_);
  }
}

void SqliteReaders::Resume() {
  base::MutexLock lock(mutex_);
  paused_ = false;
  changed_.NotifyAll();
}

}  // namespace spillway::cold
