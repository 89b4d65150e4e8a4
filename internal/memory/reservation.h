// The right to bytes and records that an adder holds between admission and append: what it does not
// use goes back when it ends.
//
// Not thread-safe. Holds charged arenas, mapped and ready, so that an append under a lock maps
// nothing.
#pragma once

#include <vector>

#include "internal/memory/budget.h"

namespace spillway::memory {

class Reservation {
 public:
  explicit Reservation(MemoryBudget* budget) : budget_(budget) {}
  ~Reservation() { GiveBack(); }
  Reservation(const Reservation&) = delete;
  Reservation& operator=(const Reservation&) = delete;

  // Takes over what the budget granted and maps what was not recycled. own_arenas: the sizes behind
  // request.extra_bytes. On kNoMemory nothing is held.
  base::Status Fill(const Request& request, Grant* grant, const std::vector<uint64_t>& own_arenas);
  void GiveBack();

  // Arenas of the ordinary size, request.arena_bytes, that are left; and of another size.
  uint64_t arena_bytes() const { return arena_bytes_; }
  uint64_t CountOf(uint64_t bytes) const;
  Arena Take(uint64_t bytes);  // there must be one

  // Whether it is for copies of what is in the cold tier.
  bool clean() const { return clean_; }

  // The records are in a segment, which is answerable for them from now on.
  void RecordsUsed() { records_ = 0; }
  uint64_t records() const { return records_; }

 private:
  MemoryBudget* const budget_;
  Account* account_ = nullptr;
  uint64_t arena_bytes_ = 0;
  uint64_t records_ = 0;
  bool clean_ = false;
  std::vector<Arena> arenas_;
};

}  // namespace spillway::memory
