// Chooses what the next spill writes: enough to bring memory down, or else what flushes ask for
// and, in an eager store, what is sealed.
//
// Not thread-safe but for Note: the spiller picks one run at a time.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "internal/cold/cold_tier.h"
#include "internal/hybrid/residency.h"
#include "internal/hybrid/stream_table.h"
#include "internal/memory/budget.h"

namespace spillway::hybrid {

// Claims that are written in one transaction. Ends them as failed unless they were ended before.
struct Run {
  // What reached the operating system with an earlier run.
  struct Written {
    Stream* stream;
    Stream::Position position;
  };

  Run() = default;
  ~Run() { EndClaims(); }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;
  void EndClaims();

  bool empty() const { return claims.empty() && !sync_only; }

  uint64_t number = 0;  // of the pick
  std::vector<Stream::Claim> claims;
  cold::Durability durability = cold::Durability::kDevice;
  bool sync_only = false;
  bool covers = false;           // also what earlier runs only gave to the operating system:
  std::vector<Written> covered;  // on the device once this run is
  uint64_t arena_bytes = 0;
  uint64_t records = 0;
  uint64_t payload_bytes = 0;
  uint64_t payload_most = 0;  // not much more is taken
};

class RunPicker {
 public:
  // `eager`: sealed segments are written as soon as there are some.
  RunPicker(StreamTable* streams, memory::MemoryBudget* budget, Residency* residency, bool eager)
      : streams_(streams), budget_(budget), residency_(residency), eager_(eager) {}

  // Claims what is to be written, besides what is in flight already. May throw std::bad_alloc; the
  // run then ends what it has.
  struct Why {
    bool pressed = false;     // memory is wanted, by the store or within a stream's own cap
    bool for_memory = false;  // and this run gives some, at once or when it is wanted
    bool asked_left = false;  // nothing can be claimed, but a direct writer has what was asked for
  };
  Why Fill(const memory::MemoryBudget::Excess& in_flight, Run* run);

  // How long a run took, for the size of those under pressure.
  void Note(uint64_t payload_bytes, uint64_t took_ns);

 private:
  void PickForMemory(memory::MemoryBudget::Excess excess, Run* run);
  bool PickForStreams(Run* run);
  void PickForFlush(Run* run);
  bool PickSealed(Run* run);
  bool ClaimSegments(Stream* stream, const memory::MemoryBudget::Excess& excess, bool may_seal,
                     Run* run);

  StreamTable* const streams_;
  memory::MemoryBudget* const budget_;
  Residency* const residency_;
  const bool eager_;
  std::atomic<uint64_t> bytes_per_ms_{100'000};  // until it is known
};

}  // namespace spillway::hybrid
