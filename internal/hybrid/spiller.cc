#include "internal/hybrid/spiller.h"

#include <algorithm>

#include "internal/base/clock.h"

namespace spillway::hybrid {

using base::Code;
using base::MutexLock;
using base::Status;
using cold::Durability;
using Excess = memory::MemoryBudget::Excess;

static constexpr std::chrono::milliseconds kBackOffFirst{10};
static constexpr std::chrono::milliseconds kBackOffMost{1000};

// ---- Threads ----

Status Spiller::Start(uint32_t threads, const std::shared_ptr<void>& keep_alive,
                      std::function<void()> when_abandoned) {
  when_abandoned_ = std::move(when_abandoned);
  threads_.reserve(threads);
  for (uint32_t i = 0; i < threads; ++i) {
    {
      MutexLock lock(mu_);
      ++running_;
    }
    base::Result<base::Worker> thread =
        base::Worker::Start("spw-spill-" + std::to_string(i), [this, keep_alive] { Work(); });
    if (!thread.ok()) {
      MutexLock lock(mu_);
      --running_;
      return thread.status();
    }
    threads_.push_back(thread.value());
  }
  return {};
}

void Spiller::Work() {
  uint64_t seen = 0;
  while (WaitForWork(&seen)) {
    SyncIfDue();
    ReleaseIfIdle();
    while (SpillOnce() || ReclaimOnce()) {
    }
  }
  bool last_of_abandoned = false;
  {
    MutexLock lock(mu_);
    last_of_abandoned = --running_ == 0 && abandoned_;
  }
  if (last_of_abandoned) {
    when_abandoned_();
  }
}

// False: stop.
bool Spiller::WaitForWork(uint64_t* seen) {
  MutexLock lock(mu_);
  for (;;) {
    const Code code = health_.code();
    if (stop_) {
      return false;
    }
    if (code == Code::kOk && generation_ != *seen) {
      *seen = generation_;
      return true;
    }
    const TimePoint alarm = retried(code) ? retry_at_ : AlarmLocked();
    if (alarm == TimePoint::max()) {
      work_.Wait(mu_);
    } else if (std::chrono::steady_clock::now() >= alarm) {
      return true;
    } else {
      work_.WaitUntil(mu_, alarm);
    }
  }
}

// When a thread without work is wanted again: for what is not on the device, or for memory that is
// idle.
Spiller::TimePoint Spiller::AlarmLocked() {
  TimePoint alarm = health_.ok() ? sync_due_ : TimePoint::max();
  if (parts_.budget->bytes_free() == 0 || settings_.idle_ms == kNoLimit) {
    idle_due_ = TimePoint::max();
  } else {
    const uint64_t moves = parts_.budget->arena_moves();
    if (idle_due_ == TimePoint::max() || moves != idle_moves_) {
      idle_moves_ = moves;
      idle_due_ = InMs(settings_.idle_ms);
    }
  }
  return std::min(alarm, idle_due_);
}

Spiller::TimePoint Spiller::InMs(int64_t ms) {
  constexpr int64_t kYearMs = int64_t{365} * 24 * 3600 * 1000;
  return std::chrono::steady_clock::now() + std::chrono::milliseconds(std::min(ms, kYearMs));
}

void Spiller::ReleaseIfIdle() {
  {
    MutexLock lock(mu_);
    if (std::chrono::steady_clock::now() < idle_due_ ||
        parts_.budget->arena_moves() != idle_moves_) {
      return;
    }
    idle_due_ = TimePoint::max();
  }
  parts_.budget->ReleaseFree();
}

void Spiller::Kick() {
  MutexLock lock(mu_);
  ++generation_;
  work_.NotifyAll();
  flushers_.NotifyAll();
}

void Spiller::Stop() {
  {
    MutexLock lock(mu_);
    stop_ = true;
    work_.NotifyAll();
  }
  for (base::Worker& thread : threads_) {
    thread.Join();
  }
  threads_.clear();
}

void Spiller::Abandon() {
  for (base::Worker& thread : threads_) {
    thread.Detach();
  }
  threads_.clear();
  MutexLock lock(mu_);
  stop_ = true;
  abandoned_ = true;
  work_.NotifyAll();
}

// ---- Picking ----

// Writing has not ended, nor is it put off because it failed a moment ago.
bool Spiller::MayWriteLocked() const {
  return health_.ok() || (retried(health_.code()) && std::chrono::steady_clock::now() >= retry_at_);
}

// False: there is nothing to be picked at this time.
bool Spiller::BeginPick(Run* run, Excess* in_flight) {
  MutexLock lock(mu_);
  while (picking_ || HoldLocked()) {
    if (picking_ || runs_in_flight_ > 0) {
      work_.Wait(mu_);
    } else {
      work_.WaitUntil(mu_, gather_until_);
    }
  }
  if (stop_ || !MayWriteLocked()) {
    return false;
  }
  picking_ = true;
  if (sync_asks_ != sync_asks_picked_) {
    sync_group_ = sync_asks_ - sync_asks_picked_;
    sync_asks_picked_ = sync_asks_;
  }
  picked_generation_ = generation_;
  run->number = ++picks_;
  *in_flight = in_flight_;
  return true;
}

// False: another run has failed meanwhile, so this one is not to be written now.
bool Spiller::EndPick(Run* run) {
  bool write = false;
  {
    MutexLock lock(mu_);
    picking_ = false;
    write = run->empty() || MayWriteLocked();
    if (write) {
      in_flight_.bytes += run->arena_bytes;
      in_flight_.records += run->records;
      runs_in_flight_ += run->empty() ? 0 : 1;
    } else {
      unsynced_ = unsynced_ || run->covers;
    }
    work_.NotifyAll();
  }
  if (!write) {
    run->EndClaims();
    Kick();  // those who looked before saw them taken
  }
  return write;
}

// Fills a run, and decides how durable it has to be.
void Spiller::Pick(const Excess& in_flight, Run* run) {
  const RunPicker::Why why = picker_.Fill(in_flight, run);
  MutexLock lock(mu_);
  run->durability = why.for_memory || device_wanted_ ? Durability::kDevice : Durability::kKernel;
  if (run->claims.empty()) {
    run->durability = Durability::kDevice;
    run->sync_only = (device_wanted_ || why.pressed) && unsynced_;
    // All that was asked for is there, unless a flush has asked since the streams were looked at.
    if (!run->sync_only && !why.asked_left && runs_in_flight_ == 0 &&
        generation_ == picked_generation_) {
      device_wanted_ = false;
    }
  }
  if (run->durability == Durability::kDevice && !run->empty()) {
    run->covers = unsynced_;
    unsynced_ = false;  // before looking at the streams: what is written meanwhile sets it again
  }
}

// ---- Writing ----

// Picks a run and writes it. False if there was none, or it failed.
bool Spiller::SpillOnce() {
  Run run;
  Excess in_flight;
  if (!BeginPick(&run, &in_flight)) {
    return false;
  }
  Status status = base::CatchToStatus([&]() -> Status {
    Pick(in_flight, &run);
    return {};
  });
  if (!EndPick(&run)) {
    return false;
  }
  if (status.ok() && run.empty()) {
    EndRetries();
    return false;
  }
  const uint64_t started_ns = base::MonotonicNanos();
  if (status.ok()) {
    parts_.events->Post(
        {.kind = EventKind::kSpillBegin, .count = run.records, .value = run.payload_bytes});
    status = base::CatchToStatus([&] { return CommitRun(&run); });
  }
  if (!status.ok()) {
    Fail(&run, status);
    return false;
  }
  Succeed(&run, started_ns);
  return true;
}

// Notes what only reached the operating system: a commit to the device that begins after this
// covers it.
void Spiller::CoverUnsynced(Run* run) {
  parts_.streams->ForEach([&](Stream* stream) {
    const Stream::Position position = stream->written_position();
    if (!stream->Reached(position, Durability::kDevice)) {
      run->covered.push_back(Run::Written{stream, position});
    }
  });
}

Status Spiller::CommitRun(Run* run) {
  std::vector<cold::StreamState> creates;
  std::vector<cold::Trim> trims;
  std::vector<cold::Piece> pieces;
  for (const Stream::Claim& claim : run->claims) {
    if (claim.create.has_value()) {
      creates.push_back(*claim.create);
    }
    if (claim.trim.has_value()) {
      trims.push_back(*claim.trim);
    }
    pieces.insert(pieces.end(), claim.pieces.begin(), claim.pieces.end());
  }
  if (run->covers) {
    CoverUnsynced(run);
  }
  const Status status = base::CatchToStatus([&] {
    return parts_.tier->Commit({.new_streams = creates, .trims = trims, .pieces = pieces},
                               run->durability);
  });
  MutexLock lock(mu_);
  reclaim_wanted_ = reclaim_wanted_ || (status.ok() && !trims.empty());
  return status;
}

Status Spiller::CommitDirect(const Stream::Claim& claim, std::span<const cold::Piece> pieces) {
  const auto one_or_none = [](const auto& optional) {
    return optional.has_value() ? std::span(&*optional, 1)
                                : std::span<const std::decay_t<decltype(*optional)>>();
  };
  const Status status = base::CatchToStatus([&] {
    return parts_.tier->Commit({one_or_none(claim.create), one_or_none(claim.trim), pieces, true},
                               Durability::kDevice);
  });
  if (!status.ok()) {
    Run nothing;
    Fail(&nothing, status);
    return status;
  }
  for (const cold::Piece& piece : pieces) {
    Count(parts_.counters->records_spilled, piece.columns.count);
    Count(parts_.counters->payload_bytes_spilled, piece.columns.payload_bytes());
  }
  Count(parts_.counters->spills);
  MutexLock lock(mu_);
  committed_ = true;
  return {};
}

// Publishes what a run wrote. Allocates nothing: it must not fail.
void Spiller::Succeed(Run* run, uint64_t started_ns) {
  const bool device = run->durability == Durability::kDevice;
  for (Stream::Claim& claim : run->claims) {
    claim.stream->EndClaim(claim, true);
    if (device) {
      claim.stream->MarkSpilled({claim.written_seq, claim.changes});
    }
  }
  for (const Run::Written& written : run->covered) {
    written.stream->MarkSpilled(written.position);
  }
  run->claims.clear();  // and with them the references to segments: what is evicted next can be
                        // used again at once
  parts_.residency->EvictWhileNeeded();

  const uint64_t took_ns = base::MonotonicNanos() - started_ns;
  picker_.Note(run->payload_bytes, took_ns);
  Count(parts_.counters->spills);
  Count(parts_.counters->records_spilled, run->records);
  Count(parts_.counters->payload_bytes_spilled, run->payload_bytes);
  Count(parts_.counters->spill_ns_total, took_ns);
  parts_.counters->spill_ns_last.store(took_ns, std::memory_order_relaxed);
  parts_.events->Post({.kind = EventKind::kSpillEnd, .count = run->records, .value = took_ns});

  bool recovered = false;
  {
    MutexLock lock(mu_);
    --runs_in_flight_;
    unsynced_ = unsynced_ || !device;  // not before the streams' written_seq say so
    in_flight_.bytes -= run->arena_bytes;
    in_flight_.records -= run->records;
    committed_ = true;
    ExpectAddersLocked(took_ns);
    recovered = RecoverLocked();
    ++generation_;
    work_.NotifyAll();
    flushers_.NotifyAll();
  }
  if (recovered) {
    TellRecovered();
  }
}

// True if a failure was being tried again until now.
bool Spiller::RecoverLocked() {
  if (!retried(health_.code())) {
    return false;
  }
  health_ = Status();
  health_code_.store(Code::kOk, std::memory_order_relaxed);
  ++health_version_;
  back_off_ = std::chrono::milliseconds(0);
  return true;
}

void Spiller::TellRecovered() {
  PublishHealth();
  parts_.events->Post({.kind = EventKind::kRecovered});
}

// Tells the adders that wait. Without the mutex, so again if it changed meanwhile: whoever is last
// leaves what is true.
void Spiller::PublishHealth() {
  for (uint64_t published = 0;;) {
    Status verdict;
    {
      MutexLock lock(mu_);
      if (published == health_version_) {
        return;
      }
      published = health_version_;
      verdict = closing_ ? Status(Code::kClosed) : health_;
    }
    parts_.budget->SetVerdict(verdict);
  }
}

// There is nothing to be tried again: what failed was a batch that its adder gave up, or it was
// cleared.
void Spiller::EndRetries() {
  bool recovered = false;
  {
    MutexLock lock(mu_);
    if (runs_in_flight_ > 0) {
      retry_at_ = std::chrono::steady_clock::now() + kBackOffFirst;  // its end says more
    } else {
      recovered = RecoverLocked();
    }
  }
  if (recovered) {
    TellRecovered();
  }
}

void Spiller::Fail(Run* run, const Status& status) {
  const bool in_flight = !run->empty();
  Count(parts_.counters->spill_errors);
  {
    MutexLock lock(mu_);
    if (health_.ok() || retried(health_.code())) {
      health_ = status;  // the first final failure stays
    }
    ++health_version_;
    health_code_.store(health_.code(), std::memory_order_relaxed);
    back_off_ = std::min(std::max(back_off_ * 2, kBackOffFirst), kBackOffMost);
    retry_at_ = std::chrono::steady_clock::now() + back_off_;
  }
  run->EndClaims();  // not before: the other thread would write them as if nothing had failed
  {
    MutexLock lock(mu_);
    runs_in_flight_ -= in_flight ? 1 : 0;
    in_flight_.bytes -= run->arena_bytes;
    in_flight_.records -= run->records;
    unsynced_ = true;  // perhaps: what the run was to cover is not on the device
    failed_pick_ = std::max(failed_pick_, run->number);
    ++generation_;  // for a thread that looked while they were taken, should the other's run go
                    // well
    work_.NotifyAll();
    flushers_.NotifyAll();
  }
  PublishHealth();
  parts_.events->Post({.kind = EventKind::kError,
                       .code = status.code(),
                       .value = static_cast<uint64_t>(static_cast<uint32_t>(status.os_code()))});
}

// Gives back some space of cleared records while there is nothing else to do. Only after a first
// commit: a store that writes nothing stays untouched.
bool Spiller::ReclaimOnce() {
  {
    MutexLock lock(mu_);
    if (!reclaim_wanted_ || reclaiming_ || !committed_ || stop_ || !health_.ok()) {
      return false;
    }
    reclaiming_ = true;
  }
  bool more = false;
  const Status status = base::CatchToStatus([&] { return parts_.tier->Reclaim(&more); });
  MutexLock lock(mu_);
  reclaiming_ = false;
  reclaim_wanted_ = more && status.ok();  // a failure is no loss: the next commit meets its cause,
                                          // and the next clear or open asks again
  return reclaim_wanted_;
}

}  // namespace spillway::hybrid
