// Record stores: what a file holds, and the store in it.
#ifndef SPILLWAY_CLI_STORE_H
#define SPILLWAY_CLI_STORE_H

#include <spillway.h>

#include <cstdint>
#include <string>
#include <vector>

#include "session.h"

namespace spillway::cli {

enum class Holds { kBlocks, kRecordsInBlockFile, kRecordsInSqlite };

// Looks without changing anything. A block file is open read-only afterwards; a SQLite database is
// not, nor is anything made beside it.
Holds WhatIsIn(Session& session);
const char* TierName(Holds holds);  // as in JSON

// Opens the store that is in the file, and makes none. Throws Failure if there is no store.
spw_store* OpenRecords(Session& session);

struct StreamSeen {
  uint32_t id = 0;
  std::string name;
  spw_stream_stats stats{};

  uint64_t records() const { return stats.tail_seq - stats.begin_seq; }
  bool has_times() const { return (stats.flags & SPW_STREAM_HAS_TIMES) != 0; }
};
// In the order of their creation.
std::vector<StreamSeen> StreamsOf(spw_store* store);
StreamSeen SeeStream(spw_store* store, uint32_t id);

Json AsJson(const StreamSeen& stream);
Json AsJson(const std::vector<StreamSeen>& streams);
// A line for each, with a heading; empty if there are none.
std::string AsTable(const std::vector<StreamSeen>& streams);
uint64_t RecordsIn(const std::vector<StreamSeen>& streams);

}  // namespace spillway::cli

#endif  // SPILLWAY_CLI_STORE_H
