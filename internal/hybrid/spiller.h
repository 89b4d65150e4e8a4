// Moves records to the cold tier in the background: to bring memory back to its low-water mark, as
// far as flushes ask, and as soon as the store's durability wants it. Gives idle memory back.
//
// A spill is a run of claims (Stream::Claim) committed in one transaction: pick (under the turn
// picking_) -> ColdTier::Commit, no mutex -> publish. At most one claim per stream is out, so each
// stream is written oldest first and without a gap (H4); up to `threads` runs are in flight.
// Failure: nothing is retired. A full disk (or busy, or no memory) is tried again with back-off and
// clears; any other failure is final: writing has ended. Either is what Flush returns and what the
// budget's waiters get. Thread-safe. Lives in its store; its threads hold a reference to the store
// while they run.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "internal/base/mutex.h"
#include "internal/base/wait_list.h"
#include "internal/base/worker.h"
#include "internal/cold/cold_tier.h"
#include "internal/hybrid/counters.h"
#include "internal/hybrid/events.h"
#include "internal/hybrid/options.h"
#include "internal/hybrid/residency.h"
#include "internal/hybrid/run_picker.h"
#include "internal/hybrid/stream_table.h"
#include "internal/memory/budget.h"

namespace spillway::hybrid {

class Spiller {
 public:
  struct Parts {
    cold::ColdTier* tier;
    StreamTable* streams;
    memory::MemoryBudget* budget;
    Residency* residency;
    EventRing* events;
    Counters* counters;
  };
  // As SPW_OPT_SYNC_MS, SPW_OPT_EAGER and SPW_OPT_IDLE_MS.
  struct Settings {
    int64_t sync_ms = kNoLimit;
    bool eager = false;
    int64_t idle_ms = kNoLimit;
  };
  explicit Spiller(const Parts& parts) : Spiller(parts, Settings()) {}
  Spiller(const Parts& parts, const Settings& settings)
      : parts_(parts),
        settings_(settings),
        picker_(parts.streams, parts.budget, parts.residency, settings.eager),
        sync_ms_(settings.sync_ms) {}

  // Starts the threads; each holds `keep_alive`, and the last one to end after Abandon calls
  // when_abandoned.
  base::Status Start(uint32_t threads, const std::shared_ptr<void>& keep_alive,
                     std::function<void()> when_abandoned) SPW_EXCLUDES(mu_);

  // There may be work: the budget is pressed, or something was asked for. Or watermarks moved by
  // other means than a spill, which flushes may wait for.
  void Kick() SPW_EXCLUDES(mu_);

  // Returns when all that was admitted before is as durable as asked for; kTimeout, kWouldBlock and
  // kCancelled leave it going on in the background. Between SetClosing(true) and (false) only the
  // closer's own flush runs; others return kClosed.
  enum class Flusher { kCaller, kCloser, kAdder };
  base::Status Flush(cold::Durability durability, const base::Patience& patience, Flusher flusher)
      SPW_EXCLUDES(mu_);
  // A batch that ends at end_seq was added: waits until it is on the device, or sees to it that it
  // will be in time, as the settings say. Errors as Flush.
  base::Status SyncAdded(Stream* stream, uint64_t end_seq) SPW_EXCLUDES(mu_);
  void SetSyncMs(int64_t ms) SPW_EXCLUDES(mu_);
  int64_t sync_ms() const { return sync_ms_.load(std::memory_order_relaxed); }
  // Now; those that wait in SyncAdded.
  uint64_t adders_syncing() const { return adders_syncing_.load(std::memory_order_relaxed); }
  // Meanwhile adders do not wait either: they get kClosed.
  void SetClosing(bool closing) SPW_EXCLUDES(mu_);

  // Writes a batch that goes around memory; the claim is the caller's to end. A failure counts as
  // one of a spill.
  base::Status CommitDirect(const Stream::Claim& claim, std::span<const cold::Piece> pieces)
      SPW_EXCLUDES(mu_);

  // Ends the threads, after what they are writing. Nothing is written afterwards.
  void Stop() SPW_EXCLUDES(mu_);
  // The same without waiting for them.
  void Abandon() SPW_EXCLUDES(mu_);

  // OK; a failure that is tried again (retried()); or what ended writing.
  base::Status health() const SPW_EXCLUDES(mu_);
  base::Code health_code() const { return health_code_.load(std::memory_order_relaxed); }
  static bool retried(base::Code code) {
    return code == base::Code::kFull || code == base::Code::kBusy || code == base::Code::kNoMemory;
  }

 private:
  using TimePoint = std::chrono::steady_clock::time_point;

  // What somebody waits for; `targets` are those that are not reached.
  struct Request {
    cold::Durability durability;
    Flusher flusher;
    std::vector<Run::Written> targets;
    uint64_t total;      // of records
    bool asked = false;  // it counts among the adders that wait for the device
  };

  void Work();
  bool WaitForWork(uint64_t* seen) SPW_EXCLUDES(mu_);
  TimePoint AlarmLocked() SPW_REQUIRES(mu_);
  static TimePoint InMs(int64_t ms);
  void SyncIfDue() SPW_EXCLUDES(mu_);
  void ReleaseIfIdle() SPW_EXCLUDES(mu_);
  static bool Reached(Request* request, base::Operation* operation);
  base::Status Await(Request* request, const base::Patience& patience) SPW_EXCLUDES(mu_);
  bool HoldLocked() const SPW_REQUIRES(mu_);
  void ExpectAddersLocked(uint64_t took_ns) SPW_REQUIRES(mu_);
  bool SpillOnce();
  bool MayWriteLocked() const SPW_REQUIRES(mu_);
  bool BeginPick(Run* run, memory::MemoryBudget::Excess* in_flight) SPW_EXCLUDES(mu_);
  bool EndPick(Run* run) SPW_EXCLUDES(mu_);
  void Pick(const memory::MemoryBudget::Excess& in_flight, Run* run) SPW_EXCLUDES(mu_);
  void CoverUnsynced(Run* run);
  base::Status CommitRun(Run* run);
  void Succeed(Run* run, uint64_t started_ns) SPW_EXCLUDES(mu_);
  void Fail(Run* run, const base::Status& status) SPW_EXCLUDES(mu_);
  bool RecoverLocked() SPW_REQUIRES(mu_);
  void TellRecovered() SPW_EXCLUDES(mu_);
  void PublishHealth() SPW_EXCLUDES(mu_);
  void EndRetries() SPW_EXCLUDES(mu_);
  bool ReclaimOnce() SPW_EXCLUDES(mu_);

  const Parts parts_;
  const Settings settings_;
  RunPicker picker_;
  std::vector<base::Worker> threads_;
  std::function<void()> when_abandoned_;

  mutable base::Mutex mu_;
  base::CondVar work_;  // for the threads: generation_, stop_, the end of a pick
  base::WaitList flushers_;
  uint64_t generation_ SPW_GUARDED_BY(mu_) = 0;
  uint32_t running_ SPW_GUARDED_BY(mu_) = 0;
  bool stop_ SPW_GUARDED_BY(mu_) = false;
  bool abandoned_ SPW_GUARDED_BY(mu_) = false;
  bool picking_ SPW_GUARDED_BY(mu_) = false;
  uint64_t picked_generation_ SPW_GUARDED_BY(mu_) = 0;  // when the pick began
  memory::MemoryBudget::Excess in_flight_ SPW_GUARDED_BY(mu_);
  uint32_t runs_in_flight_ SPW_GUARDED_BY(mu_) = 0;
  // Some streams' written_seq is above their spilled_seq, and no run has been picked yet that
  // covers them.
  bool unsynced_ SPW_GUARDED_BY(mu_) = false;
  bool closing_ SPW_GUARDED_BY(mu_) = false;
  bool device_wanted_ SPW_GUARDED_BY(mu_) = false;
  bool reclaim_wanted_ SPW_GUARDED_BY(mu_) = true;  // a crash may have left some
  bool reclaiming_ SPW_GUARDED_BY(mu_) = false;
  bool committed_ SPW_GUARDED_BY(mu_) = false;
  base::Status health_ SPW_GUARDED_BY(mu_);
  uint64_t health_version_ SPW_GUARDED_BY(mu_) = 1;  // changes of health_ and closing_
  uint64_t picks_ SPW_GUARDED_BY(mu_) = 0;
  uint64_t failed_pick_ SPW_GUARDED_BY(mu_) = 0;  // the last one whose run failed
  std::chrono::milliseconds back_off_ SPW_GUARDED_BY(mu_){0};
  TimePoint retry_at_ SPW_GUARDED_BY(mu_);
  TimePoint sync_due_ SPW_GUARDED_BY(mu_) = TimePoint::max();
  TimePoint idle_due_ SPW_GUARDED_BY(mu_) = TimePoint::max();
  uint64_t idle_moves_ SPW_GUARDED_BY(mu_) = 0;
  // Adders that asked for the device, ever; up to the last pick; those of the run that is in
  // flight; how many are likely to ask before the next one; how long it waits for them.
  uint64_t sync_asks_ SPW_GUARDED_BY(mu_) = 0;
  uint64_t sync_asks_picked_ SPW_GUARDED_BY(mu_) = 0;
  uint64_t sync_group_ SPW_GUARDED_BY(mu_) = 0;
  uint64_t sync_expected_ SPW_GUARDED_BY(mu_) = 0;
  TimePoint gather_until_ SPW_GUARDED_BY(mu_);
  std::atomic<int64_t> sync_ms_;
  std::atomic<bool> sync_armed_{false};  // sync_due_ is set, or is about to be
  std::atomic<uint64_t> adders_syncing_{0};
  std::atomic<base::Code> health_code_{base::Code::kOk};
};

}  // namespace spillway::hybrid
