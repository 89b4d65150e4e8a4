#include "internal/cold/sqlite_rows.h"

#include "internal/base/allocation.h"

namespace spillway::cold {
namespace {

struct Table {
  sqlite3_vtab base;  // first: SQLite knows the table by it
  RowSource* source;
};

struct Cursor {
  sqlite3_vtab_cursor base;
  uint64_t row;
};

const record::Columns& ColumnsOf(sqlite3_vtab_cursor* cursor) {
  return *reinterpret_cast<Table*>(cursor->pVtab)->source->columns;
}
uint64_t& RowOf(sqlite3_vtab_cursor* cursor) { return reinterpret_cast<Cursor*>(cursor)->row; }

template <class T>
T* AllocateZeroed() {
  void* block = base::Allocate(sizeof(T));
  return block == nullptr ? nullptr : new (block) T();
}

int Connect(sqlite3* db, void* source, int, const char* const*, sqlite3_vtab** out, char**) {
  const int rc = sqlite3_declare_vtab(db, "CREATE TABLE x(time, payload)");
  if (rc != SQLITE_OK) {
    return rc;
  }
  Table* table = AllocateZeroed<Table>();
  if (table == nullptr) {
    return SQLITE_NOMEM;
  }
  table->source = static_cast<RowSource*>(source);
  *out = &table->base;
  return SQLITE_OK;
}

int Disconnect(sqlite3_vtab* table) {
  base::Free(table);
  return SQLITE_OK;
}

int BestIndex(sqlite3_vtab*, sqlite3_index_info* plan) {
  plan->estimatedCost = 1;
  return SQLITE_OK;
}

int Open(sqlite3_vtab*, sqlite3_vtab_cursor** out) {
  Cursor* cursor = AllocateZeroed<Cursor>();
  *out = cursor == nullptr ? nullptr : &cursor->base;
  return cursor == nullptr ? SQLITE_NOMEM : SQLITE_OK;
}

int Close(sqlite3_vtab_cursor* cursor) {
  base::Free(cursor);
  return SQLITE_OK;
}

int Filter(sqlite3_vtab_cursor* cursor, int, const char*, int, sqlite3_value**) {
  RowOf(cursor) = 0;
  return SQLITE_OK;
}

int Next(sqlite3_vtab_cursor* cursor) {
  ++RowOf(cursor);
  return SQLITE_OK;
}

int Eof(sqlite3_vtab_cursor* cursor) { return RowOf(cursor) >= ColumnsOf(cursor).count ? 1 : 0; }

int Column(sqlite3_vtab_cursor* cursor, sqlite3_context* context, int column) {
  const record::Columns& columns = ColumnsOf(cursor);
  const uint64_t row = RowOf(cursor);
  if (column == 0) {
    if (columns.times != nullptr) {
      sqlite3_result_int64(context, columns.times[row]);
    }
    return SQLITE_OK;  // otherwise NULL
  }
  const std::span<const uint8_t> payload = columns.payload(row);
  const void* bytes = payload.empty() ? "" : static_cast<const void*>(payload.data());
  sqlite3_result_blob64(context, bytes, payload.size(), SQLITE_STATIC);
  return SQLITE_OK;
}

int Rowid(sqlite3_vtab_cursor* cursor, sqlite3_int64* rowid) {
  *rowid = static_cast<sqlite3_int64>(ColumnsOf(cursor).first_seq + RowOf(cursor));
  return SQLITE_OK;
}

// Without xCreate the table is there on every connection that has the module, and only there.
const sqlite3_module kModule = {
    .iVersion = 0,
    .xCreate = nullptr,
    .xConnect = Connect,
    .xBestIndex = BestIndex,
    .xDisconnect = Disconnect,
    .xDestroy = nullptr,
    .xOpen = Open,
    .xClose = Close,
    .xFilter = Filter,
    .xNext = Next,
    .xEof = Eof,
    .xColumn = Column,
    .xRowid = Rowid,
    .xUpdate = nullptr,
    .xBegin = nullptr,
    .xSync = nullptr,
    .xCommit = nullptr,
    .xRollback = nullptr,
    .xFindFunction = nullptr,
    .xRename = nullptr,
    .xSavepoint = nullptr,
    .xRelease = nullptr,
    .xRollbackTo = nullptr,
    .xShadowName = nullptr,
};

}  // namespace

base::Status RegisterRowSource(SqliteDb* db, RowSource* source) {
  if (sqlite3_create_module_v2(db->handle(), "spillway_rows", &kModule, source, nullptr) !=
      SQLITE_OK) {
    return db->Error("register rows with");
  }
  return base::Status();
}

}  // namespace spillway::cold
