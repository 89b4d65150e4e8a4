#include "internal/hybrid/run_picker.h"

#include <algorithm>

namespace spillway::hybrid {

using Excess = memory::MemoryBudget::Excess;

// Payload of one transaction: so large that a barrier, about 1 ms, costs little beside it.
static constexpr uint64_t kRunPayloadMost = uint64_t{8} << 20;
// Under pressure memory comes back in steps of about this much time instead, for an adder at the
// hard limit goes on only when a whole run is there.
static constexpr uint64_t kRunMsUnderPressure = 10;
static constexpr uint64_t kRunPayloadLeast = uint64_t{256} << 10;

void Run::EndClaims() {
  for (Stream::Claim& claim : claims) {
    if (claim.stream != nullptr) {
      claim.stream->EndClaim(claim, false);
    }
  }
  claims.clear();
}

static void AddUp(Run* run) {
  const Stream::Claim& claim = run->claims.back();
  run->arena_bytes += claim.arena_bytes;
  run->records += claim.records;
  run->payload_bytes += claim.payload_bytes;
}

bool RunPicker::ClaimSegments(Stream* stream, const Excess& excess, bool may_seal, Run* run) {
  const Stream::Want want{.arena_bytes = excess.bytes,
                          .payload_bytes = run->payload_most - run->payload_bytes,
                          .records = excess.records};
  run->claims.emplace_back();
  if (!stream->ClaimSegments(want, may_seal, &run->claims.back())) {
    run->claims.pop_back();
    return false;
  }
  AddUp(run);
  return true;
}

// The oldest segments of all streams: sealed ones first, then those that are still being filled.
void RunPicker::PickForMemory(Excess excess, Run* run) {
  struct Candidate {
    bool active;
    uint64_t stamp;
    Stream* stream;
  };
  std::vector<Candidate> candidates;
  streams_->ForEach([&](Stream* stream) {
    uint64_t stamp = 0;
    const Stream::Oldest oldest = stream->OldestUnwritten(&stamp);
    if (oldest != Stream::Oldest::kNone) {
      candidates.push_back(Candidate{oldest == Stream::Oldest::kActive, stamp, stream});
    }
  });
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    return a.active != b.active ? b.active : a.stamp < b.stamp;
  });
  for (const Candidate& candidate : candidates) {
    const uint64_t bytes_before = run->arena_bytes;
    const uint64_t records_before = run->records;
    if (!excess.any() || run->payload_bytes >= run->payload_most) {
      break;
    }
    ClaimSegments(candidate.stream, excess, candidate.active, run);
    excess.bytes -= std::min(excess.bytes, run->arena_bytes - bytes_before);
    excess.records -= std::min(excess.records, run->records - records_before);
  }
}

// Streams that are above a cap of their own; whether there are any.
bool RunPicker::PickForStreams(Run* run) {
  bool pressed = false;
  streams_->ForEach([&](Stream* stream) {
    if (!stream->account()->pressed() || run->payload_bytes >= run->payload_most) {
      return;
    }
    uint64_t stamp = 0;
    const Stream::Oldest oldest =
        stream->OldestUnwritten(&stamp);  // may have brought it down by itself
    const Excess excess = budget_->excess(stream->account());
    pressed = pressed || excess.any();
    if (oldest != Stream::Oldest::kNone && excess.any()) {
      ClaimSegments(stream, excess, true, run);
    }
  });
  return pressed;
}

void RunPicker::PickForFlush(Run* run) {
  streams_->ForEach([&](Stream* stream) {
    uint64_t target_seq = 0;
    if (run->payload_bytes >= run->payload_most || !stream->Asked(&target_seq)) {
      return;
    }
    const Stream::Want want{.payload_bytes = run->payload_most - run->payload_bytes};
    run->claims.emplace_back();
    if (stream->ClaimUpTo(target_seq, want, &run->claims.back())) {
      AddUp(run);
    } else {
      run->claims.pop_back();
    }
  });
}

// Whether there are any sealed segments to be written.
bool RunPicker::PickSealed(Run* run) {
  const size_t before = run->claims.size();
  streams_->ForEach([&](Stream* stream) {
    uint64_t stamp = 0;
    if (run->payload_bytes < run->payload_most &&
        stream->OldestUnwritten(&stamp) == Stream::Oldest::kSealed) {
      ClaimSegments(stream, {.bytes = base::kUnlimited}, false, run);
    }
  });
  return run->claims.size() > before;
}

void RunPicker::Note(uint64_t payload_bytes, uint64_t took_ns) {
  if (payload_bytes >= kRunPayloadLeast) {  // less is mostly barrier
    bytes_per_ms_.store(payload_bytes * 1'000'000 / std::max<uint64_t>(took_ns, 1),
                        std::memory_order_relaxed);
  }
}

RunPicker::Why RunPicker::Fill(const Excess& in_flight, Run* run) {
  residency_->EvictWhileNeeded();
  Excess excess = budget_->excess(nullptr);
  Why why{.pressed = excess.any()};
  excess.bytes -= std::min(excess.bytes, in_flight.bytes);
  excess.records -= std::min(excess.records, in_flight.records);
  const uint64_t rate = bytes_per_ms_.load(std::memory_order_relaxed);
  run->payload_most = std::clamp(rate * kRunMsUnderPressure, kRunPayloadLeast, kRunPayloadMost);
  if (excess.any()) {
    PickForMemory(excess, run);
  }
  if (run->claims.empty()) {
    why.pressed = PickForStreams(run) || why.pressed;
  }
  why.for_memory = !run->claims.empty();
  if (!why.for_memory) {
    run->payload_most = kRunPayloadMost;
    PickForFlush(run);
    why.for_memory = eager_ && PickSealed(run);
  }
  if (run->claims.empty()) {
    streams_->ForEach(
        [&](const Stream* stream) { why.asked_left = why.asked_left || stream->AskedIsLeft(); });
  }
  return why;
}

}  // namespace spillway::hybrid
