#include "internal/blockfile/scrubber.h"

#include <chrono>
#include <utility>

namespace spillway::blockfile {

using base::MutexLock;
using base::Status;

// A pass over a small file takes no time: the next begins so much later at the earliest.
static constexpr std::chrono::seconds kRest{1};

Status Scrubber::SetRate(uint64_t bytes_per_second) {
  std::shared_ptr<base::Operation> running;
  {
    MutexLock lock(mu_);
    if (!worker_.has_value() && bytes_per_second > 0) {
      base::Result<base::Worker> worker =
          base::Worker::Start("spw-scrub", [self = shared_from_this()] { self->Run(); });
      if (!worker.ok()) {
        return worker.status();
      }
      worker_ = worker.value();
    }
    rate_ = bytes_per_second;
    running = operation_;
    changed_.NotifyAll();
  }
  if (running != nullptr) {
    running->Cancel();
  }
  return {};
}

void Scrubber::Run() {
  for (;;) {
    uint64_t rate = 0;
    std::shared_ptr<base::Operation> operation;
    {
      MutexLock lock(mu_);
      while (!stop_ && rate_ == 0) {
        changed_.Wait(mu_);
      }
      if (stop_) {
        return;
      }
      rate = rate_;
      const Status made = base::CatchToStatus([&] {
        operation = std::make_shared<base::Operation>();
        return Status();
      });
      operation_ = operation;
    }
    Report report;
    const Status status = base::CatchToStatus([&] {
      return operation == nullptr ? base::NoMemory() : pass_(rate, operation.get(), &report);
    });
    MutexLock lock(mu_);
    operation_.reset();
    if (status.ok()) {
      passes_.fetch_add(1, std::memory_order_relaxed);
      problems_.fetch_add(report.problems_found, std::memory_order_relaxed);
      last_ = std::move(report);
    }
    if (status.code() == base::Code::kClosed) {
      return;
    }
    const auto rested = std::chrono::steady_clock::now() + kRest;
    while (!stop_ && rate_ == rate && std::chrono::steady_clock::now() < rested) {
      changed_.WaitUntil(mu_, rested);
    }
  }
}

Status Scrubber::LastReport(Report* report) {
  MutexLock lock(mu_);
  if (!last_.has_value()) {
    return {base::Code::kNotFound, "no pass has ended yet"};
  }
  *report = *last_;
  return {};
}

std::optional<base::Worker> Scrubber::End() {
  std::shared_ptr<base::Operation> running;
  std::optional<base::Worker> worker;
  {
    MutexLock lock(mu_);
    stop_ = true;
    running = operation_;
    worker.swap(worker_);
    changed_.NotifyAll();
  }
  if (running != nullptr) {
    running->Cancel();
  }
  return worker;
}

uint64_t Scrubber::Stop() {
  if (std::optional<base::Worker> worker = End()) {
    worker->Join();
  }
  MutexLock lock(mu_);
  stop_ = false;
  return std::exchange(rate_, 0);
}

void Scrubber::Abandon() {
  if (std::optional<base::Worker> worker = End()) {
    worker->Detach();
  }
}

}  // namespace spillway::blockfile
