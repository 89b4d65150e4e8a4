// How a stream's records come to the cold tier: claims, direct writers, and what flushes ask for.

#include <algorithm>

#include "internal/hybrid/stream.h"

namespace spillway::hybrid {

using base::MutexLock;
using memory::Segment;

// ---- Spilling ----

// Allocates nothing: it must not fail once the records are spilled.
void Stream::MarkClean(uint64_t from, uint64_t to) {
  while (from < to) {
    std::shared_ptr<Segment> segment;
    {
      MutexLock lock(mu_);
      const size_t i = IndexOfLocked(from);
      if (i == slots_.size() || slots_[i].segment->end_seq() > to) {
        return;
      }
      segment = slots_[i].segment;
      segment->SetClean(true);
      from = segment->end_seq();
    }
    budget_->Recount(segment->charge());
  }
}

Stream::Oldest Stream::OldestUnwritten(uint64_t* stamp) const {
  MutexLock lock(mu_);
  const size_t i = IndexOfLocked(written_seq_);
  if (claimed_ || i == slots_.size()) {
    return Oldest::kNone;
  }
  *stamp = slots_[i].stamp;
  return slots_[i].segment->sealed() ? Oldest::kSealed : Oldest::kActive;
}

void Stream::StartClaimLocked(Claim* claim) {
  if (!in_tier_) {
    claim->create = cold::StreamState{id_, name_, has_times_, 0, 0};
  }
  const uint64_t begin = begin_seq_.load(std::memory_order_relaxed);
  if (begin > tier_begin_seq_) {
    claim->trim = cold::Trim{id_, begin};
  }
  claim->changes = changes_;
  claim->written_seq = written_seq_;
  claim->stream = this;  // from here on it has to be ended
  claimed_ = true;
}

// A batch is never split between two transactions: after a crash it is there completely or not at
// all.
bool Stream::AddPieceLocked(const Slot& slot, uint64_t end_seq, Claim* claim) {
  const uint64_t segment_end_seq = slot.segment->end_seq();
  end_seq = std::min(std::max(end_seq, claim->whole_seq), segment_end_seq);
  if (end_seq <= claim->written_seq) {
    return false;
  }
  claim->segments.push_back(slot.segment);
  claim->pieces.push_back(cold::Piece{id_, slot.segment->columns(claim->written_seq, end_seq)});
  const record::Columns& columns = claim->pieces.back().columns;
  claim->written_seq = end_seq;
  claim->records += columns.count;
  claim->payload_bytes += columns.payload_bytes();
  if (end_seq == segment_end_seq) {
    claim->arena_bytes += slot.segment->arena_bytes();
    claim->whole_seq = std::max(claim->whole_seq, slot.batch_end_seq);
  }
  return true;
}

bool Stream::ClaimSegments(const Want& want, bool may_seal, Claim* claim) {
  MutexLock lock(mu_);
  size_t i = IndexOfLocked(written_seq_);
  if (claimed_ || i == slots_.size() || (!slots_[i].segment->sealed() && !may_seal)) {
    return false;
  }
  StartClaimLocked(claim);
  for (; i < slots_.size(); ++i) {
    Segment& segment = *slots_[i].segment;
    const bool enough =
        (claim->arena_bytes >= want.arena_bytes && claim->records >= want.records) ||
        claim->payload_bytes >= want.payload_bytes;
    const bool more = (claim->pieces.empty() || !enough) && (segment.sealed() || may_seal);
    if (more && !segment.sealed()) {
      segment.Seal();
      PublishRoomLocked();
    }
    if (!AddPieceLocked(slots_[i], more ? segment.end_seq() : 0, claim)) {
      break;
    }
  }
  return true;
}

bool Stream::ClaimUpTo(uint64_t target_seq, const Want& want, Claim* claim) {
  MutexLock lock(mu_);
  if (claimed_ || (target_seq <= written_seq_ && changes_ == changes_written_)) {
    return false;
  }
  StartClaimLocked(claim);
  for (size_t i = IndexOfLocked(written_seq_); i < slots_.size(); ++i) {
    const bool more = claim->payload_bytes < want.payload_bytes;
    if (!AddPieceLocked(slots_[i], more ? target_seq : 0, claim)) {
      break;
    }
  }
  return true;
}

void Stream::EndClaim(const Claim& claim, bool ok) {
  MutexLock lock(mu_);
  claimed_ = false;
  direct_waiters_.NotifyAll();
  if (ok) {
    in_tier_ = true;
    tier_begin_seq_ = claim.trim.has_value() ? claim.trim->begin_seq : tier_begin_seq_;
    RaiseTo(written_seq_, claim.written_seq);
    RaiseTo(kernel_seq_, claim.written_seq);
    RaiseTo(changes_written_, claim.changes);
  }
}

void Stream::MarkSpilled(const Position& position) {
  uint64_t before = 0;
  {
    MutexLock lock(mu_);
    RaiseTo(changes_spilled_, position.changes);
    // What was cleared meanwhile is below `before`, and no longer in the list.
    before = spilled_seq_.load(std::memory_order_relaxed);
    RaiseTo(spilled_seq_, position.seq);
    RaiseTo(device_seq_, position.seq);
    direct_waiters_.NotifyAll();
  }
  if (position.seq > before) {
    budget_->Spilled(&account_, position.seq - before);
    MarkClean(before, position.seq);
  }
}

// ---- Writing around memory ----

base::Status Stream::EnterDirect(const base::Patience& patience) {
  return direct_waiters_.Wait(mu_, patience, [&] {
    mu_.AssertHeld();
    const bool mine = !direct_;
    direct_ = true;
    return mine;
  });
}

void Stream::LeaveDirect() {
  MutexLock lock(mu_);
  direct_ = false;
  direct_waiters_.NotifyAll();
}

base::Status Stream::AwaitNoDirect(const base::Patience& patience) {
  return direct_waiters_.Wait(mu_, patience, [&] {
    mu_.AssertHeld();
    return !direct_;
  });
}

base::Status Stream::ClaimTail(const base::Patience& patience, Claim* claim) {
  return direct_waiters_.Wait(mu_, patience, [&] {
    mu_.AssertHeld();
    if (claimed_ ||
        spilled_seq_.load(std::memory_order_relaxed) != tail_seq_.load(std::memory_order_relaxed)) {
      return false;
    }
    StartClaimLocked(claim);
    if (Segment* const active = ActiveLocked()) {
      active->Seal();  // what comes next does not follow it in memory
      PublishRoomLocked();
    }
    return true;
  });
}

void Stream::PublishDirect(const Claim& claim, uint64_t count) {
  const uint64_t tail = claim.written_seq + count;
  EndClaim(claim, true);
  MutexLock lock(mu_);
  RaiseTo(changes_spilled_, claim.changes);
  tail_seq_.store(tail, std::memory_order_release);
  for (std::atomic<uint64_t>* mark : {&written_seq_, &spilled_seq_, &kernel_seq_, &device_seq_}) {
    RaiseTo(*mark, tail);
  }
}

// ---- Flushing ----

Stream::Position Stream::position() const {
  MutexLock lock(mu_);
  return {tail_seq_.load(std::memory_order_relaxed), changes_};
}

bool Stream::Reached(const Position& position, cold::Durability durability) const {
  const bool device = durability == cold::Durability::kDevice;
  const std::atomic<uint64_t>& seq = device ? device_seq_ : kernel_seq_;
  const std::atomic<uint64_t>& changes = device ? changes_spilled_ : changes_written_;
  return seq.load(std::memory_order_acquire) >= position.seq &&
         changes.load(std::memory_order_acquire) >= position.changes;
}

void Stream::Ask(const Position& position) {
  MutexLock lock(mu_);
  wanted_.seq = std::max(wanted_.seq, position.seq);
  wanted_.changes = std::max(wanted_.changes, position.changes);
}

bool Stream::Asked(uint64_t* target_seq) const {
  MutexLock lock(mu_);
  *target_seq = wanted_.seq;
  return !claimed_ && (wanted_.seq > kernel_seq_ || wanted_.changes > changes_written_);
}

}  // namespace spillway::hybrid
