#include "internal/hybrid/stream.h"

#include <algorithm>
#include <array>
#include <bit>
#include <iterator>

namespace spillway::hybrid {

using base::MutexLock;
using memory::Segment;

Stream::Stream(const cold::StreamState& state, bool in_tier,
               std::shared_ptr<memory::MemoryBudget> budget)
    : id_(state.id),
      name_(state.name),
      has_times_(state.has_times),
      budget_(std::move(budget)),
      begin_seq_(state.begin_seq),
      spilled_seq_(state.end_seq),
      written_seq_(state.end_seq),
      device_seq_(state.end_seq),
      kernel_seq_(state.end_seq),
      tail_seq_(state.end_seq),
      in_tier_(in_tier),
      tier_begin_seq_(state.begin_seq),
      changes_(in_tier ? 0 : 1) {}

Stream::~Stream() {
  std::vector<Slot> slots;
  {
    MutexLock lock(mu_);
    SPW_DCHECK(!claimed_);
    slots.swap(slots_);
  }
  for (const Slot& slot : slots) {
    Retire(slot.segment, spilled_seq_.load(std::memory_order_relaxed));
  }
}

void Stream::SetSegmentSizes(SegmentSizes sizes) {
  arena_bytes_max_.store(sizes.arena_bytes, std::memory_order_relaxed);
  segment_records_max_.store(sizes.records_max, std::memory_order_relaxed);
}

// ---- Adding ----

bool Stream::LikelyFits(const record::RecordBatch& batch) const {
  return batch.count() <= room_records_.load(std::memory_order_relaxed) &&
         batch.payload_bytes() <= room_bytes_.load(std::memory_order_relaxed);
}

std::vector<Stream::Part> Stream::PartsOf(const record::RecordBatch& batch, uint64_t from,
                                          uint64_t arena_bytes) const {
  const uint64_t records_max = segment_records_max_.load(std::memory_order_relaxed);
  std::vector<Part> parts;
  while (from < batch.count()) {
    Part part{from, 0, arena_bytes,
              Segment::Shape::For(arena_bytes, has_times_, records_max, batch, from), false};
    uint64_t payload_bytes = 0;
    part.count =
        batch.Fit(from, part.shape.record_capacity, part.shape.payload_capacity, &payload_bytes);
    if (part.count == 0) {
      part.own = true;
      part.count = 1;
      part.arena_bytes = Segment::OwnArenaBytes(batch.record_bytes(from), has_times_);
      part.shape = Segment::Shape::For(part.arena_bytes, has_times_, 1, batch, from);
    }
    parts.push_back(part);
    from += part.count;
  }
  return parts;
}

memory::Request Stream::PlanArenas(const record::RecordBatch& batch, uint64_t spare,
                                   std::vector<uint64_t>* own_arenas) {
  const uint64_t overhead = 2 * sizeof(uint64_t);  // of a record in its segment, at the most
  const uint64_t average = batch.payload_bytes() / batch.count() + overhead;
  // A segment that is cut by its number of records takes no more memory than those need.
  const uint64_t by_records =
      std::clamp(base::SaturatingMul(segment_records_max_.load(std::memory_order_relaxed), average),
                 memory::kArenaBytesMin, memory::kArenaBytesMax);
  const uint64_t most =
      std::min(arena_bytes_max_.load(std::memory_order_relaxed), std::bit_ceil(by_records));
  const uint64_t needed = std::bit_ceil(
      std::min(most, batch.payload_bytes() + batch.count() * overhead + sizeof(uint64_t)));
  memory::Request request{.account = &account_};
  request.arena_bytes =
      std::min(most, std::max(next_arena_bytes_.load(std::memory_order_relaxed), needed));
  own_arenas->clear();
  for (const Part& part : PartsOf(batch, 0, request.arena_bytes)) {
    if (part.own) {
      own_arenas->push_back(part.arena_bytes);
      request.extra_bytes += part.arena_bytes;
    } else {
      ++request.arenas;
    }
  }
  request.arenas += spare;
  return request;
}

Segment* Stream::ActiveLocked() const {
  return slots_.empty() || slots_.back().segment->sealed() ? nullptr : slots_.back().segment.get();
}

// Throws std::bad_alloc having changed nothing of the stream; what *fresh holds then goes back to
// the budget with it.
void Stream::MakeSlotsLocked(const std::vector<Part>& parts, uint64_t tail,
                             memory::Reservation* reservation, std::atomic<uint64_t>* stamp,
                             std::vector<Slot>* fresh) {
  fresh->reserve(parts.size());
  if (slots_.capacity() < slots_.size() + parts.size()) {
    slots_.reserve(std::max(slots_.capacity() * 2, slots_.size() + parts.size()));
  }
  for (const Part& part : parts) {
    auto segment = std::make_shared<Segment>(budget_, &account_, reservation, part.arena_bytes,
                                             tail + part.from, has_times_, part.shape);
    const uint64_t now = stamp->fetch_add(1, std::memory_order_relaxed);
    fresh->push_back(Slot{std::move(segment), now, now});
  }
}

Stream::Append Stream::TryAppend(const record::RecordBatch& batch, memory::Reservation* reservation,
                                 std::atomic<uint64_t>* stamp, uint64_t* first_seq) {
  std::vector<Slot> fresh;  // outlives the lock: on failure its arenas go back to the budget
  std::shared_ptr<Segment> dirtied;
  const Append result = TryAppendLocked(batch, reservation, stamp, first_seq, &fresh, &dirtied);
  if (dirtied != nullptr) {
    budget_->Recount(dirtied->charge());
  }
  return result;
}

Stream::Append Stream::TryAppendLocked(const record::RecordBatch& batch,
                                       memory::Reservation* reservation,
                                       std::atomic<uint64_t>* stamp, uint64_t* first_seq,
                                       std::vector<Slot>* made, std::shared_ptr<Segment>* dirtied) {
  std::vector<Slot>& fresh = *made;
  MutexLock lock(mu_);
  if (direct_) {
    return Append::kDirectWriter;
  }
  Segment* const active = ActiveLocked();
  const uint64_t tail = tail_seq_.load(std::memory_order_relaxed);
  uint64_t payload_bytes = 0;
  const uint64_t here = active == nullptr ? 0 : active->Fit(batch, 0, &payload_bytes);
  std::vector<Part> parts;
  if (here < batch.count()) {
    if (reservation->arena_bytes() == 0) {
      return Append::kNeedsArenas;
    }
    parts = PartsOf(batch, here, reservation->arena_bytes());
    const auto ordinary =
        std::count_if(parts.begin(), parts.end(), [](const Part& part) { return !part.own; });
    if (static_cast<uint64_t>(ordinary) > reservation->CountOf(reservation->arena_bytes())) {
      return Append::kNeedsArenas;
    }
    MakeSlotsLocked(parts, tail, reservation, stamp, made);
  }
  // From here on nothing fails.
  if (here > 0) {
    active->Append(batch, 0, here);
    slots_.back().batch_end_seq = here < batch.count() ? tail + batch.count() : 0;
    if (active->clean()) {
      active->SetClean(false);
      *dirtied = slots_.back().segment;
    }
  }
  if (active != nullptr && (here < batch.count() || active->full())) {
    active->Seal();
  }
  for (size_t i = 0; i < fresh.size(); ++i) {
    fresh[i].segment->Append(batch, parts[i].from, parts[i].count);
    if (i + 1 < fresh.size() || parts[i].own || fresh[i].segment->full()) {
      fresh[i].segment->Seal();
    }
    next_arena_bytes_.store(std::min(parts[i].arena_bytes * 2, memory::kArenaBytesMax),
                            std::memory_order_relaxed);
    fresh[i].batch_end_seq = i + 1 < fresh.size() ? tail + batch.count() : 0;
    slots_.push_back(std::move(fresh[i]));
  }
  reservation->RecordsUsed();
  PublishRoomLocked();
  // release: whoever reads the new tail sees the records.
  tail_seq_.store(tail + batch.count(), std::memory_order_release);
  *first_seq = tail;
  return Append::kDone;
}

void Stream::PublishRoomLocked() {
  const Segment* const active = ActiveLocked();
  room_records_.store(active == nullptr ? 0 : active->room_records(), std::memory_order_relaxed);
  room_bytes_.store(active == nullptr ? 0 : active->room_bytes(), std::memory_order_relaxed);
  if (!slots_.empty()) {
    const Segment& youngest = *slots_.back().segment;
    RaiseTo(sealed_seq_, youngest.sealed() ? youngest.end_seq() : youngest.first_seq());
  }
}

// ---- Reading ----

size_t Stream::IndexOfLocked(uint64_t seq) const {
  const auto found = std::partition_point(slots_.begin(), slots_.end(), [&](const Slot& slot) {
    return slot.segment->end_seq() <= seq;
  });
  return static_cast<size_t>(found - slots_.begin());
}

Stream::Place Stream::Locate(uint64_t seq, uint64_t end_seq, uint64_t now,
                             PinnedColumns* found) const {
  MutexLock lock(mu_);
  if (seq < begin_seq_.load(std::memory_order_relaxed)) {
    return Place::kTrimmed;
  }
  if (seq >= tail_seq_.load(std::memory_order_relaxed)) {
    return Place::kBeyond;
  }
  const size_t i = IndexOfLocked(seq);
  if (i == slots_.size() || seq < slots_[i].segment->first_seq()) {
    return Place::kCold;
  }
  slots_[i].last_use = std::max(slots_[i].last_use, now);
  const std::shared_ptr<Segment>& segment = slots_[i].segment;
  found->owner = segment;
  found->columns = segment->columns(seq, std::min(end_seq, segment->end_seq()));
  return Place::kMemory;
}

Stream::Range Stream::ColdRange(uint64_t seq) const {
  MutexLock lock(mu_);
  const size_t i = IndexOfLocked(seq);
  Range range{begin_seq_.load(std::memory_order_relaxed),
              spilled_seq_.load(std::memory_order_relaxed)};
  if (i > 0) {
    range.begin_seq = std::max(range.begin_seq, slots_[i - 1].segment->end_seq());
  }
  if (i < slots_.size()) {
    range.end_seq = std::min(range.end_seq, slots_[i].segment->first_seq());
  }
  return range.begin_seq <= seq && seq < range.end_seq ? range : Range();
}

// ---- Dropping ----

void Stream::Retire(const std::shared_ptr<Segment>& segment, uint64_t spilled_seq) {
  // Only the list hands out references, and it has none any more: 1 is exact.
  segment->Retire(spilled_seq, segment.use_count() > 1);
}

Stream::Trimmed Stream::TrimTo(uint64_t seq) {
  std::vector<Slot> dropped;
  Trimmed trimmed;
  uint64_t spilled = 0;
  uint64_t unspilled_left_behind = 0;
  {
    MutexLock lock(mu_);
    trimmed.begin_seq = begin_seq_.load(std::memory_order_relaxed);
    const uint64_t tail = tail_seq_.load(std::memory_order_relaxed);
    seq = std::min(seq, tail);
    if (seq <= trimmed.begin_seq) {
      return trimmed;
    }
    trimmed.count = seq - trimmed.begin_seq;
    trimmed.begin_seq = seq;
    if (seq == tail) {
      dropped.swap(slots_);
    } else {
      const auto kept = slots_.begin() + static_cast<ptrdiff_t>(IndexOfLocked(seq));
      dropped.assign(std::make_move_iterator(slots_.begin()), std::make_move_iterator(kept));
      slots_.erase(slots_.begin(), kept);
    }
    spilled = spilled_seq_.load(std::memory_order_relaxed);
    if (!slots_.empty() && spilled < seq) {
      // The segment stays until all of it is gone, but these will never be spilled.
      const uint64_t first = std::max(spilled, slots_.front().segment->first_seq());
      unspilled_left_behind = seq - std::min(first, seq);
    }
    // Downwards from the tail, so that no reader without the mutex sees them out of order.
    RaiseTo(written_seq_, seq);
    RaiseTo(spilled_seq_, seq);
    begin_seq_.store(seq, std::memory_order_release);
    ++changes_;
    PublishRoomLocked();
  }
  for (const Slot& slot : dropped) {
    Retire(slot.segment, spilled);
  }
  if (unspilled_left_behind > 0) {
    budget_->Spilled(&account_, unspilled_left_behind);
  }
  return trimmed;
}

uint64_t Stream::oldest_end_seq() const {
  MutexLock lock(mu_);
  return slots_.empty() ? 0 : slots_.front().segment->end_seq();
}

bool Stream::Evict(uint64_t first_seq, uint64_t last_use) {
  std::shared_ptr<Segment> evicted;
  uint64_t spilled = 0;
  {
    MutexLock lock(mu_);
    const auto slot = slots_.begin() + static_cast<ptrdiff_t>(IndexOfLocked(first_seq));
    if (slot == slots_.end() || slot->segment->first_seq() != first_seq ||
        !slot->segment->clean() || slot->last_use != last_use) {
      return false;
    }
    spilled = spilled_seq_.load(std::memory_order_relaxed);
    evicted = std::move(slot->segment);
    slots_.erase(slot);
    PublishRoomLocked();  // it may have been the active one
  }
  Retire(evicted, spilled);
  return true;
}

bool Stream::Promote(const std::shared_ptr<Segment>& copy, uint64_t now) {
  MutexLock lock(mu_);
  SPW_CHECK(copy->clean() && copy->sealed() && copy->end_seq() <= spilled_seq_);
  const size_t i = IndexOfLocked(copy->first_seq());
  if (copy->first_seq() < begin_seq_ ||
      (i < slots_.size() && slots_[i].segment->first_seq() < copy->end_seq())) {
    return false;
  }
  slots_.insert(slots_.begin() + static_cast<ptrdiff_t>(i), Slot{copy, now, now});
  return true;
}

size_t Stream::EvictSome(uint64_t end_seq) {
  std::array<std::shared_ptr<Segment>, 64> evicted;  // allocates nothing
  size_t count = 0;
  uint64_t spilled = 0;
  {
    MutexLock lock(mu_);
    auto kept = slots_.begin();
    for (Slot& slot : slots_) {
      if (count < evicted.size() && slot.segment->clean() && slot.segment->first_seq() < end_seq) {
        evicted[count++] = std::move(slot.segment);
      } else if (Slot* const to = &*kept++; to != &slot) {
        *to = std::move(slot);
      }
    }
    slots_.erase(kept, slots_.end());
    spilled = spilled_seq_.load(std::memory_order_relaxed);
    PublishRoomLocked();
  }
  for (size_t i = 0; i < count; ++i) {
    Retire(evicted[i], spilled);
  }
  return count;
}

}  // namespace spillway::hybrid
