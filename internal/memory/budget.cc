#include "internal/memory/budget.h"

#include <algorithm>

namespace spillway::memory {

using base::Code;
using base::MutexLock;
using base::Status;

// Less than what it takes to put a thread to sleep and wake it.
static constexpr uint64_t kPaceNanosLeast = 50'000;

// Counters are written under the mutex only; atomic for the sake of readers without it.
static void Add(std::atomic<uint64_t>& counter, uint64_t n) {
  counter.store(counter.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
}
static void Sub(std::atomic<uint64_t>& counter, uint64_t n) {
  SPW_DCHECK(counter.load(std::memory_order_relaxed) >= n);
  counter.store(counter.load(std::memory_order_relaxed) - n, std::memory_order_relaxed);
}
static void RaiseTo(std::atomic<uint64_t>& peak, uint64_t value) {
  if (value > peak.load(std::memory_order_relaxed)) {
    peak.store(value, std::memory_order_relaxed);
  }
}

// Which free list keeps arenas of this size; kArenaSizes if none does.
static size_t ListIndex(uint64_t bytes) {
  const bool kept =
      std::has_single_bit(bytes) && bytes >= kArenaBytesMin && bytes <= kArenaBytesMax;
  return kept ? static_cast<size_t>(std::countr_zero(bytes) - std::countr_zero(kArenaBytesMin))
              : kArenaSizes;
}

void MemoryBudget::SetLimits(const Limits& limits) {
  {
    MutexLock lock(mu_);
    total_.limits_ = limits;
    UpdatePressureLocked(&total_);
    ServeLocked();
  }
  ReleaseFreeAbove(limits.bytes.hard);
}

void MemoryBudget::SetLimits(Account* account, const Limits& limits) {
  MutexLock lock(mu_);
  account->limits_ = limits;
  UpdatePressureLocked(account);
  ServeLocked();
}

Limits MemoryBudget::limits() const {
  MutexLock lock(mu_);
  return total_.limits_;
}

bool MemoryBudget::HasClean(const Account& account) const {
  const uint64_t free = &account == &total_ ? bytes_free() : 0;
  return account.bytes_resident() > account.bytes_unspilled() + free ||
         account.records_resident() > account.records_unspilled();
}

MemoryBudget::Fit MemoryBudget::FitLocked(const Request& request) const {
  const uint64_t bytes = request.bytes();
  const auto never = [&](const Limits& limits) {
    return bytes > limits.bytes.hard || request.records > limits.records.hard;
  };
  const auto fits = [&](const Account& account, uint64_t free) {
    const Limits& limits = account.limits_;
    return base::SaturatingAdd(account.bytes_resident() - free, bytes) <= limits.bytes.hard &&
           base::SaturatingAdd(account.records_resident(), request.records) <= limits.records.hard;
  };
  if (never(total_.limits_) || never(request.account->limits_)) {
    return Fit::kNever;
  }
  if (!fits(*request.account, 0)) {
    return Fit::kAccountFull;
  }
  return fits(total_, bytes_free()) ? Fit::kYes : Fit::kFull;
}

// Clean memory is a cache: new records do not push the resident bytes above the soft limit while
// there is some of it.
bool MemoryBudget::EvictFirstLocked(const Request& request) const {
  const Limits& limits = total_.limits_;
  const uint64_t bytes =
      base::SaturatingAdd(total_.bytes_resident() - bytes_free(), request.bytes());
  const uint64_t records = base::SaturatingAdd(total_.records_resident(), request.records);
  return HasClean(total_) && (bytes > limits.bytes.soft || records > limits.records.soft);
}

MemoryBudget::Attempt MemoryBudget::Try(const Request& request, bool may_evict, Grant* grant) {
  MutexLock lock(mu_);
  const Fit fit = FitLocked(request);
  if (fit == Fit::kNever) {
    return Attempt::kNever;
  }
  if (may_evict) {
    if (fit == Fit::kAccountFull && HasClean(*request.account)) {
      return Attempt::kEvictOwn;
    }
    if (EvictFirstLocked(request)) {
      return Attempt::kEvict;
    }
  }
  // Nobody overtakes those who wait, except one who waits for the room of another stream.
  const bool queue_is_mine =
      std::any_of(waiters_.begin(), waiters_.end(), [&](const Waiter* waiter) {
        return !waiter->held_up_by_account_ || waiter->request_.account == request.account;
      });
  if (fit != Fit::kYes || queue_is_mine) {
    return Attempt::kWait;
  }
  GrantLocked(request, grant);
  return Attempt::kGranted;
}

MemoryBudget::Attempt MemoryBudget::TryClean(const Request& request, Grant* grant) {
  SPW_DCHECK(request.clean);
  MutexLock lock(mu_);
  const auto above_soft = [&](const Account& account, uint64_t bytes, uint64_t records) {
    const Limits& limits = account.limits_;
    return base::SaturatingAdd(bytes, request.bytes()) > limits.bytes.soft ||
           base::SaturatingAdd(records, request.records) > limits.records.soft;
  };
  for (const Account* each : {request.account, &total_}) {
    if (above_soft(*each, each->bytes_unspilled(), each->records_unspilled())) {
      return Attempt::kNever;
    }
  }
  if (!waiters_.empty()) {
    return Attempt::kNever;
  }
  if (above_soft(*request.account, request.account->bytes_resident(),
                 request.account->records_resident())) {
    return Attempt::kEvictOwn;
  }
  if (above_soft(total_, total_.bytes_resident() - bytes_free(), total_.records_resident())) {
    return Attempt::kEvict;
  }
  GrantLocked(request, grant);
  return Attempt::kGranted;
}

// Drops free arenas until `room` more bytes fit below the hard limit.
void MemoryBudget::DropFreeLocked(uint64_t room, ArenaList* dropped) {
  for (size_t i = free_.size(); i-- > 0;) {
    while (!free_[i].empty() &&
           base::SaturatingAdd(total_.bytes_resident(), room) > total_.limits_.bytes.hard) {
      Arena arena = free_[i].Pop();
      Sub(total_.bytes_resident_, arena.bytes());
      Sub(free_bytes_, arena.bytes());
      dropped->Push(std::move(arena));
    }
  }
}

void MemoryBudget::GrantLocked(const Request& request, Grant* grant) {
  uint64_t fresh_bytes = request.bytes();
  Add(arena_moves_, fresh_bytes > 0 && !request.clean ? 1 : 0);
  const size_t index = ListIndex(request.arena_bytes);
  if (index < kArenaSizes) {
    for (uint64_t i = 0; i < request.arenas && !free_[index].empty(); ++i) {
      grant->recycled.Push(free_[index].Pop());
      Sub(free_bytes_, request.arena_bytes);
      fresh_bytes -= request.arena_bytes;
    }
  }
  DropFreeLocked(fresh_bytes, &grant->dropped);
  Add(total_.bytes_resident_, fresh_bytes);
  Add(total_.records_resident_, request.records);
  Add(request.account->bytes_resident_, request.bytes());
  Add(request.account->records_resident_, request.records);
  for (Account* each : {request.account, &total_}) {
    Add(each->bytes_unspilled_, request.clean ? 0 : request.bytes());
    Add(each->records_unspilled_, request.clean ? 0 : request.records);
  }
  RaiseTo(bytes_peak_, total_.bytes_resident());
  RaiseTo(records_peak_, total_.records_resident());
  UpdatePressureLocked(&total_);
  UpdatePressureLocked(request.account);
}

void MemoryBudget::UpdatePressureLocked(Account* account) {
  const Limits& limits = account->limits_;
  const auto above = [&](uint64_t bytes, uint64_t records) {
    return account->bytes_unspilled() > bytes || account->records_unspilled() > records;
  };
  if (account->waiting_ > 0 || above(limits.bytes.soft, limits.records.soft)) {
    account->pressed_.store(true, std::memory_order_relaxed);
  } else if (!above(limits.bytes.low, limits.records.low)) {
    account->pressed_.store(false, std::memory_order_relaxed);
  }
  if (account == &total_) {
    UpdateBehindLocked();
  }
}

void MemoryBudget::UpdateBehindLocked() {
  const bool behind = verdict_.ok() && (total_.bytes_unspilled() > total_.limits_.bytes.soft ||
                                        total_.records_unspilled() > total_.limits_.records.soft);
  if (behind != behind_.load(std::memory_order_relaxed)) {
    behind_.store(behind, std::memory_order_relaxed);
    pacers_.NotifyAll();
  }
}

uint64_t MemoryBudget::PaceNanos(const Limits& limits, uint64_t bytes_unspilled,
                                 uint64_t records_unspilled, uint64_t quantum_ns) {
  const auto share = [&](const Limit& limit, uint64_t unspilled) {
    if (unspilled <= limit.soft || limit.hard <= limit.soft) {
      return 0.0;
    }
    return static_cast<double>(std::min(unspilled, limit.hard) - limit.soft) /
           static_cast<double>(limit.hard - limit.soft);
  };
  const double worst =
      std::max(share(limits.bytes, bytes_unspilled), share(limits.records, records_unspilled));
  return static_cast<uint64_t>(worst * static_cast<double>(quantum_ns));
}

Status MemoryBudget::Pace(uint64_t quantum_ns, const base::Patience& patience, uint64_t* paced_ns) {
  *paced_ns = 0;
  uint64_t nanos = 0;
  {
    MutexLock lock(mu_);
    nanos =
        PaceNanos(total_.limits_, total_.bytes_unspilled(), total_.records_unspilled(), quantum_ns);
  }
  if (nanos < kPaceNanosLeast) {
    return {};
  }
  const uint64_t started_ns = base::MonotonicNanos();
  const Status status =
      pacers_.Wait(mu_, {patience.deadline.OrAfter(started_ns, nanos), patience.operation},
                   [&] { return !behind(); });
  *paced_ns = base::MonotonicNanos() - started_ns;
  return status.code() == Code::kCancelled ? status : Status();
}

Status MemoryBudget::Queue(Waiter* waiter) {
  MutexLock lock(mu_);
  if (!verdict_.ok()) {
    return verdict_;
  }
  waiters_.push_back(waiter);
  ServeLocked();
  return {};
}

Status MemoryBudget::Await(Waiter* waiter) {
  for (;;) {
    {
      MutexLock lock(mu_);
      const bool cancelled = waiter->patience_.cancelled();
      if (waiter->done_) {
        return waiter->status_;
      }
      if (cancelled || waiter->patience_.deadline.passed()) {
        std::erase(waiters_, waiter);
        waiter->request_.account->waiting_ = 0;
        ServeLocked();  // those behind may fit where it did not
        UpdatePressureLocked(waiter->request_.account);
        return Status(cancelled                              ? Code::kCancelled
                      : waiter->patience_.deadline.no_wait() ? Code::kWouldBlock
                                                             : Code::kTimeout);
      }
    }
    waiter->parker().Park(waiter->patience_.deadline);
  }
}

void MemoryBudget::SetVerdict(const Status& verdict) {
  MutexLock lock(mu_);
  verdict_ = verdict;
  UpdateBehindLocked();
  ServeLocked();
}

// Grants what fits, in order of arrival.
void MemoryBudget::ServeLocked() {
  for (Waiter* waiter : waiters_) {
    waiter->request_.account->waiting_ = 0;
  }
  total_.waiting_ = 0;
  bool full = false;
  size_t left = 0;
  for (Waiter* waiter : waiters_) {
    const Fit fit = full ? Fit::kFull : FitLocked(waiter->request_);
    waiter->done_ = true;
    if (!verdict_.ok()) {
      waiter->status_ = verdict_;
    } else if (fit == Fit::kNever) {
      waiter->status_ = Status(Code::kTooBig, "the batch is larger than the hard limit has become");
    } else if (fit == Fit::kYes) {
      GrantLocked(waiter->request_, waiter->grant_);
    } else {
      full = full || fit == Fit::kFull;
      waiter->done_ = false;
      waiter->held_up_by_account_ = fit == Fit::kAccountFull;
      ++(waiter->held_up_by_account_ ? *waiter->request_.account : total_).waiting_;
      waiters_[left++] = waiter;
      continue;
    }
    UpdatePressureLocked(waiter->request_.account);
    waiter->parker().Unpark();
  }
  waiters_.resize(left);
  waiters_count_.store(left, std::memory_order_relaxed);
  for (Waiter* waiter : waiters_) {
    UpdatePressureLocked(waiter->request_.account);
  }
  UpdatePressureLocked(&total_);
}

// Keeps an arena for reuse if there is room for it under the hard limit. Its bytes are not counted
// when this is called.
void MemoryBudget::KeepLocked(Arena& arena) {
  const size_t index = ListIndex(arena.bytes());
  if (arena && index < kArenaSizes &&
      base::SaturatingAdd(total_.bytes_resident(), arena.bytes()) <= total_.limits_.bytes.hard) {
    Add(total_.bytes_resident_, arena.bytes());
    RaiseTo(bytes_peak_, total_.bytes_resident());  // it may have been pinned, outside of it
    Add(free_bytes_, arena.bytes());
    Add(arena_moves_, 1);
    free_[index].Push(std::move(arena));
  }
}

void MemoryBudget::Return(Account* account, Arena arena, uint64_t bytes, uint64_t records,
                          bool clean) {
  Charge charge;
  charge.account = account;
  charge.bytes = bytes;
  charge.counted_clean = clean;
  Release(charge, records, clean ? 0 : records, std::move(arena));
}

void MemoryBudget::Spilled(Account* account, uint64_t records) {
  MutexLock lock(mu_);
  for (Account* each : {account, &total_}) {
    Sub(each->records_unspilled_, records);
    UpdatePressureLocked(each);
  }
}

void MemoryBudget::Recount(Charge* charge) {
  MutexLock lock(mu_);
  const bool clean = charge->clean.load(std::memory_order_acquire);
  if (charge->account == nullptr || clean == charge->counted_clean) {
    return;
  }
  charge->counted_clean = clean;
  for (Account* each : {charge->account, &total_}) {
    (clean ? Sub : Add)(each->bytes_unspilled_, charge->bytes);
    UpdatePressureLocked(each);
  }
}

void MemoryBudget::UncountLocked(const Charge& charge, uint64_t records,
                                 uint64_t records_unspilled) {
  for (Account* account : {charge.account, &total_}) {
    Sub(account->bytes_resident_, charge.bytes);
    Sub(account->bytes_unspilled_, charge.counted_clean ? 0 : charge.bytes);
    Sub(account->records_resident_, records);
    Sub(account->records_unspilled_, records_unspilled);
    UpdatePressureLocked(account);
  }
}

void MemoryBudget::Release(const Charge& charge, uint64_t records, uint64_t records_unspilled,
                           Arena arena) {
  if (ListIndex(arena.bytes()) >= kArenaSizes) {
    arena = Arena();  // unmapped before anybody else may have its bytes
  }
  MutexLock lock(mu_);
  UncountLocked(charge, records, records_unspilled);
  KeepLocked(arena);
  ServeLocked();
}

void MemoryBudget::Pin(Charge* charge, uint64_t records, uint64_t records_unspilled) {
  AddPinned(charge->bytes);
  MutexLock lock(mu_);
  UncountLocked(*charge, records, records_unspilled);
  charge->account = nullptr;
  ServeLocked();
}

void MemoryBudget::ReleasePinned(Arena arena) {
  SubPinned(arena.bytes());
  MutexLock lock(mu_);
  KeepLocked(arena);
  ServeLocked();
}

void MemoryBudget::ReleaseFreeAbove(uint64_t bytes_most) {
  ArenaList arenas;
  uint64_t bytes = 0;
  {
    MutexLock lock(mu_);
    for (ArenaList& list : free_) {
      while (!list.empty() && total_.bytes_resident() - bytes > bytes_most) {
        Arena arena = list.Pop();
        bytes += arena.bytes();
        arenas.Push(std::move(arena));
      }
    }
    Sub(free_bytes_, bytes);
  }
  arenas = ArenaList();  // unmapped before anybody else may have its bytes
  MutexLock lock(mu_);
  Sub(total_.bytes_resident_, bytes);
  ServeLocked();
}

bool MemoryBudget::should_evict() const {
  MutexLock lock(mu_);
  const Limits& limits = total_.limits_;
  return HasClean(total_) &&
         (!waiters_.empty() || total_.bytes_resident() - bytes_free() > limits.bytes.soft ||
          total_.records_resident() > limits.records.soft);
}

MemoryBudget::Excess MemoryBudget::excess(const Account* account) const {
  MutexLock lock(mu_);
  const Account& of = account == nullptr ? total_ : *account;
  if (!of.pressed()) {
    return {};
  }
  const auto above = [](uint64_t n, uint64_t low) { return n > low ? n - low : 0; };
  Excess excess{.bytes = above(of.bytes_unspilled(), of.limits_.bytes.low),
                .records = above(of.records_unspilled(), of.limits_.records.low)};
  if (!excess.any()) {
    excess.bytes = 1;  // a large request waits: the oldest run makes room for it
  }
  return excess;
}

}  // namespace spillway::memory
