// A store of many small blocks: how long it takes to open, what memory that needs, and how fast the
// names with a prefix come.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "tests/bench/blocks/block_store.h"
#include "tests/bench/files.h"

namespace spillway::bench {

constexpr size_t kListedBytes = 32;  // of a block

// Measured in a process of its own, in which nothing was opened before.
struct Listing {
  double open_seconds = 0;
  uint64_t open_resident_bytes = 0;   // what the process grew by; pages of files count
  uint64_t open_anonymous_bytes = 0;  // of them, those that are no pages of files
  double names_per_second = 0;
  uint64_t names = 0;
  bool in_order = false;
};

// Fills a store once; each run opens it.
class ListingBench {
 public:
  ListingBench(const BlockContestant& contestant, size_t blocks);

  Listing Run() const;
  // How many names it has to find.
  uint64_t names() const { return (blocks_ + 99) / 100 * 10; }

 private:
  const BlockContestant& contestant_;
  const size_t blocks_;
  const TempFolder folder_;
};

// If this process was started by a ListingBench, does what it wants, prints it and ends.
void ListIfAsked(int argc, char** argv);

}  // namespace spillway::bench
