#include "internal/hybrid/promoter.h"

#include <algorithm>
#include <bit>
#include <utility>
#include <vector>

#include "internal/hybrid/pinned.h"

namespace spillway::hybrid {

using base::Status;
using Attempt = memory::MemoryBudget::Attempt;

// What a promotion copies: so little that memory holds many of them, so much that many records do
// not become many segments. It grows with the budget between these.
static constexpr uint64_t kRunBytesLeast = uint64_t{64} << 10;
static constexpr uint64_t kRunBytesMost = uint64_t{256} << 10;
static constexpr uint64_t kRunsOfBudget = 2048;
// No more than this part of the budget at a time, be it a single record.
static constexpr uint64_t kPartOfBudget = 16;
// Reads of so many neighbours, or of as many as make half a run, count as one.
static constexpr uint64_t kRecordsCounted = 64;
static constexpr uint64_t kRecordOverhead = 2 * sizeof(uint64_t);

Promoter::Size Promoter::SizeFor(const Stream& stream) const {
  const memory::Limits limits = parts_.budget->limits();
  const uint64_t bytes =
      std::min(limits.bytes.soft, stream.budget_bytes.load(std::memory_order_relaxed));
  const uint64_t records =
      std::min(limits.records.soft, stream.budget_records.load(std::memory_order_relaxed));
  Size most;
  most.record_bytes = bytes / kPartOfBudget;
  most.bytes =
      std::min(std::clamp(bytes / kRunsOfBudget, kRunBytesLeast, kRunBytesMost), most.record_bytes);
  most.records = std::max<uint64_t>(1, records / kPartOfBudget);
  return most;
}

uint64_t Promoter::NoteColdRead(Stream* stream, uint64_t seq, uint64_t payload_bytes) {
  const int64_t wanted = reads();
  const Size most = SizeFor(*stream);
  if (wanted == 0 || payload_bytes > most.record_bytes) {
    return base::SaturatingAdd(seq, 1);
  }
  const uint64_t records = std::bit_floor(
      std::clamp<uint64_t>(most.bytes / 2 / (payload_bytes + kRecordOverhead), 1, kRecordsCounted));
  const uint64_t first = seq & ~(records - 1);
  const uint64_t key = (uint64_t{stream->id()} << 48) ^
                       (static_cast<uint64_t>(std::countr_zero(records)) << 44) ^ first / records;
  if (counts_.Count(key, static_cast<uint64_t>(wanted))) {
    // That it failed is no failure of the read.
    static_cast<void>(base::CatchToStatus([&] { return Promote(stream, first, seq, most); }).ok());
  }
  return first + records;
}

Status Promoter::Promote(Stream* stream, uint64_t first_seq, uint64_t seq, const Size& most) {
  const Stream::Range cold = stream->ColdRange(seq);
  if (seq >= cold.end_seq || parts_.budget->total().pressed()) {
    return {};
  }
  first_seq = std::max(first_seq, cold.begin_seq);
  Pinned<record::ColumnBuffer> run(parts_.budget);
  SPW_RETURN_IF_ERROR(
      parts_.tier->Read(stream->id(), first_seq, cold.end_seq, most.bytes, &run.records));
  run.Charge();
  const record::Columns all = run.records.columns();
  Count(parts_.counters->cold_reads);
  Count(parts_.counters->cold_bytes_read, all.payload_bytes());
  // Tiers may give more than they were asked for.
  record::Columns columns =
      all.Slice(std::max(first_seq, all.first_seq), std::min(cold.end_seq, all.end_seq()));
  const uint64_t* const ends = columns.begin + 1;
  const uint64_t* const past = std::partition_point(
      ends, ends + std::min(columns.count, most.records),
      [&](uint64_t end) { return end - columns.begin[0] <= most.record_bytes; });
  columns.count = static_cast<uint64_t>(past - ends);
  return columns.count == 0 ? Status() : CopyIntoMemory(stream, columns);
}

Status Promoter::CopyIntoMemory(Stream* stream, const record::Columns& columns) {
  const std::vector<uint64_t> arena = {memory::Segment::CopyArenaBytes(columns)};
  const memory::Request request{.account = stream->account(),
                                .extra_bytes = arena[0],
                                .records = columns.count,
                                .clean = true};
  memory::Grant grant;
  for (;;) {
    const Attempt attempt = parts_.budget->TryClean(request, &grant);
    if (attempt == Attempt::kGranted) {
      break;
    }
    if (attempt == Attempt::kNever ||
        !parts_.residency->EvictOne(attempt == Attempt::kEvictOwn ? stream : nullptr)) {
      return {};
    }
  }
  memory::Reservation reservation(parts_.budget.get());
  SPW_RETURN_IF_ERROR(reservation.Fill(request, &grant, arena));
  const auto copy =
      std::make_shared<memory::Segment>(parts_.budget, stream->account(), &reservation, columns);
  const uint64_t now = parts_.residency->clock()->fetch_add(1, std::memory_order_relaxed);
  if (stream->Promote(copy, now)) {
    Count(parts_.counters->promotions);
  }
  return {};
}

}  // namespace spillway::hybrid
