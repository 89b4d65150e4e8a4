// Consecutive records of one stream in one arena, laid out as columns: payload bytes from the
// front, then begin offsets and times with room for record_capacity records.
//
// Made to be appended to, or as a sealed copy of records of the cold tier.
// Active: the stream's one appender adds to it. Sealed: immutable for ever (H3). Records below
// count() never change, so readers that hold a reference and know of a record need no lock. Owns
// its arena and what the budget charges for it; the last reference gives both back, on any thread.
// The stream takes it out of its list with Retire; after that the stream may be gone.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>

#include "internal/memory/budget.h"
#include "internal/memory/reservation.h"
#include "internal/record/columns.h"
#include "internal/record/record_batch.h"

namespace spillway::memory {

class Segment {
 public:
  // How an arena is divided between payload and places for records.
  struct Shape {
    uint64_t record_capacity = 0;
    uint64_t payload_capacity = 0;

    // For the records of the batch from `from` on, and more like them. The first of them fits,
    // unless NeedsOwnArena.
    static Shape For(uint64_t arena_bytes, bool has_times, uint64_t records_max,
                     const record::RecordBatch& batch, uint64_t from);
  };
  // What an arena for just one record takes; and whether it does not fit into an ordinary one.
  static uint64_t OwnArenaBytes(uint64_t record_bytes, bool has_times);
  static bool NeedsOwnArena(uint64_t record_bytes, bool has_times, uint64_t arena_bytes) {
    return OwnArenaBytes(record_bytes, has_times) > arena_bytes;
  }

  // What an arena for just these records takes.
  static uint64_t CopyArenaBytes(const record::Columns& columns);

  // Takes an arena of the reservation over, whose bytes are charged to `account`. Does not throw
  // once it has it.
  Segment(std::shared_ptr<MemoryBudget> budget, Account* account, Reservation* reservation,
          uint64_t arena_bytes, uint64_t first_seq, bool has_times, Shape shape);
  // A copy of records of the cold tier, sealed and clean, in an arena of CopyArenaBytes. The
  // reservation has places for them.
  Segment(std::shared_ptr<MemoryBudget> budget, Account* account, Reservation* reservation,
          const record::Columns& columns);
  ~Segment();
  Segment(const Segment&) = delete;
  Segment& operator=(const Segment&) = delete;

  uint64_t first_seq() const { return first_seq_; }
  uint64_t end_seq() const { return first_seq_ + count_; }
  uint64_t count() const { return count_; }
  uint64_t arena_bytes() const { return arena_.bytes(); }
  bool has_times() const { return times_ != nullptr; }

  // The records [from, to), which must be there.
  record::Columns columns(uint64_t from, uint64_t to) const {
    return record::Columns{first_seq_, 0, data_, begin_, times_}.Slice(from, to);
  }

  // How many records of the batch from `from` on fit; their payload in *payload_bytes.
  uint64_t Fit(const record::RecordBatch& batch, uint64_t from, uint64_t* payload_bytes) const;
  // Appends records that fit, whose places are charged to the account.
  void Append(const record::RecordBatch& batch, uint64_t from, uint64_t count);

  bool full() const { return count_ == shape_.record_capacity; }
  uint64_t room_records() const { return shape_.record_capacity - count_; }
  uint64_t room_bytes() const { return shape_.payload_capacity - begin_[count_]; }
  bool sealed() const { return sealed_; }
  void Seal() { sealed_ = true; }
  // All its records are in the cold tier too. After a change the stream calls
  // MemoryBudget::Recount, once it holds no mutex.
  bool clean() const { return charge_.clean.load(std::memory_order_relaxed); }
  void SetClean(bool clean) { charge_.clean.store(clean, std::memory_order_release); }
  Charge* charge() { return &charge_; }

  // The stream drops it; records at or above spilled_seq are lost on purpose. `shared`: others hold
  // references, so its bytes are pinned from now on.
  void Retire(uint64_t spilled_seq, bool shared);

 private:
  const std::shared_ptr<MemoryBudget> budget_;
  Arena arena_;
  Charge charge_;
  const uint64_t first_seq_;
  const Shape shape_;
  uint8_t* const data_;
  uint64_t* const begin_;
  int64_t* const times_;
  uint64_t count_ = 0;
  uint64_t unspilled_when_retired_ = 0;
  bool sealed_ = false;
  bool pinned_ = false;  // charged as such; the account may be gone
};

}  // namespace spillway::memory
