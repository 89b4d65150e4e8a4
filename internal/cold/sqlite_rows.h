// Rows for an INSERT, taken straight from columns: a table-valued source on the writer's
// connection. One INSERT ... SELECT over it costs a third less than one bound INSERT per row,
// because the statement keeps its place at the end of the table between rows.
//
// Not thread-safe: as its connection. The columns are borrowed while the statement runs.
#pragma once

#include "internal/base/status.h"
#include "internal/cold/sqlite_db.h"
#include "internal/record/columns.h"

namespace spillway::cold {

// What SELECT rowid, time, payload FROM spillway_rows returns. Outlives the connection.
struct RowSource {
  const record::Columns* columns = nullptr;
};

base::Status RegisterRowSource(SqliteDb* db, RowSource* source);

}  // namespace spillway::cold
