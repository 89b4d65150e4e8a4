// One stream: its watermarks and its segments in memory.
//
// begin_seq <= spilled_seq <= written_seq <= tail_seq, and each only goes up (H2). Below
// spilled_seq records are on the device in the cold tier, and perhaps also in memory; below
// written_seq with the operating system; at or above spilled_seq in memory (H1). The segments do
// not overlap and cover [spilled_seq, tail_seq) without a gap (H8). Thread-safe. A mutex is held
// for the copy of a batch at the most, never for I/O or a wait (H6).
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "internal/base/mutex.h"
#include "internal/base/wait_list.h"
#include "internal/cold/cold_tier.h"
#include "internal/memory/budget.h"
#include "internal/memory/reservation.h"
#include "internal/memory/segment.h"
#include "internal/record/record_batch.h"

namespace spillway::hybrid {

// How new segments are cut; follows the budgets.
struct SegmentSizes {
  uint64_t arena_bytes = memory::kArenaBytesMax;
  uint64_t records_max = base::kUnlimited;
};

// Records in memory, kept alive by `owner`.
struct PinnedColumns {
  std::shared_ptr<const void> owner;
  record::Columns columns;
};

class Stream {
 public:
  // `state`: as the cold tier has it, or new.
  Stream(const cold::StreamState& state, bool in_tier,
         std::shared_ptr<memory::MemoryBudget> budget);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  uint32_t id() const { return id_; }
  const std::string& name() const { return name_; }
  bool has_times() const { return has_times_; }
  memory::Account* account() { return &account_; }

  // Read in this order they are never out of order.
  uint64_t begin_seq() const { return begin_seq_.load(std::memory_order_acquire); }
  uint64_t spilled_seq() const { return spilled_seq_.load(std::memory_order_acquire); }
  uint64_t tail_seq() const { return tail_seq_.load(std::memory_order_acquire); }
  // Where the last sealed segment ended that was the youngest.
  uint64_t sealed_seq() const { return sealed_seq_.load(std::memory_order_relaxed); }

  // Options that change while running.
  std::atomic<int64_t> when_full{0};
  std::atomic<uint64_t> budget_bytes{base::kUnlimited};
  std::atomic<uint64_t> budget_records{base::kUnlimited};
  void SetSegmentSizes(SegmentSizes sizes);
  // The hard limit that follows from budget_bytes.
  std::atomic<uint64_t> hard_bytes{base::kUnlimited};

  // ---- Adding
  // True if a batch most likely fits into the active segment.
  bool LikelyFits(const record::RecordBatch& batch) const;
  // The arenas that the batch takes at the most, started in a fresh one, and `spare` more; sizes of
  // arenas for single large records in *own_arenas.
  memory::Request PlanArenas(const record::RecordBatch& batch, uint64_t spare,
                             std::vector<uint64_t>* own_arenas);
  // Appends with what is reserved, from *first_seq on. Otherwise nothing has changed: it needs
  // (more) arenas, or a direct writer is at work. `stamp` orders segments of all streams by age.
  enum class Append { kDone, kNeedsArenas, kDirectWriter };
  Append TryAppend(const record::RecordBatch& batch, memory::Reservation* reservation,
                   std::atomic<uint64_t>* stamp, uint64_t* first_seq) SPW_EXCLUDES(mu_);

  // ---- Reading
  enum class Place { kMemory, kCold, kTrimmed, kBeyond };
  // Where a record is; in memory: with those behind it in the same segment, up to end_seq. That is
  // a use of the segment at the time `now`, unless that is kNoUse.
  static constexpr uint64_t kNoUse = 0;
  Place Locate(uint64_t seq, uint64_t end_seq, uint64_t now, PinnedColumns* found) const
      SPW_EXCLUDES(mu_);
  // The stretch around a record that is in the cold tier alone; empty if there is none.
  struct Range {
    uint64_t begin_seq = 0;
    uint64_t end_seq = 0;
  };
  Range ColdRange(uint64_t seq) const SPW_EXCLUDES(mu_);

  // ---- Dropping
  // Drops the records below seq, at the most up to the tail. Their segments go once all of their
  // records are dropped. O(1) on disk.
  struct Trimmed {
    uint64_t count = 0;      // of records
    uint64_t begin_seq = 0;  // of the stream from now on
  };
  Trimmed TrimTo(uint64_t seq) SPW_EXCLUDES(mu_);
  // Where the oldest segment in memory ends; 0 if there is none.
  uint64_t oldest_end_seq() const SPW_EXCLUDES(mu_);
  // Calls visit(first_seq, last_use) for each clean segment, be it active, in order.
  template <class Visit>
  void VisitClean(Visit&& visit) const SPW_EXCLUDES(mu_) {
    base::MutexLock lock(mu_);
    for (const Slot& slot : slots_) {
      if (slot.segment->clean()) {
        visit(slot.segment->first_seq(), slot.last_use);
      }
    }
  }
  // Drops the segment that VisitClean told of from memory; false if it is not there any more, not
  // clean, or was used since.
  bool Evict(uint64_t first_seq, uint64_t last_use) SPW_EXCLUDES(mu_);
  // Takes a copy of records of the cold tier in, at a time of the stamps' clock; false if they were
  // trimmed or are in memory, all or in part.
  bool Promote(const std::shared_ptr<memory::Segment>& copy, uint64_t now) SPW_EXCLUDES(mu_);
  // Drops some of the clean segments that begin below end_seq, and says how many; 0: all are gone.
  size_t EvictSome(uint64_t end_seq) SPW_EXCLUDES(mu_);

  // How far a stream has come: records, and changes of the catalog (created, trimmed).
  struct Position {
    uint64_t seq = 0;
    uint64_t changes = 0;
  };

  // ---- Spilling. A claim is a right to write the stream, held by one spill at a time.
  struct Claim {
    Stream* stream = nullptr;
    std::vector<std::shared_ptr<memory::Segment>> segments;  // keeps what the pieces point to
    std::vector<cold::Piece> pieces;
    std::optional<cold::StreamState> create;
    std::optional<cold::Trim> trim;
    uint64_t written_seq = 0;  // when it succeeds
    uint64_t whole_seq = 0;    // the last batch in it ends here
    uint64_t changes = 0;
    uint64_t records = 0;
    uint64_t payload_bytes = 0;
    uint64_t arena_bytes = 0;
  };
  // How much a claim may take: at least one segment, then while it is below both.
  struct Want {
    uint64_t arena_bytes = 0;
    uint64_t payload_bytes = 0;
    uint64_t records = 0;
  };
  enum class Oldest { kNone, kSealed, kActive };
  // What there is to be spilled for the sake of memory, and its age.
  Oldest OldestUnwritten(uint64_t* stamp) const SPW_EXCLUDES(mu_);
  // Claims whole segments; may_seal: also the active one, sealing it. False if there is nothing, or
  // a claim is out.
  bool ClaimSegments(const Want& want, bool may_seal, Claim* claim) SPW_EXCLUDES(mu_);
  // Claims records below target_seq, also from the active segment, and changes of the catalog.
  bool ClaimUpTo(uint64_t target_seq, const Want& want, Claim* claim) SPW_EXCLUDES(mu_);
  // The claim is with the operating system, or (ok false) is not.
  void EndClaim(const Claim& claim, bool ok) SPW_EXCLUDES(mu_);
  // Everything up to a position is on the device.
  void MarkSpilled(const Position& position) SPW_EXCLUDES(mu_);

  // ---- Writing around memory: a batch that is larger than the hard limit goes straight to the
  // cold tier. Keeps other adders out, after other direct writers are done; then everything in
  // memory is to be flushed.
  base::Status EnterDirect(const base::Patience& patience) SPW_EXCLUDES(mu_);
  void LeaveDirect() SPW_EXCLUDES(mu_);
  // Waits until no direct writer is at work.
  base::Status AwaitNoDirect(const base::Patience& patience) SPW_EXCLUDES(mu_);
  // Claims the stream's end for records from claim->written_seq on, once everything in memory is
  // spilled and no other claim is out.
  base::Status ClaimTail(const base::Patience& patience, Claim* claim) SPW_EXCLUDES(mu_);
  // Ends that claim: the `count` records are on the device, and visible.
  void PublishDirect(const Claim& claim, uint64_t count) SPW_EXCLUDES(mu_);

  // ---- Flushing
  Position position() const SPW_EXCLUDES(mu_);
  // What is with the operating system.
  Position written_position() const {
    return {kernel_seq_.load(std::memory_order_acquire),
            changes_written_.load(std::memory_order_acquire)};
  }
  // Whether everything up to a position is with the operating system, or on the device.
  // Lock-free.
  bool Reached(const Position& position, cold::Durability durability) const;
  uint64_t written_seq() const { return written_seq_.load(std::memory_order_acquire); }
  // Asks the spiller for it.
  void Ask(const Position& position) SPW_EXCLUDES(mu_);
  // Whether something asked for is not written and not claimed; up to where.
  bool Asked(uint64_t* target_seq) const SPW_EXCLUDES(mu_);
  // Whether something asked for is not on the device, claimed or not.
  bool AskedIsLeft() const SPW_EXCLUDES(mu_) {
    base::MutexLock lock(mu_);
    return !Reached(wanted_, cold::Durability::kDevice);
  }

 private:
  struct Slot {
    std::shared_ptr<memory::Segment> segment;
    uint64_t stamp;              // when it was made
    mutable uint64_t last_use;   // of the stamps' clock; a read is a use
    uint64_t batch_end_seq = 0;  // of a batch that goes on in the next one
  };

  // A stretch of a batch that goes into one fresh arena.
  struct Part {
    uint64_t from;
    uint64_t count;
    uint64_t arena_bytes;
    memory::Segment::Shape shape;
    bool own;  // made for one large record
  };
  std::vector<Part> PartsOf(const record::RecordBatch& batch, uint64_t from,
                            uint64_t arena_bytes) const;

  // *made and *dirtied (a clean segment that was appended to) are for the caller to deal with once
  // no mutex is held.
  Append TryAppendLocked(const record::RecordBatch& batch, memory::Reservation* reservation,
                         std::atomic<uint64_t>* stamp, uint64_t* first_seq, std::vector<Slot>* made,
                         std::shared_ptr<memory::Segment>* dirtied) SPW_EXCLUDES(mu_);
  memory::Segment* ActiveLocked() const SPW_REQUIRES(mu_);
  void MakeSlotsLocked(const std::vector<Part>& parts, uint64_t tail,
                       memory::Reservation* reservation, std::atomic<uint64_t>* stamp,
                       std::vector<Slot>* fresh) SPW_REQUIRES(mu_);
  void PublishRoomLocked() SPW_REQUIRES(mu_);
  void StartClaimLocked(Claim* claim) SPW_REQUIRES(mu_);
  // Takes a segment's records below end_seq, and what it has of a batch that is begun; false if
  // there are none.
  bool AddPieceLocked(const Slot& slot, uint64_t end_seq, Claim* claim) SPW_REQUIRES(mu_);
  // Watermarks only go up. Under the mutex.
  static void RaiseTo(std::atomic<uint64_t>& mark, uint64_t value) {
    if (value > mark.load(std::memory_order_relaxed)) {
      mark.store(value, std::memory_order_release);
    }
  }
  // The first slot that holds a record at or above seq.
  size_t IndexOfLocked(uint64_t seq) const SPW_REQUIRES(mu_);
  // Marks segments that end in (from, to], all of it spilled, as clean.
  void MarkClean(uint64_t from, uint64_t to) SPW_EXCLUDES(mu_);
  // The caller holds the reference that the list had, and drops it next.
  static void Retire(const std::shared_ptr<memory::Segment>& segment, uint64_t spilled_seq);

  const uint32_t id_;
  const std::string name_;
  const bool has_times_;
  const std::shared_ptr<memory::MemoryBudget> budget_;
  memory::Account account_;

  mutable base::Mutex mu_;
  // Written under the mutex, read by anybody.
  std::atomic<uint64_t> begin_seq_;
  std::atomic<uint64_t> spilled_seq_;
  std::atomic<uint64_t> written_seq_;
  // Up to where the cold tier has the records, or the trim that dropped them: a trim raises the two
  // above at once, these only with the commit that it comes with. What flushes wait for.
  std::atomic<uint64_t> device_seq_;
  std::atomic<uint64_t> kernel_seq_;
  std::atomic<uint64_t> tail_seq_;
  std::atomic<uint64_t> sealed_seq_{0};
  // Changes of the catalog (created, trimmed) that reached the operating system, the device.
  std::atomic<uint64_t> changes_written_{0};
  std::atomic<uint64_t> changes_spilled_{0};
  std::vector<Slot> slots_ SPW_GUARDED_BY(mu_);
  bool claimed_ SPW_GUARDED_BY(mu_) = false;
  bool in_tier_ SPW_GUARDED_BY(mu_);
  uint64_t tier_begin_seq_ SPW_GUARDED_BY(mu_);
  uint64_t changes_ SPW_GUARDED_BY(mu_);
  Position wanted_ SPW_GUARDED_BY(mu_);
  bool direct_ SPW_GUARDED_BY(mu_) = false;
  base::WaitList direct_waiters_;

  // Hints for adders that have not taken the mutex.
  std::atomic<uint64_t> room_records_{0};
  std::atomic<uint64_t> room_bytes_{0};
  std::atomic<uint64_t> next_arena_bytes_{memory::kArenaBytesMin};
  std::atomic<uint64_t> arena_bytes_max_{memory::kArenaBytesMax};
  std::atomic<uint64_t> segment_records_max_{base::kUnlimited};
};

}  // namespace spillway::hybrid
