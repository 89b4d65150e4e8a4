#include "internal/cold/sqlite_catalog.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

namespace spillway::cold {
namespace {

using base::Result;
using base::Status;

std::string_view Text(const Query& query, int column) {
  const std::span<const uint8_t> bytes = query.Bytes(column);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Runs `sql` and gives each row to `body`, which returns a Status.
template <class Body>
Status ForEachRow(SqliteDb* db, const std::string& sql, Body&& body) {
  Result<Query> query = db->Use(sql);
  if (!query.ok()) {
    return query.status();
  }
  for (bool row = true;;) {
    SPW_RETURN_IF_ERROR(query.value().Step(&row));
    if (!row) {
      return Status();
    }
    SPW_RETURN_IF_ERROR(body(query.value()));
  }
}

// Two integers of the first row.
struct Pair {
  int64_t first = 0;
  int64_t second = 0;
};

Result<std::optional<Pair>> FirstRow(SqliteDb* db, const std::string& sql, int64_t a, int64_t b) {
  Result<Query> query = db->Use(sql);
  if (!query.ok()) {
    return query.status();
  }
  query.value().Bind(1, a);
  if (sql.find("?2") != std::string::npos) {
    query.value().Bind(2, b);
  }
  bool row = false;
  Status status = query.value().Step(&row);
  if (!status.ok()) {
    return status;
  }
  return row ? std::optional(Pair{query.value().Int(0), query.value().Int(1)}) : std::nullopt;
}

class Loader {
 public:
  Loader(SqliteDb* db, Catalog* out) : db_(db), out_(out) {}

  Status Load() {
    SPW_RETURN_IF_ERROR(LoadStore());
    SPW_RETURN_IF_ERROR(LoadStreams());
    SPW_RETURN_IF_ERROR(CheckSchema());
    for (CatalogStream& stream : out_->streams) {
      SPW_RETURN_IF_ERROR(CheckStream(&stream));
    }
    return Status();
  }

 private:
  Status Damaged(const std::string& what) { return base::Corrupt(db_->path() + ": " + what); }

  Status Damaged(const StreamState& stream, const std::string& what) {
    return Damaged("stream " + std::to_string(stream.id) + " [" + std::to_string(stream.begin_seq) +
                   ", " + std::to_string(stream.end_seq) + "): " + what);
  }

  Status LoadStore() {
    bool found = false;
    const char* sql =
        "SELECT format, store_id, clean, commits, checksum FROM spillway_store WHERE id = 1";
    SPW_RETURN_IF_ERROR(ForEachRow(db_, sql, [&](const Query& row) {
      found = true;
      StoreRow& store = out_->store;
      const std::span<const uint8_t> id = row.Bytes(1);
      if (row.Int(0) != kFormatVersion || id.size() != store.store_id.size()) {
        return Damaged("spillway_store: a format or store id that cannot be");
      }
      std::copy(id.begin(), id.end(), store.store_id.begin());
      store.clean = row.Int(2) != 0;
      store.commits = static_cast<uint64_t>(row.Int(3));
      if (static_cast<uint64_t>(row.Int(4)) != ChecksumOf(store)) {
        return Damaged("spillway_store: wrong checksum");
      }
      return Status();
    }));
    return found ? Status() : Damaged("spillway_store has no row");
  }

  Status LoadStreams() {
    const char* sql =
        "SELECT id, name, has_times, begin_seq, end_seq, checksum FROM spillway_streams ORDER BY "
        "id";
    return ForEachRow(db_, sql, [&](const Query& row) {
      const int64_t id = row.Int(0);
      const std::string_view name = Text(row, 1);
      if (id < 0 || id > kStreamIdMax || name.size() > kStreamNameMax) {
        return Damaged("spillway_streams: an id or name that cannot be: " + std::to_string(id));
      }
      CatalogStream stream;
      stream.state.id = static_cast<uint32_t>(id);
      stream.state.name = name;
      stream.state.has_times = row.Int(2) != 0;
      stream.state.begin_seq = static_cast<uint64_t>(row.Int(3));
      stream.state.end_seq = static_cast<uint64_t>(row.Int(4));
      if (static_cast<uint64_t>(row.Int(5)) != ChecksumOf(out_->store.store_id, stream.state)) {
        return Damaged("spillway_streams: wrong checksum of stream " + std::to_string(id));
      }
      if (stream.state.begin_seq > stream.state.end_seq || stream.state.end_seq > kSeqMax) {
        return Damaged(stream.state, "a range that cannot be");
      }
      out_->streams.push_back(std::move(stream));
      return Status();
    });
  }

  // The text a table of the format must have; nullopt for a name that is not the format's.
  std::optional<std::string> ExpectedTable(const std::string& folded) {
    if (folded == "spillway_store") {
      return kStoreTable;
    }
    if (folded == "spillway_streams") {
      return kStreamsTable;
    }
    if (folded == "spillway_runs") {
      return kRunsTable;
    }
    if (!IsReservedName(folded) || folded.starts_with("sqlite_")) {
      return std::nullopt;
    }
    uint32_t id = 0;  // s<digits> by IsReservedName
    const char* end = folded.data() + folded.size();
    const bool fits = std::from_chars(folded.data() + 1, end, id).ec == std::errc();
    const auto found = std::lower_bound(
        out_->streams.begin(), out_->streams.end(), id,
        [](const CatalogStream& stream, uint32_t wanted) { return stream.state.id < wanted; });
    const bool known =
        fits && found != out_->streams.end() && RecordsTableName(found->state.id) == folded;
    return known ? RecordsTable(id) : std::string();
  }

  // Tables and views of others are none of our business. What hangs on one of our tables is: it
  // would run whenever we write.
  Status CheckSchema() {
    uint64_t tables = 0;
    const char* sql = "SELECT type, name, tbl_name, sql FROM sqlite_schema";
    SPW_RETURN_IF_ERROR(ForEachRow(db_, sql, [&](const Query& row) {
      const std::string_view type = Text(row, 0);
      const std::string name = FoldName(Text(row, 1));
      if (type != "table" && type != "view") {
        const bool ours = ExpectedTable(FoldName(Text(row, 2))).has_value();
        return ours ? Damaged("an index or trigger on a table of the store: " + name) : Status();
      }
      const std::optional<std::string> expected = ExpectedTable(name);
      if (!expected.has_value()) {
        out_->names.insert(name);
        return Status();
      }
      if (type != "table" || Text(row, 3) != *expected) {
        return Damaged("table " + name + " is not as the format has it");
      }
      ++tables;
      return Status();
    }));
    return tables == out_->streams.size() + 3 ? Status()
                                              : Damaged("a table of a stream is missing");
  }

  Status CheckStream(CatalogStream* stream) {
    const StreamState& state = stream->state;
    const std::string table = RecordsTableName(state.id);
    const Result<std::optional<Pair>> last_run =
        FirstRow(db_,
                 "SELECT first_seq, count FROM spillway_runs WHERE stream = ?1 "
                 "ORDER BY first_seq DESC LIMIT 1",
                 state.id, 0);
    const Result<std::optional<Pair>> first_run =
        FirstRow(db_,
                 "SELECT first_seq, count FROM spillway_runs WHERE stream = ?1 "
                 "ORDER BY first_seq LIMIT 1",
                 state.id, 0);
    const auto at_most = static_cast<int64_t>(state.begin_seq);
    const Result<std::optional<Pair>> begin_run =
        FirstRow(db_,
                 "SELECT first_seq, count FROM spillway_runs WHERE stream = ?1 "
                 "AND first_seq <= ?2 ORDER BY first_seq DESC LIMIT 1",
                 state.id, at_most);
    const Result<std::optional<Pair>> last_row =
        FirstRow(db_, "SELECT seq, 0 FROM " + table + " WHERE seq >= ?1 ORDER BY seq DESC LIMIT 1",
                 INT64_MIN, 0);
    const Result<std::optional<Pair>> first_row = FirstRow(
        db_, "SELECT seq, 0 FROM " + table + " WHERE seq >= ?1 ORDER BY seq LIMIT 1", INT64_MIN, 0);
    for (const auto* result : {&last_run, &first_run, &begin_run, &last_row, &first_row}) {
      if (!result->ok()) {
        return result->status();
      }
    }
    return CheckEnds(stream, first_run.value(), begin_run.value(), last_run.value(),
                     first_row.value(), last_row.value());
  }

  Status CheckEnds(CatalogStream* stream, const std::optional<Pair>& first_run,
                   const std::optional<Pair>& begin_run, const std::optional<Pair>& last_run,
                   const std::optional<Pair>& first_row, const std::optional<Pair>& last_row) {
    const StreamState& state = stream->state;
    const auto begin = static_cast<int64_t>(state.begin_seq);
    const auto end = static_cast<int64_t>(state.end_seq);
    for (const auto* run : {&first_run, &begin_run, &last_run}) {
      if (run->has_value() &&
          ((*run)->first < 0 || (*run)->second < 1 || (*run)->first > end - (*run)->second)) {
        return Damaged(state, "a run that cannot be, at " + std::to_string((*run)->first));
      }
    }
    if (last_row.has_value() && (last_row->first >= end || first_row->first < 0)) {
      return Damaged(state, "a record beyond its ends");
    }
    if (begin < end) {
      if (!last_run.has_value() || last_run->first + last_run->second != end ||
          !last_row.has_value() || last_row->first != end - 1) {
        return Damaged(state, "its last records are missing");
      }
      if (!begin_run.has_value() || begin_run->first + begin_run->second <= begin) {
        return Damaged(state, "its first records are missing");
      }
    }
    int64_t stored = begin;
    stored = first_run.has_value() ? std::min(stored, first_run->first) : stored;
    stored = first_row.has_value() ? std::min(stored, first_row->first) : stored;
    stream->stored_begin = static_cast<uint64_t>(stored);
    return Status();
  }

  SqliteDb* const db_;
  Catalog* const out_;
};

}  // namespace

Status LoadCatalog(SqliteDb* db, Catalog* out) { return Loader(db, out).Load(); }

}  // namespace spillway::cold
