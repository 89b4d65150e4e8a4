// Statistics and events of a store.

#include <algorithm>
#include <cstring>

#include "capi/guard.h"
#include "capi/handles.h"
#include "capi/structs.h"

using namespace spillway::capi;  // NOLINT(google-build-using-namespace): the border lies here
using spillway::base::InvalidArgument;
using spillway::base::Result;
using spillway::base::Status;
using spillway::hybrid::Counters;
using spillway::hybrid::Event;
using spillway::hybrid::Store;
using spillway::hybrid::Stream;

namespace {

void FillCounters(const Counters& counters, spw_stats* stats) {
  const auto get = [](const std::atomic<uint64_t>& counter) {
    return counter.load(std::memory_order_relaxed);
  };
  stats->batches_added = get(counters.batches_added);
  stats->records_added = get(counters.records_added);
  stats->payload_bytes_added = get(counters.payload_bytes_added);
  stats->records_live = get(counters.records_live);
  stats->spills = get(counters.spills);
  stats->records_spilled = get(counters.records_spilled);
  stats->payload_bytes_spilled = get(counters.payload_bytes_spilled);
  stats->spill_ns_last = get(counters.spill_ns_last);
  stats->spill_ns_total = get(counters.spill_ns_total);
  stats->spill_errors = get(counters.spill_errors);
  stats->waits = get(counters.waits);
  stats->wait_ns_total = get(counters.wait_ns_total);
  stats->wait_ns_max = get(counters.wait_ns_max);
  stats->adds_refused = get(counters.adds_refused);
  stats->records_cleared = get(counters.records_cleared);
  stats->records_trimmed = get(counters.records_trimmed);
  stats->records_overwritten = get(counters.records_overwritten);
  stats->records_dropped = get(counters.records_dropped);
  stats->batches_dropped = get(counters.batches_dropped);
  stats->paced = get(counters.paced);
  stats->paced_ns_total = get(counters.paced_ns_total);
  stats->cold_reads = get(counters.cold_reads);
  stats->cold_bytes_read = get(counters.cold_bytes_read);
  stats->promotions = get(counters.promotions);
  stats->reads_memory = get(counters.reads_memory);
  stats->reads_cold = get(counters.reads_cold);
}

void FillMemory(const Store& store, spw_stats* stats) {
  const spillway::memory::MemoryBudget& budget = store.budget();
  const spillway::memory::Account& total = budget.total();
  const spillway::memory::Limits limits = store.limits();
  // The order makes no difference of two of them negative that is not at rest: resident first, its
  // parts after.
  stats->bytes_resident = total.bytes_resident();
  stats->bytes_unspilled = std::min(total.bytes_unspilled(), stats->bytes_resident);
  stats->bytes_free = std::min(budget.bytes_free(), stats->bytes_resident - stats->bytes_unspilled);
  stats->bytes_clean = stats->bytes_resident - stats->bytes_unspilled - stats->bytes_free;
  stats->bytes_resident_peak = budget.bytes_resident_peak();
  stats->bytes_pinned = budget.bytes_pinned();
  stats->records_resident = total.records_resident();
  stats->records_unspilled = std::min(total.records_unspilled(), stats->records_live);
  stats->records_cold = stats->records_live - stats->records_unspilled;
  stats->records_resident_peak = budget.records_resident_peak();
  stats->adders_waiting = budget.waiters();
  stats->bytes_soft = limits.bytes.soft;
  stats->bytes_hard = limits.bytes.hard;
  stats->records_soft = limits.records.soft;
  stats->records_hard = limits.records.hard;
}

}  // namespace

extern "C" {

spw_status spw_store_stats(const spw_store* store, spw_stats* out, spw_error** err) {
  return Guard(err, [&]() -> Status {
    SPW_RETURN_IF_ERROR(CheckPointer(out, "out"));
    SPW_RETURN_IF_ERROR(ClearStruct(out, "spw_stats"));
    StoreCall call;
    SPW_RETURN_IF_ERROR(call.Enter(store));
    spw_stats stats = {};
    stats.streams = call->streams().count();
    FillCounters(call->counters(), &stats);
    FillMemory(*store->store, &stats);
    stats.evictions = call->evictions();
    stats.adders_syncing = call->adders_syncing();
    const spillway::cold::TierStats tier = call->tier_stats();
    stats.checksum_errors = tier.checksum_errors;
    stats.cold_file_bytes = tier.file_bytes;
    stats.events_lost = call->events().lost();
    stats.health = static_cast<uint64_t>(call->health_code());
    WriteStruct(out, stats);
    return {};
  });
}

spw_status spw_store_stream_stats(const spw_store* store, uint32_t stream, spw_stream_stats* out,
                                  spw_error** err) {
  return Guard(err, [&]() -> Status {
    SPW_RETURN_IF_ERROR(CheckPointer(out, "out"));
    SPW_RETURN_IF_ERROR(ClearStruct(out, "spw_stream_stats"));
    StoreCall call;
    SPW_RETURN_IF_ERROR(call.Enter(store));
    Result<Stream*> found = call->FindStream(stream);
    SPW_RETURN_IF_ERROR(found.status());
    Stream& of = *found.value();
    spw_stream_stats stats = {};
    stats.flags = of.has_times() ? SPW_STREAM_HAS_TIMES : 0;
    stats.begin_seq = of.begin_seq();
    stats.spilled_seq = of.spilled_seq();
    stats.tail_seq = of.tail_seq();
    stats.records_resident = of.account()->records_resident();
    stats.bytes_unspilled = of.account()->bytes_unspilled();
    WriteStruct(out, stats);
    return {};
  });
}

spw_status spw_store_events(spw_store* store, spw_event* events, size_t event_size, size_t cap,
                            size_t* count, spw_error** err) {
  return Guard(err, [&]() -> Status {
    SPW_RETURN_IF_ERROR(CheckPointer(count, "count"));
    *count = 0;
    StoreCall call;
    SPW_RETURN_IF_ERROR(call.Enter(store));
    if (cap > 0) {
      SPW_RETURN_IF_ERROR(CheckPointer(events, "events"));
    }
    if (event_size < 2 * sizeof(uint32_t) || event_size > kStructSizeMax) {
      return InvalidArgument("event_size is " + std::to_string(event_size));
    }
    auto* place = reinterpret_cast<uint8_t*>(events);
    Event event;
    for (; *count < cap && call->events().Take(&event); ++*count, place += event_size) {
      spw_event filled = {};
      filled.kind = static_cast<uint32_t>(event.kind);
      filled.stream = event.stream;
      filled.code = static_cast<spw_status>(event.code);
      filled.time_ns = event.time_ns;
      filled.seq = event.seq;
      filled.count = event.count;
      filled.value = event.value;
      std::memset(place, 0, event_size);
      std::memcpy(place, &filled, std::min(event_size, sizeof filled));
    }
    return {};
  });
}

}  // extern "C"
