// The system's SQLite in a few calls that end the process on error.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <string>
#include <vector>

namespace spillway::bench {

struct Pragma {
  std::string name;
  std::string value;
};
using Pragmas = std::vector<Pragma>;

// A prepared statement. Borrows its database.
class SqliteStatement {
 public:
  SqliteStatement() = default;
  ~SqliteStatement() { Finalize(); }
  SqliteStatement(const SqliteStatement&) = delete;
  SqliteStatement& operator=(const SqliteStatement&) = delete;

  void Prepare(sqlite3* db, const char* sql);
  void Finalize();

  void BindInteger(int index, uint64_t value);
  // Borrowed until the next Run or Rewind.
  void BindBlob(int index, const void* bytes, size_t len);

  bool Step();    // true: a row
  void Rewind();  // for the next execution
  void Run();     // Step without a row, and Rewind

  uint64_t Integer(int column) {
    return static_cast<uint64_t>(sqlite3_column_int64(stmt_, column));
  }
  const void* Blob(int column) { return sqlite3_column_blob(stmt_, column); }
  size_t Bytes(int column) { return static_cast<size_t>(sqlite3_column_bytes(stmt_, column)); }

 private:
  void Check(int code) const;

  sqlite3_stmt* stmt_ = nullptr;
};

class SqliteDb {
 public:
  SqliteDb() = default;
  ~SqliteDb() { Close(); }
  SqliteDb(const SqliteDb&) = delete;
  SqliteDb& operator=(const SqliteDb&) = delete;

  void Open(const std::string& path, const Pragmas& pragmas);
  // All statements must be finalized.
  void Close();
  void Exec(const std::string& sql);
  sqlite3* get() const { return db_; }

 private:
  sqlite3* db_ = nullptr;
};

// "name=value, ..." for the report.
std::string Describe(const Pragmas& pragmas);

}  // namespace spillway::bench
