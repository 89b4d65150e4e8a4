// One connection to SQLite, its cached statements, and its errors as Status.
//
// Used by one thread at a time. Statements are compiled once per text and kept (the least recently
// used make room), so a call site asks for its text each time. Closing writes nothing: no
// checkpoint, and an open transaction is as if it had never been. A failed step may have ended the
// transaction; RollBack() tidies up either way.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>

#include "internal/base/status.h"
#include "internal/cold/sqlite_vfs.h"

namespace spillway::cold {

class SqliteDb;

// One use of a cached statement; resets it at the end. Its SqliteDb must outlive it, and there is
// one use of the same text at a time. Columns are valid until the next Step.
class Query {
 public:
  Query(Query&& other) noexcept
      : db_(other.db_),
        statement_(std::exchange(other.statement_, nullptr)),
        in_use_(other.in_use_) {}
  ~Query();
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  // Parameters count from 1. Bytes and text are borrowed until the end of the use.
  Query& Bind(int index, int64_t value);
  Query& BindBlob(int index, std::span<const uint8_t> bytes);
  Query& BindText(int index, std::string_view text);

  // *row: there is one. After false or an error the use is over.
  base::Status Step(bool* row);
  // For statements that return nothing.
  base::Status Run();
  // Before a further Step of the same statement with other values. Bindings stay.
  void Again() { sqlite3_reset(statement_); }

  int Type(int column) const { return sqlite3_column_type(statement_, column); }
  int64_t Int(int column) const { return sqlite3_column_int64(statement_, column); }
  // A blob, or text as it is.
  std::span<const uint8_t> Bytes(int column) const;

 private:
  friend class SqliteDb;
  Query(SqliteDb* db, sqlite3_stmt* statement, bool* in_use)
      : db_(db), statement_(statement), in_use_(in_use) {
    *in_use_ = true;
  }

  SqliteDb* db_;
  sqlite3_stmt* statement_;
  bool* in_use_;                // keeps the cache from making room of it
  int bind_error_ = SQLITE_OK;  // told by the next Step
};

class SqliteDb {
 public:
  // Opens the VFS's database, which must exist. `vfs` outlives the connection.
  static base::Result<std::unique_ptr<SqliteDb>> Open(SqliteVfs* vfs);
  ~SqliteDb();
  SqliteDb(const SqliteDb&) = delete;
  SqliteDb& operator=(const SqliteDb&) = delete;

  // Runs one or several statements, for those that are seldom needed; rows are ignored.
  base::Status Execute(const char* sql);
  // The first column of the first row; an error if there is no row.
  base::Result<int64_t> QueryInt(const char* sql);
  base::Result<Query> Use(const std::string& sql);

  bool InTransaction() const { return sqlite3_get_autocommit(handle_) == 0; }

  // What the last call on this connection failed with; `what` says what we wanted.
  base::Status Error(const char* what);

  sqlite3* handle() { return handle_; }
  const std::string& path() const { return path_; }

 private:
  struct Cached {
    sqlite3_stmt* statement = nullptr;
    uint64_t used = 0;
    bool in_use = false;
  };

  explicit SqliteDb(SqliteVfs* vfs) : vfs_(vfs), path_(vfs->database()->path()) {}
  void MakeRoom();

  SqliteVfs* const vfs_;
  const std::string path_;
  sqlite3* handle_ = nullptr;
  std::unordered_map<std::string, Cached> statements_;
  uint64_t uses_ = 0;
};

}  // namespace spillway::cold
