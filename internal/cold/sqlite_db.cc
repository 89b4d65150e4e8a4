#include "internal/cold/sqlite_db.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "internal/io/posix_file.h"

namespace spillway::cold {
namespace {

using base::Code;
using base::Result;
using base::Status;

// A statement is 2 to 5 KB. Two per stream for 60 streams in turn, and the fixed ones.
constexpr size_t kStatementsMax = 128;
// How long we wait for a tool of another process that writes or recovers. Ours never wait on locks.
constexpr int kBusyMs = 10'000;
// The largest record is 512 MiB; a row adds a few bytes. Longer rows are not ours.
constexpr int kRowBytesMax = (512 << 20) + 64;

// What an error of SQLite means for a store. `seam` is what the io seam said, OK if it said
// nothing.
Code CodeFor(int extended, int os_code, const Status& seam) {
  if (extended == SQLITE_IOERR_NOMEM) {
    return Code::kNoMemory;
  }
  // The shared memory is a file that SQLite grows by itself.
  if ((extended == SQLITE_IOERR_SHMSIZE || extended == SQLITE_IOERR_SHMMAP) &&
      (os_code == ENOSPC || os_code == EDQUOT)) {
    return Code::kFull;
  }
  switch (extended & 0xff) {
    case SQLITE_NOMEM:
      return Code::kNoMemory;
    case SQLITE_FULL:
      return Code::kFull;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_CONSTRAINT:  // a row stands where none should
    case SQLITE_ERROR:       // our texts are fixed: the tables are not as we made them
    case SQLITE_MISMATCH:
    case SQLITE_FORMAT:
      return Code::kCorrupt;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
      return Code::kBusy;
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return Code::kReadOnly;
    case SQLITE_TOOBIG:
      return Code::kTooBig;
    case SQLITE_IOERR:
      return extended == SQLITE_IOERR_CORRUPTFS ? Code::kCorrupt : Code::kIo;
    case SQLITE_CANTOPEN:
      return seam.ok() ? Code::kIo : seam.code();
    default:
      return Code::kInternal;
  }
}

bool ConcernsDisk(int extended) {
  const int primary = extended & 0xff;
  return primary == SQLITE_IOERR || primary == SQLITE_FULL || primary == SQLITE_CANTOPEN;
}

}  // namespace

Query::~Query() {
  if (statement_ != nullptr) {
    sqlite3_reset(statement_);  // repeats the error of the last step, which was told
    sqlite3_clear_bindings(statement_);
    *in_use_ = false;
  }
}

Query& Query::Bind(int index, int64_t value) {
  const int rc = sqlite3_bind_int64(statement_, index, value);
  bind_error_ = bind_error_ == SQLITE_OK ? rc : bind_error_;
  return *this;
}

Query& Query::BindBlob(int index, std::span<const uint8_t> bytes) {
  // A null pointer would bind NULL.
  const void* data = bytes.empty() ? "" : static_cast<const void*>(bytes.data());
  const int rc = sqlite3_bind_blob64(statement_, index, data, bytes.size(), SQLITE_STATIC);
  bind_error_ = bind_error_ == SQLITE_OK ? rc : bind_error_;
  return *this;
}

Query& Query::BindText(int index, std::string_view text) {
  const int rc =
      sqlite3_bind_text64(statement_, index, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8);
  bind_error_ = bind_error_ == SQLITE_OK ? rc : bind_error_;
  return *this;
}

Status Query::Step(bool* row) {
  *row = false;
  const int rc = bind_error_ == SQLITE_OK ? sqlite3_step(statement_) : bind_error_;
  if (rc == SQLITE_ROW) {
    *row = true;
    return Status();
  }
  if (rc == SQLITE_DONE) {
    return Status();
  }
  return db_->Error("run a statement on");
}

Status Query::Run() {
  bool row = false;
  return Step(&row);
}

std::span<const uint8_t> Query::Bytes(int column) const {
  const void* bytes = sqlite3_column_blob(statement_, column);
  const int length = sqlite3_column_bytes(statement_, column);
  return {static_cast<const uint8_t*>(bytes), bytes == nullptr ? 0 : static_cast<size_t>(length)};
}

Result<std::unique_ptr<SqliteDb>> SqliteDb::Open(SqliteVfs* vfs) {
  std::unique_ptr<SqliteDb> db(new SqliteDb(vfs));
  const int rc = sqlite3_open_v2(db->path_.c_str(), &db->handle_,
                                 SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, vfs->name());
  if (db->handle_ == nullptr) {
    return base::NoMemory();
  }
  if (rc != SQLITE_OK) {
    return db->Error("open");
  }
  sqlite3* handle = db->handle_;
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_busy_timeout(handle, kBusyMs);
  sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, kRowBytesMax);
  sqlite3_limit(handle, SQLITE_LIMIT_ATTACHED, 0);
  sqlite3_limit(handle, SQLITE_LIMIT_WORKER_THREADS, 0);
  // Closing the last connection would otherwise checkpoint and remove the WAL, also after a
  // failure.
  sqlite3_db_config(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  // The schema comes from a file that anybody may have written.
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  return db;
}

SqliteDb::~SqliteDb() {
  for (const auto& [sql, cached] : statements_) {
    sqlite3_finalize(cached.statement);
  }
  sqlite3_close(handle_);
}

Status SqliteDb::Execute(const char* sql) {
  if (sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) {
    return Error("run a statement on");
  }
  return Status();
}

Result<int64_t> SqliteDb::QueryInt(const char* sql) {
  Result<Query> query = Use(sql);
  if (!query.ok()) {
    return query.status();
  }
  bool row = false;
  Status status = query.value().Step(&row);
  if (!status.ok()) {
    return status;
  }
  if (!row) {
    return base::Corrupt(path_ + ": no answer to " + sql);
  }
  return query.value().Int(0);
}

Result<Query> SqliteDb::Use(const std::string& sql) {
  auto found = statements_.find(sql);
  if (found == statements_.end()) {
    MakeRoom();
    found = statements_.emplace(sql, Cached{}).first;
  }
  Cached& cached = found->second;
  if (cached.statement == nullptr) {
    const int rc = sqlite3_prepare_v3(handle_, sql.c_str(), static_cast<int>(sql.size()) + 1,
                                      SQLITE_PREPARE_PERSISTENT, &cached.statement, nullptr);
    if (rc != SQLITE_OK) {
      return Error("prepare a statement for");
    }
  }
  cached.used = ++uses_;
  return Query(this, cached.statement, &cached.in_use);
}

void SqliteDb::MakeRoom() {
  if (statements_.size() < kStatementsMax) {
    return;
  }
  auto oldest = statements_.end();
  for (auto it = statements_.begin(); it != statements_.end(); ++it) {
    if (!it->second.in_use &&
        (oldest == statements_.end() || it->second.used < oldest->second.used)) {
      oldest = it;
    }
  }
  if (oldest != statements_.end()) {
    sqlite3_finalize(oldest->second.statement);
    statements_.erase(oldest);
  }
}

Status SqliteDb::Error(const char* what) {
  const int extended = sqlite3_extended_errcode(handle_);
  const int system_code = sqlite3_system_errno(handle_);
  const bool disk = ConcernsDisk(extended);
  const Status seam = vfs_->TakeFailure();
  const int os_code = disk ? (seam.ok() ? system_code : seam.os_code()) : 0;
  const Code code = CodeFor(extended, os_code, seam);
  if (code == Code::kNoMemory) {
    return base::NoMemory();
  }
  std::string text = std::string(what) + " " + path_ + ": " + sqlite3_errmsg(handle_);
  if (disk && !seam.ok() && !seam.message().empty()) {
    text.append(": ").append(seam.message());
  } else if (disk && os_code != 0) {
    text += ": " + io::OsErrorText(os_code);
  }
  return Status::Os(code, os_code, std::move(text)).WithDetail(extended);
}

}  // namespace spillway::cold
