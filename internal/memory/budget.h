// Who may hold how much memory: the one budget of a store, in bytes and in records, and the
// accounts of its streams inside it.
//
// Words: unspilled + clean + free = resident bytes; pinned come on top.
// Invariant (H7): resident bytes and records never exceed the hard limit, at any instant; every
// byte is charged before it is mapped, and unmapped (or kept as free) before it is given back.
// Pinned bytes cannot block anybody. Clean bytes are a cache: they are taken only below the soft
// limit, and given back before anybody waits. Waiting requests are granted in the order they came,
// by whoever gives memory back; one that only its own account holds up lets others pass.
// Thread-safe. Knows nothing of streams' contents, tiers or policies.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <vector>

#include "internal/base/bytes.h"
#include "internal/base/mutex.h"
#include "internal/base/operation.h"
#include "internal/base/status.h"
#include "internal/base/wait_list.h"
#include "internal/memory/arena.h"

namespace spillway::memory {

// Spilling starts above soft and stops at low; nothing passes hard. base::kUnlimited where there is
// no limit.
struct Limit {
  uint64_t low = base::kUnlimited;
  uint64_t soft = base::kUnlimited;
  uint64_t hard = base::kUnlimited;
};
struct Limits {
  Limit bytes;
  Limit records;
};

// A store's or a stream's part of the budget: limits and what is held. Guarded by the budget's
// mutex; reading a counter needs none.
class Account {
 public:
  uint64_t bytes_resident() const { return bytes_resident_.load(std::memory_order_relaxed); }
  uint64_t bytes_unspilled() const { return bytes_unspilled_.load(std::memory_order_relaxed); }
  uint64_t records_resident() const { return records_resident_.load(std::memory_order_relaxed); }
  uint64_t records_unspilled() const { return records_unspilled_.load(std::memory_order_relaxed); }
  // Above its soft limit and not yet back at low, or somebody waits for it: its oldest records
  // ought to be spilled.
  bool pressed() const { return pressed_.load(std::memory_order_relaxed); }

 private:
  friend class MemoryBudget;
  Limits limits_;
  uint32_t waiting_ = 0;
  std::atomic<uint64_t> bytes_resident_{
      0};  // unspilled and clean; the budget's own account: free too
  std::atomic<uint64_t> bytes_unspilled_{0};
  std::atomic<uint64_t> records_resident_{0};
  std::atomic<uint64_t> records_unspilled_{0};
  std::atomic<bool> pressed_{false};
};

// What an arena in use costs an account. `clean` is its holder's word; how it is counted is the
// budget's.
struct Charge {
  Account* account = nullptr;  // null once it is counted no more; guarded by the budget's mutex
  uint64_t bytes = 0;
  std::atomic<bool> clean{false};  // all its records are in the cold tier too
  bool counted_clean = false;      // guarded by the budget's mutex
};

// What an adder wants: some arenas of one size, one-off arenas by the byte, and places for records.
struct Request {
  Account* account = nullptr;  // of the stream
  uint64_t arenas = 0;
  uint64_t arena_bytes = 0;
  uint64_t extra_bytes = 0;
  uint64_t records = 0;
  bool clean = false;  // for copies of what is in the cold tier: only TryClean grants it

  uint64_t bytes() const {
    return base::SaturatingAdd(base::SaturatingMul(arenas, arena_bytes), extra_bytes);
  }
};

// Recycled arenas that came with a granted request; the rest of its bytes is to be mapped afresh.
struct Grant {
  ArenaList recycled;
  ArenaList dropped;  // unmapped with the grant's maker, before it maps anything
};

class MemoryBudget {
 public:
  enum class Attempt {
    kGranted,
    kEvict,     // it fits, or would without passing the soft limit, once clean memory is given back
    kEvictOwn,  // the same, and it has to be memory of the request's own stream
    kWait,
    kNever,  // larger than a hard limit
  };

  explicit MemoryBudget(const Limits& limits) { total_.limits_ = limits; }
  MemoryBudget(const MemoryBudget&) = delete;
  MemoryBudget& operator=(const MemoryBudget&) = delete;

  // Of all: free memory above the new hard limit goes back to the system.
  void SetLimits(const Limits& limits) SPW_EXCLUDES(mu_);
  void SetLimits(Account* account, const Limits& limits) SPW_EXCLUDES(mu_);
  Limits limits() const SPW_EXCLUDES(mu_);

  // Without waiting. may_evict false: take what fits below the hard limit without asking for clean
  // memory first.
  Attempt Try(const Request& request, bool may_evict, Grant* grant) SPW_EXCLUDES(mu_);

  // The same for a request of clean memory, which never waits: kEvict and kEvictOwn (other clean
  // memory is in its way), or kNever (for unspilled records are, or somebody waits).
  Attempt TryClean(const Request& request, Grant* grant) SPW_EXCLUDES(mu_);

  // A place in the queue. Between Queue and Await the caller wakes who can make room. Await leaves
  // the queue, however it ends: OK with the grant, or kTimeout, kWouldBlock, kCancelled, kTooBig,
  // or what SetVerdict said.
  class Waiter {
   public:
    Waiter(const Request& request, Grant* grant, const base::Patience& patience)
        : request_(request), grant_(grant), patience_(patience) {}

   private:
    friend class MemoryBudget;
    const Request& request_;
    Grant* const grant_;
    const base::Patience patience_;
    base::Parker own_parker_;
    bool done_ = false;
    bool held_up_by_account_ = false;
    base::Status status_;

    base::Parker& parker() {
      return patience_.operation != nullptr ? patience_.operation->parker() : own_parker_;
    }
  };
  base::Status Queue(Waiter* waiter) SPW_EXCLUDES(mu_);
  base::Status Await(Waiter* waiter) SPW_EXCLUDES(mu_);

  // Whether more is unspilled than the soft limit: whoever drains is behind. Lock-free.
  bool behind() const { return behind_.load(std::memory_order_relaxed); }
  // How long an adder is to be held up then: nothing at the soft limit, quantum_ns at the hard one,
  // in proportion between them; of bytes and records whichever is worse.
  static uint64_t PaceNanos(const Limits& limits, uint64_t bytes_unspilled,
                            uint64_t records_unspilled, uint64_t quantum_ns);
  // Holds the caller up for so long, or until nobody is behind, or its deadline, which is no
  // failure here; *paced_ns is how long it was. kCancelled.
  base::Status Pace(uint64_t quantum_ns, const base::Patience& patience, uint64_t* paced_ns)
      SPW_EXCLUDES(mu_);

  // While it is not OK, nobody waits: who would, gets it.
  void SetVerdict(const base::Status& verdict) SPW_EXCLUDES(mu_);

  // Gives back a part of a grant that was not used. The arena, if there is one, holds `bytes`;
  // `clean` as in the request.
  void Return(Account* account, Arena arena, uint64_t bytes, uint64_t records, bool clean = false)
      SPW_EXCLUDES(mu_);

  // `records` of an account reached the cold tier.
  void Spilled(Account* account, uint64_t records) SPW_EXCLUDES(mu_);
  // Counts a charge's bytes as what its `clean` says at this time; call it after every change.
  void Recount(Charge* charge) SPW_EXCLUDES(mu_);

  // Gives the free arenas back to the system.
  void ReleaseFree() SPW_EXCLUDES(mu_) { ReleaseFreeAbove(0); }

  // A segment left its stream, with `records` of which `records_unspilled` never reached the cold
  // tier (they were cleared).
  void Release(const Charge& charge, uint64_t records, uint64_t records_unspilled, Arena arena)
      SPW_EXCLUDES(mu_);
  // The same while somebody still reads it: its bytes are pinned from now on, and a Recount that
  // comes late changes nothing. ReleasePinned ends that.
  void Pin(Charge* charge, uint64_t records, uint64_t records_unspilled) SPW_EXCLUDES(mu_);
  void ReleasePinned(Arena arena) SPW_EXCLUDES(mu_);
  // Pinned memory that is not an arena: decoded cold records.
  void AddPinned(uint64_t bytes) { pinned_.fetch_add(bytes, std::memory_order_relaxed); }
  void SubPinned(uint64_t bytes) { pinned_.fetch_sub(bytes, std::memory_order_relaxed); }

  const Account& total() const { return total_; }
  uint64_t bytes_free() const { return free_bytes_.load(std::memory_order_relaxed); }
  // Goes up whenever an arena is granted or kept: as long as it stays the same, nobody wants any.
  uint64_t arena_moves() const { return arena_moves_.load(std::memory_order_relaxed); }
  uint64_t bytes_pinned() const { return pinned_.load(std::memory_order_relaxed); }
  uint64_t bytes_resident_peak() const { return bytes_peak_.load(std::memory_order_relaxed); }
  uint64_t records_resident_peak() const { return records_peak_.load(std::memory_order_relaxed); }
  uint64_t waiters() const { return waiters_count_.load(std::memory_order_relaxed); }
  // Clean memory ought to be given back: there is some, and more is resident than the soft limit,
  // or somebody waits.
  bool should_evict() const SPW_EXCLUDES(mu_);
  // How much of an account (null: of all) is to be spilled to come down to low, or to let a waiter
  // in; nothing when it is not pressed.
  struct Excess {
    uint64_t bytes = 0;
    uint64_t records = 0;
    bool any() const { return bytes > 0 || records > 0; }
  };
  Excess excess(const Account* account) const SPW_EXCLUDES(mu_);

 private:
  enum class Fit { kYes, kAccountFull, kFull, kNever };

  Fit FitLocked(const Request& request) const SPW_REQUIRES(mu_);
  bool EvictFirstLocked(const Request& request) const SPW_REQUIRES(mu_);
  bool HasClean(const Account& account) const;
  // Free arenas go until no more than that is resident.
  void ReleaseFreeAbove(uint64_t bytes_most) SPW_EXCLUDES(mu_);
  void DropFreeLocked(uint64_t room, ArenaList* dropped) SPW_REQUIRES(mu_);
  void GrantLocked(const Request& request, Grant* grant) SPW_REQUIRES(mu_);
  void KeepLocked(Arena& arena) SPW_REQUIRES(mu_);
  void ServeLocked() SPW_REQUIRES(mu_);
  void UpdatePressureLocked(Account* account) SPW_REQUIRES(mu_);
  void UpdateBehindLocked() SPW_REQUIRES(mu_);
  void UncountLocked(const Charge& charge, uint64_t records, uint64_t records_unspilled)
      SPW_REQUIRES(mu_);

  mutable base::Mutex mu_;
  Account total_;
  std::array<ArenaList, kArenaSizes> free_ SPW_GUARDED_BY(mu_);  // by size: kArenaBytesMin << i
  std::vector<Waiter*> waiters_ SPW_GUARDED_BY(mu_);             // in order of arrival
  std::atomic<uint64_t> waiters_count_{0};                       // of them, to be read by anybody
  base::Status verdict_ SPW_GUARDED_BY(mu_);
  base::WaitList pacers_;
  std::atomic<bool> behind_{false};
  std::atomic<uint64_t> free_bytes_{0};
  std::atomic<uint64_t> arena_moves_{0};
  std::atomic<uint64_t> pinned_{0};
  std::atomic<uint64_t> bytes_peak_{0};
  std::atomic<uint64_t> records_peak_{0};
};

}  // namespace spillway::memory
