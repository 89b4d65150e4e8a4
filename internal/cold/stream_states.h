// The streams of a tier as it shows them, and what a commit will make of them: the same for every
// tier.
//
// Thread-safe; changed by one commit at a time.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "internal/base/mutex.h"
#include "internal/base/status.h"
#include "internal/cold/cold_tier.h"

namespace spillway::cold {

class StreamStates {
 public:
  // What a commit will make of the streams, prepared before it so that nothing can fail behind it.
  struct Staged {
    std::map<uint32_t, StreamState> added;
    std::map<uint32_t, StreamState> changed;  // existing ones
    std::vector<StreamState> touched;         // both, as they will be
  };

  // As they were found at open.
  void Add(const StreamState& state) SPW_EXCLUDES(mu_);
  std::vector<StreamState> All() const SPW_EXCLUDES(mu_);
  // Where each stream begins, as the trim that would bring it there.
  std::vector<Trim> Begins() const SPW_EXCLUDES(mu_);

  // Fits the changes to the streams as they are; kInvalidArgument if they do not.
  base::Status Stage(const Changes& changes, Staged* staged) const SPW_EXCLUDES(mu_);
  void Publish(Staged* staged) noexcept SPW_EXCLUDES(mu_);

  // kInvalidArgument: seq < end_seq do not lie in the stream; kTrimmed: seq was dropped.
  base::Status CheckRange(uint32_t stream, uint64_t seq, uint64_t end_seq, bool* has_times) const
      SPW_EXCLUDES(mu_);

 private:
  using Streams = std::map<uint32_t, StreamState>;
  static StreamState* StagedState(const Streams& streams, Staged* staged, uint32_t id);

  mutable base::Mutex mu_;
  Streams streams_ SPW_GUARDED_BY(mu_);
};

}  // namespace spillway::cold
