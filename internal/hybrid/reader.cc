#include "internal/hybrid/reader.h"

#include <algorithm>
#include <numeric>
#include <string>

#include "internal/hybrid/pinned.h"

namespace spillway::hybrid {

using base::Code;
using base::Status;

Status Reader::Trimmed(const Stream& stream, uint64_t seq) {
  return {Code::kTrimmed, "stream '" + stream.name() + "': records " + std::to_string(seq) +
                              " to " + std::to_string(stream.begin_seq() - 1) + " were trimmed"};
}

Status Reader::Fetch(const Stream& stream, uint64_t seq, uint64_t end_seq, uint64_t decode_bytes,
                     PinnedColumns* out) const {
  bool cold = false;
  return Find(stream, seq, end_seq, decode_bytes, Stream::kNoUse, out, &cold);
}

Status Reader::Read(Stream* stream, uint64_t seq, PinnedColumns* out) const {
  bool cold = false;
  SPW_RETURN_IF_ERROR(
      Find(*stream, seq, base::SaturatingAdd(seq, 1), 1, parts_.residency->now(), out, &cold));
  Count(cold ? parts_.counters->reads_cold : parts_.counters->reads_memory);
  if (cold && parts_.promoter != nullptr) {
    parts_.promoter->NoteColdRead(stream, seq, out->columns.payload(0).size());
  }
  return {};
}

Status Reader::Find(const Stream& stream, uint64_t seq, uint64_t end_seq, uint64_t decode_bytes,
                    uint64_t now, PinnedColumns* out, bool* cold) const {
  *cold = false;
  switch (stream.Locate(seq, end_seq, now, out)) {
    case Stream::Place::kMemory:
      return {};
    case Stream::Place::kTrimmed:
      return Trimmed(stream, seq);
    case Stream::Place::kBeyond:
      return {Code::kNotFound, "stream '" + stream.name() + "' has no record " +
                                   std::to_string(seq) + "; it ends at " +
                                   std::to_string(stream.tail_seq())};
    case Stream::Place::kCold:
      *cold = true;
      return FetchCold(stream, seq, end_seq, decode_bytes, out);
  }
  return Status(Code::kInternal);
}

Status Reader::FetchCold(const Stream& stream, uint64_t seq, uint64_t end_seq,
                         uint64_t decode_bytes, PinnedColumns* out) const {
  SPW_CHECK(parts_.tier != nullptr);
  auto block = std::make_shared<Pinned<record::ColumnBuffer>>(parts_.budget);
  // Up to what is in memory, unless it has come there meanwhile.
  const Stream::Range cold = stream.ColdRange(seq);
  end_seq = std::min(end_seq, seq < cold.end_seq ? cold.end_seq : stream.spilled_seq());
  const Status status = parts_.tier->Read(stream.id(), seq, end_seq, decode_bytes, &block->records);
  if (seq < stream.begin_seq()) {
    return Trimmed(stream, seq);  // while it was read, perhaps
  }
  if (status.code() == Code::kCorrupt) {
    parts_.events->Post(
        {.kind = EventKind::kCorrupt, .stream = stream.id(), .code = status.code(), .seq = seq});
  }
  SPW_RETURN_IF_ERROR(status);
  block->Charge();
  const record::Columns all = block->records.columns();
  SPW_CHECK(all.first_seq <= seq && seq < all.end_seq());
  Count(parts_.counters->cold_reads);
  Count(parts_.counters->cold_bytes_read, all.payload_bytes());
  out->columns = all.Slice(seq, std::min(end_seq, all.end_seq()));
  out->owner = std::move(block);
  return {};
}

base::Result<std::shared_ptr<const Gathered>> Reader::Gather(Stream* stream,
                                                             std::span<const uint64_t> seqs) const {
  auto pinned = std::make_shared<Pinned<Gathered>>(parts_.budget);
  SPW_RETURN_IF_ERROR(GatherInto(stream, seqs, &pinned->records));
  pinned->Charge();
  return std::shared_ptr<const Gathered>(pinned, &pinned->records);
}

Status Reader::GatherInto(Stream* stream, std::span<const uint64_t> seqs, Gathered* out) const {
  const size_t count = seqs.size();
  out->begin.resize(count);
  out->end.resize(count);
  out->seqs.assign(seqs.begin(), seqs.end());
  out->times.resize(stream->has_times() ? count : 0);
  // In ascending order each segment and each run of the cold tier is looked up once.
  std::vector<size_t> order(count);
  std::iota(order.begin(), order.end(), size_t{0});
  if (!std::is_sorted(seqs.begin(), seqs.end())) {
    std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return seqs[a] < seqs[b]; });
  }
  PinnedColumns block;
  bool cold = false;
  uint64_t cold_count = 0;
  uint64_t noted_end_seq = 0;  // a gather reads a part of the cold tier once
  for (const size_t i : order) {
    const uint64_t seq = seqs[i];
    if (block.owner == nullptr || seq >= block.columns.end_seq()) {
      Status status = Find(*stream, seq, UINT64_MAX, 1, parts_.residency->now(), &block, &cold);
      if (!status.ok()) {
        return std::move(status).WithRecord(static_cast<int64_t>(i));
      }
    }
    const uint64_t at = seq - block.columns.first_seq;
    const std::span<const uint8_t> payload = block.columns.payload(at);
    cold_count += cold ? 1 : 0;
    if (cold && seq >= noted_end_seq && parts_.promoter != nullptr) {
      noted_end_seq = parts_.promoter->NoteColdRead(stream, seq, payload.size());
    }
    out->begin[i] = out->data.size();
    out->data.insert(out->data.end(), payload.begin(), payload.end());
    out->end[i] = out->data.size();
    if (stream->has_times()) {
      out->times[i] = block.columns.times[at];
    }
  }
  Count(parts_.counters->reads_cold, cold_count);
  Count(parts_.counters->reads_memory, count - cold_count);
  return {};
}

}  // namespace spillway::hybrid
