#include "internal/memory/segment.h"

#include <cstring>

#include "internal/base/bytes.h"

namespace spillway::memory {

static uint64_t RecordOverhead(bool has_times) {
  return sizeof(uint64_t) + (has_times ? sizeof(int64_t) : 0);
}

// The columns at the end of the arena: count + 1 offsets and, perhaps, count times.
static uint64_t ColumnBytes(uint64_t record_capacity, bool has_times) {
  return sizeof(uint64_t) + record_capacity * RecordOverhead(has_times);
}

// What is left of an arena for payload; columns begin at a multiple of 8.
static uint64_t PayloadCapacity(uint64_t arena_bytes, uint64_t record_capacity, bool has_times) {
  return (arena_bytes - ColumnBytes(record_capacity, has_times)) & ~uint64_t{7};
}

uint64_t Segment::OwnArenaBytes(uint64_t record_bytes, bool has_times) {
  return Arena::MappedBytes(base::RoundUp(record_bytes, sizeof(uint64_t)) +
                            ColumnBytes(1, has_times));
}

Segment::Shape Segment::Shape::For(uint64_t arena_bytes, bool has_times, uint64_t records_max,
                                   const record::RecordBatch& batch, uint64_t from) {
  const uint64_t overhead = RecordOverhead(has_times);
  if (NeedsOwnArena(batch.record_bytes(from), has_times, arena_bytes)) {
    return {1, PayloadCapacity(arena_bytes, 1, has_times)};
  }
  const uint64_t average = batch.payload_bytes() / batch.count();
  const uint64_t room = arena_bytes - sizeof(uint64_t);
  const uint64_t expected = room / (average + overhead);
  // A few percent more places than expected: running out of places wastes payload space, which
  // costs more.
  const uint64_t wanted = expected + expected / 32;
  const uint64_t beside_first =
      (room - base::RoundUp(batch.record_bytes(from), sizeof(uint64_t))) / overhead;
  const uint64_t capacity = std::max<uint64_t>(1, std::min({wanted, beside_first, records_max}));
  return {capacity, PayloadCapacity(arena_bytes, capacity, has_times)};
}

Segment::Segment(std::shared_ptr<MemoryBudget> budget, Account* account, Reservation* reservation,
                 uint64_t arena_bytes, uint64_t first_seq, bool has_times, Shape shape)
    : budget_(std::move(budget)),
      arena_(reservation->Take(arena_bytes)),
      first_seq_(first_seq),
      shape_(shape),
      data_(arena_.data()),
      begin_(reinterpret_cast<uint64_t*>(data_ + shape_.payload_capacity)),
      times_(has_times ? reinterpret_cast<int64_t*>(begin_ + shape_.record_capacity + 1)
                       : nullptr) {
  begin_[0] = 0;
  charge_.account = account;
  charge_.bytes = arena_.bytes();
}

uint64_t Segment::CopyArenaBytes(const record::Columns& columns) {
  return Arena::MappedBytes(base::RoundUp(columns.payload_bytes(), sizeof(uint64_t)) +
                            ColumnBytes(columns.count, columns.times != nullptr));
}

Segment::Segment(std::shared_ptr<MemoryBudget> budget, Account* account, Reservation* reservation,
                 const record::Columns& columns)
    : Segment(std::move(budget), account, reservation, CopyArenaBytes(columns), columns.first_seq,
              columns.times != nullptr,
              {columns.count,
               PayloadCapacity(CopyArenaBytes(columns), columns.count, columns.times != nullptr)}) {
  SPW_DCHECK(reservation->clean());
  std::memcpy(data_, columns.data + columns.begin[0], columns.payload_bytes());
  for (uint64_t i = 1; i <= columns.count; ++i) {
    begin_[i] = columns.begin[i] - columns.begin[0];
  }
  if (times_ != nullptr) {
    std::memcpy(times_, columns.times, columns.count * sizeof(int64_t));
  }
  count_ = columns.count;
  reservation->RecordsUsed();
  charge_.clean.store(true, std::memory_order_relaxed);
  charge_.counted_clean = true;
  Seal();
}

Segment::~Segment() {
  if (pinned_) {
    budget_->ReleasePinned(std::move(arena_));
  } else {
    budget_->Release(charge_, count_, unspilled_when_retired_, std::move(arena_));
  }
}

uint64_t Segment::Fit(const record::RecordBatch& batch, uint64_t from,
                      uint64_t* payload_bytes) const {
  return batch.Fit(from, shape_.record_capacity - count_, shape_.payload_capacity - begin_[count_],
                   payload_bytes);
}

void Segment::Append(const record::RecordBatch& batch, uint64_t from, uint64_t count) {
  batch.CopyPayload(from, count, data_, begin_[count_], begin_ + count_);
  if (times_ != nullptr) {
    batch.CopyTimes(from, count, times_ + count_);
  }
  count_ += count;
}

void Segment::Retire(uint64_t spilled_seq, bool shared) {
  unspilled_when_retired_ = end_seq() - std::min(std::max(spilled_seq, first_seq_), end_seq());
  if (shared) {
    budget_->Pin(&charge_, count_, unspilled_when_retired_);
    pinned_ = true;
  }
}

}  // namespace spillway::memory
