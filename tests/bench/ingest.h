// One timed ingest of the whole corpus into a contestant, read back and compared afterwards.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "tests/bench/measure.h"
#include "tests/bench/store.h"

namespace spillway::bench {

struct IngestPlan {
  Budget budget;
  size_t batch = Corpus::kBatch;
  size_t writers = 1;
  // Whether BackMemory runs before. It matters most to what fills fresh memory: a result that was
  // made with it has to say so.
  bool back_memory = true;
  // As on a file system that refuses O_DIRECT.
  bool refuse_direct = false;
};

struct IngestResult {
  // From the first Add to the end of Close; in memory, to the end of the last Add.
  Usage usage;
  double add_seconds = 0;   // the part before Close
  double read_seconds = 0;  // not in `usage`: all records once, in order, with open
  Latencies latencies;      // of each Add
  uint64_t disk_bytes = 0;
  uint64_t huge_page_bytes = 0;  // of the process, gained by the run
  std::optional<Account> account;
  bool faithful = false;  // everything was there, in order (with one writer), with equal hash
};

IngestResult Ingest(const Contestant& contestant, const IngestPlan& plan);

}  // namespace spillway::bench
