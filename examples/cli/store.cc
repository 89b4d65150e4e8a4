#include "store.h"

#include <string_view>

#include "text.h"

namespace spillway::cli {
namespace {

// The block that each block file with a store has.
bool HasStore(spw_file* file) {
  constexpr std::string_view kStoreBlock = ".spillway/store";
  spw_block_info info{};
  info.struct_size = sizeof info;
  spw_error* error = nullptr;
  const spw_status status =
      spw_block_stat(file, nullptr, kStoreBlock.data(), kStoreBlock.size(), &info, &error);
  if (status == SPW_OK) {
    return true;
  }
  Failure failure(status, error);
  if (status != SPW_NOT_FOUND) {
    throw failure;
  }
  return false;
}

std::string Right(const std::string& text, size_t width) {
  return std::string(text.size() < width ? width - text.size() : 0, ' ') + text;
}

}  // namespace

Holds WhatIsIn(Session& session) {
  if (IsSqlite(session.path())) {
    return Holds::kRecordsInSqlite;
  }
  return HasStore(session.Open()) ? Holds::kRecordsInBlockFile : Holds::kBlocks;
}

const char* TierName(Holds holds) {
  return holds == Holds::kRecordsInSqlite ? "sqlite" : "block_file";
}

spw_store* OpenRecords(Session& session) {
  if (WhatIsIn(session) == Holds::kBlocks) {
    Failure failure(SPW_NOT_FOUND,
                    Printable(session.path()) + ": a block file without a record store in it");
    const std::string hint = "spillway ls shows its blocks";
    failure.Add("hint", hint + ".", hint);
    throw failure;
  }
  return session.OpenStore();
}

StreamSeen SeeStream(spw_store* store, uint32_t id) {
  StreamSeen seen;
  seen.id = id;
  seen.name.resize(SPW_STREAM_NAME_MAX);
  size_t len = 0;
  Call(spw_store_stream_name, store, id, seen.name.data(), seen.name.size(), &len);
  seen.name.resize(len);
  seen.stats.struct_size = sizeof seen.stats;
  Call(spw_store_stream_stats, store, id, &seen.stats);
  return seen;
}

std::vector<StreamSeen> StreamsOf(spw_store* store) {
  size_t count = 0;
  Call(spw_store_streams, store, nullptr, size_t{0}, &count);
  std::vector<uint32_t> ids(count);
  if (count > 0) {
    Call(spw_store_streams, store, ids.data(), ids.size(), &count);
  }
  std::vector<StreamSeen> streams;
  streams.reserve(ids.size());
  for (const uint32_t id : ids) {
    streams.push_back(SeeStream(store, id));
  }
  return streams;
}

Json AsJson(const StreamSeen& stream) {
  Json json = {{"id", stream.id}};
  json.update(NameAsJson(stream.name));
  json.update({{"records", stream.records()},
               {"begin_seq", stream.stats.begin_seq},
               {"tail_seq", stream.stats.tail_seq},
               {"times", stream.has_times()}});
  return json;
}

Json AsJson(const std::vector<StreamSeen>& streams) {
  Json json = Json::array();
  for (const StreamSeen& stream : streams) {
    json.push_back(AsJson(stream));
  }
  return json;
}

std::string AsTable(const std::vector<StreamSeen>& streams) {
  if (streams.empty()) {
    return {};
  }
  constexpr size_t kWidth = 16;
  std::string table = Right("records", kWidth) + Right("begin", kWidth) + Right("end", kWidth) +
                      "  times  stream\n";
  for (const StreamSeen& stream : streams) {
    table += Right(Grouped(stream.records()), kWidth) +
             Right(Grouped(stream.stats.begin_seq), kWidth) +
             Right(Grouped(stream.stats.tail_seq), kWidth) +
             (stream.has_times() ? "  yes    " : "  no     ") + Shown(stream.name) + "\n";
  }
  return table;
}

uint64_t RecordsIn(const std::vector<StreamSeen>& streams) {
  uint64_t records = 0;
  for (const StreamSeen& stream : streams) {
    records += stream.records();
  }
  return records;
}

}  // namespace spillway::cli
