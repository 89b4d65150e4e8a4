// Lets batches in under the budget: takes what is free, gives clean memory back, waits for the
// spiller, drops the oldest records of a ring, or refuses.
//
// Thread-safe. A wait ends with room, a deadline, a cancel, or a verdict (closed, disk full,
// writing ended); then nothing is held.
#pragma once

#include <vector>

#include "internal/hybrid/counters.h"
#include "internal/hybrid/events.h"
#include "internal/hybrid/options.h"
#include "internal/hybrid/residency.h"
#include "internal/hybrid/spiller.h"
#include "internal/memory/reservation.h"

namespace spillway::hybrid {

class Admission {
 public:
  struct Parts {
    memory::MemoryBudget* budget;
    Residency* residency;
    Spiller* spiller;  // null: memory only
    EventRing* events;
    Counters* counters;
  };
  explicit Admission(const Parts& parts) : parts_(parts) {}

  // Slows an adder that may wait while the spiller is behind, by at most a quantum: before it asks
  // for anything, so that adders meet the hard limit seldom. kCancelled.
  base::Status Pace(const base::Patience& patience);

  // Charges the request and fills *reservation. kWouldBlock, kTimeout, kCancelled; kTooBig: it can
  // never fit; kNoMemory; or the verdict.
  base::Status Reserve(Stream* stream, const memory::Request& request,
                       const std::vector<uint64_t>& own_arenas, const base::Patience& patience,
                       memory::Reservation* reservation);

 private:
  bool DropOldest(Stream* stream);
  base::Status Wait(Stream* stream, const memory::Request& request, const base::Patience& patience,
                    memory::Grant* grant);

  const Parts parts_;
};

}  // namespace spillway::hybrid
