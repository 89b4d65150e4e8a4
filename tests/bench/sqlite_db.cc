#include "tests/bench/sqlite_db.h"

#include "tests/bench/files.h"

namespace spillway::bench {

void SqliteStatement::Check(int code) const {
  if (code != SQLITE_OK) {
    Die(std::string("sqlite: ") + sqlite3_errmsg(sqlite3_db_handle(stmt_)));
  }
}

void SqliteStatement::Prepare(sqlite3* db, const char* sql) {
  Finalize();
  if (sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt_, nullptr) != SQLITE_OK) {
    Die(std::string("sqlite: ") + sql + ": " + sqlite3_errmsg(db));
  }
}

void SqliteStatement::Finalize() {
  sqlite3_finalize(stmt_);
  stmt_ = nullptr;
}

void SqliteStatement::BindInteger(int index, uint64_t value) {
  Check(sqlite3_bind_int64(stmt_, index, static_cast<sqlite3_int64>(value)));
}

void SqliteStatement::BindBlob(int index, const void* bytes, size_t len) {
  Check(sqlite3_bind_blob64(stmt_, index, bytes, len, SQLITE_STATIC));
}

bool SqliteStatement::Step() {
  const int code = sqlite3_step(stmt_);
  if (code != SQLITE_ROW && code != SQLITE_DONE) {
    Check(code);
  }
  return code == SQLITE_ROW;
}

void SqliteStatement::Rewind() { Check(sqlite3_reset(stmt_)); }

void SqliteStatement::Run() {
  Step();
  Rewind();
}

void SqliteDb::Open(const std::string& path, const Pragmas& pragmas) {
  // NOMUTEX: every contestant is one thread here, which its expert would tell it.
  constexpr int kFlags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  if (sqlite3_open_v2(path.c_str(), &db_, kFlags, nullptr) != SQLITE_OK) {
    Die("sqlite: cannot open " + path);
  }
  for (const Pragma& pragma : pragmas) {
    Exec("PRAGMA " + pragma.name + "=" + pragma.value);
  }
}

void SqliteDb::Close() {
  if (db_ != nullptr && sqlite3_close(db_) != SQLITE_OK) {
    Die(std::string("sqlite: close: ") + sqlite3_errmsg(db_));
  }
  db_ = nullptr;
}

void SqliteDb::Exec(const std::string& sql) {
  char* message = nullptr;
  if (sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, &message) != SQLITE_OK) {
    Die("sqlite: " + sql + ": " + message);
  }
}

std::string Describe(const Pragmas& pragmas) {
  std::string text;
  for (const Pragma& pragma : pragmas) {
    text += (text.empty() ? "" : ", ") + pragma.name + "=" + pragma.value;
  }
  return text;
}

}  // namespace spillway::bench
