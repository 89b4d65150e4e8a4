#include "internal/hybrid/admission.h"

#include <string>

#include "internal/base/clock.h"

namespace spillway::hybrid {

using base::Code;
using base::Status;
using Attempt = memory::MemoryBudget::Attempt;

static constexpr uint64_t kPaceQuantumNanos = 2'000'000;

static WhenFull PolicyOf(const Stream& stream) {
  return static_cast<WhenFull>(stream.when_full.load(std::memory_order_relaxed));
}

Status Admission::Pace(const base::Patience& patience) {
  if (parts_.spiller == nullptr || !parts_.budget->behind() || patience.deadline.no_wait()) {
    return {};
  }
  uint64_t paced_ns = 0;
  const Status status = parts_.budget->Pace(kPaceQuantumNanos, patience, &paced_ns);
  if (paced_ns > 0) {
    Count(parts_.counters->paced);
    Count(parts_.counters->paced_ns_total, paced_ns);
  }
  return status;
}

Status Admission::Reserve(Stream* stream, const memory::Request& request,
                          const std::vector<uint64_t>& own_arenas, const base::Patience& patience,
                          memory::Reservation* reservation) {
  memory::Grant grant;
  bool may_evict = true;
  for (;;) {
    switch (parts_.budget->Try(request, may_evict, &grant)) {
      case Attempt::kGranted:
        return reservation->Fill(request, &grant, own_arenas);
      case Attempt::kEvict:
        // False when others were quicker: then look at the limits alone.
        may_evict = parts_.residency->EvictOne(nullptr);
        break;
      case Attempt::kEvictOwn:
        may_evict = parts_.residency->EvictOne(stream);
        break;
      case Attempt::kNever:
        return {Code::kTooBig, "a batch of " + std::to_string(request.records) + " records takes " +
                                   std::to_string(request.bytes()) +
                                   " bytes of memory, more than the hard limit"};
      case Attempt::kWait: {
        const WhenFull when_full = PolicyOf(*stream);
        if (when_full == WhenFull::kDropOldest && DropOldest(stream)) {
          break;
        }
        const Status status = Wait(stream, request, patience, &grant);
        if (!status.ok()) {
          if (when_full != WhenFull::kDropNewest) {
            Count(parts_.counters->adds_refused);
          }
          return status;
        }
        return reservation->Fill(request, &grant, own_arenas);
      }
    }
  }
}

// False: the stream has nothing in memory that could make room.
bool Admission::DropOldest(Stream* stream) {
  const uint64_t end_seq = stream->oldest_end_seq();
  const Stream::Trimmed dropped = stream->TrimTo(end_seq);
  parts_.counters->records_live.fetch_sub(dropped.count, std::memory_order_relaxed);
  Count(parts_.counters->records_overwritten, dropped.count);
  if (dropped.count > 0) {  // else another adder was quicker
    parts_.events->Post({.kind = EventKind::kDropped,
                         .stream = stream->id(),
                         .seq = dropped.begin_seq - dropped.count,
                         .count = dropped.count});
  }
  return end_seq > 0;
}

Status Admission::Wait(Stream* stream, const memory::Request& request,
                       const base::Patience& patience, memory::Grant* grant) {
  if (patience.deadline.no_wait()) {
    if (parts_.spiller != nullptr) {
      parts_.spiller->Kick();
      const Code code = parts_.spiller->health_code();
      if (code != Code::kOk &&
          !(Spiller::retried(code) && PolicyOf(*stream) == WhenFull::kDropNewest)) {
        return parts_.spiller->health();
      }
    }
    return Status(Code::kWouldBlock);
  }
  const uint64_t started_ns = base::MonotonicNanos();
  memory::MemoryBudget::Waiter waiter(request, grant, patience);
  SPW_RETURN_IF_ERROR(parts_.budget->Queue(&waiter));
  if (parts_.spiller != nullptr) {
    parts_.spiller->Kick();
  }
  const Status status = parts_.budget->Await(&waiter);
  const uint64_t waited_ns = base::MonotonicNanos() - started_ns;
  Count(parts_.counters->waits);
  Count(parts_.counters->wait_ns_total, waited_ns);
  CountMax(parts_.counters->wait_ns_max, waited_ns);
  parts_.events->Post({.kind = EventKind::kBlocked,
                       .stream = stream->id(),
                       .code = status.code(),
                       .count = request.records,
                       .value = waited_ns});
  return status;
}

}  // namespace spillway::hybrid
