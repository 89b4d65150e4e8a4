// What is asked of the spiller: flushes, and stores whose batches are to be durable by themselves.

#include <algorithm>

#include "internal/hybrid/spiller.h"

namespace spillway::hybrid {

using base::Code;
using base::MutexLock;
using base::Status;
using cold::Durability;

// ---- Flushing ----

void Spiller::SetClosing(bool closing) {
  {
    MutexLock lock(mu_);
    closing_ = closing;
    ++health_version_;
    flushers_.NotifyAll();
  }
  PublishHealth();
}

Status Spiller::Flush(Durability durability, const base::Patience& patience, Flusher flusher) {
  Request request{durability, flusher, {}, 0};
  parts_.streams->ForEach([&](Stream* stream) {
    const Stream::Position position = stream->position();
    if (!stream->Reached(position, durability)) {
      stream->Ask(position);
      request.targets.push_back(Run::Written{stream, position});
      request.total += position.seq - std::min(position.seq, stream->written_seq());
    }
  });
  return Await(&request, patience);
}

bool Spiller::Reached(Request* request, base::Operation* operation) {
  std::erase_if(request->targets, [&](const Run::Written& each) {
    return each.stream->Reached(each.position, request->durability);
  });
  if (operation != nullptr) {
    uint64_t left = 0;
    for (const Run::Written& each : request->targets) {
      left += each.position.seq - std::min(each.position.seq, each.stream->written_seq());
    }
    operation->SetProgress(request->total - left, request->total);
  }
  return request->targets.empty();
}

Status Spiller::Await(Request* request, const base::Patience& patience) {
  uint64_t picks_before = 0;
  {
    MutexLock lock(mu_);
    if (!health_.ok() && !retried(health_.code())) {
      return health_;
    }
    picks_before = picks_;
    if (!request->targets.empty()) {
      device_wanted_ = device_wanted_ || request->durability == Durability::kDevice;
      if (request->flusher == Flusher::kAdder) {
        ++sync_asks_;
        adders_syncing_.fetch_add(1, std::memory_order_relaxed);
        request->asked = true;
      } else {
        retry_at_ = std::chrono::steady_clock::now();  // matters only if something is to be retried
      }
      ++generation_;
      work_.NotifyAll();
    }
  }
  Status failure;
  SPW_RETURN_IF_ERROR(flushers_.Wait(mu_, patience, [&] {
    mu_.AssertHeld();
    if (Reached(request, patience.operation)) {
      return true;
    }
    if (closing_ && request->flusher != Flusher::kCloser) {
      failure = Status(Code::kClosed);
    } else if (failed_pick_ > picks_before || (!health_.ok() && !retried(health_.code()))) {
      failure = health_;  // not what a run met that was picked before somebody asked for this
    }
    return !failure.ok();
  }));
  return failure;
}

Status Spiller::health() const {
  MutexLock lock(mu_);
  return health_;
}

// ---- Batches that are to be durable by themselves ----

Status Spiller::SyncAdded(Stream* stream, uint64_t end_seq) {
  const int64_t ms = sync_ms();
  if (ms == kNoLimit) {
    return {};
  }
  if (ms > 0) {
    if (!sync_armed_.exchange(true)) {
      MutexLock lock(mu_);
      sync_due_ = std::min(sync_due_, InMs(ms));
      work_.NotifyAll();
    }
    return {};
  }
  Request request{Durability::kDevice, Flusher::kAdder, {}, 0};
  const Status status = base::CatchToStatus([&] {
    request.targets.push_back(Run::Written{stream, {end_seq, 0}});
    stream->Ask(request.targets.front().position);
    return Await(&request, {});
  });
  adders_syncing_.fetch_sub(request.asked ? 1 : 0, std::memory_order_relaxed);
  return status;
}

void Spiller::SetSyncMs(int64_t ms) {
  sync_ms_.store(ms, std::memory_order_relaxed);
  sync_armed_.store(ms != kNoLimit);
  MutexLock lock(mu_);
  // What was added before is asked for too.
  sync_due_ = ms == kNoLimit ? TimePoint::max() : InMs(ms);
  work_.NotifyAll();
}

// Asks for all that is not on the device, once that is due.
void Spiller::SyncIfDue() {
  {
    MutexLock lock(mu_);
    if (std::chrono::steady_clock::now() < sync_due_) {
      return;
    }
    sync_due_ = TimePoint::max();
  }
  // Before the streams are looked at: what is added after that sets it again.
  sync_armed_.store(false);
  bool any = false;
  parts_.streams->ForEach([&](Stream* stream) {
    const Stream::Position position = stream->position();
    if (!stream->Reached(position, Durability::kDevice)) {
      stream->Ask(position);
      any = true;
    }
  });
  MutexLock lock(mu_);
  if (any) {
    device_wanted_ = true;
    ++generation_;
  }
}

// Adders that wait for the device share its barriers: no run of theirs begins while another is in
// flight, and behind one those that it let go get a moment to come back with their next batch.
bool Spiller::HoldLocked() const {
  const uint64_t asks = sync_asks_ - sync_asks_picked_;
  if (asks == 0 || stop_ || closing_ || parts_.budget->total().pressed()) {
    return false;
  }
  return runs_in_flight_ > 0 ||
         (asks < sync_expected_ && std::chrono::steady_clock::now() < gather_until_);
}

void Spiller::ExpectAddersLocked(uint64_t took_ns) {
  constexpr uint64_t kGatherNanosMost = 2'000'000;
  sync_expected_ = sync_asks_ - sync_asks_picked_ + sync_group_;
  sync_group_ = 0;
  gather_until_ = std::chrono::steady_clock::now() +
                  std::chrono::nanoseconds(std::min(took_ns / 4, kGatherNanosMost));
}

}  // namespace spillway::hybrid
