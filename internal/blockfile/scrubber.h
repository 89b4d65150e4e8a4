// Verifies a file in the background, over and over, and keeps what the last whole pass found.
//
// Thread-safe. Has a thread from the first SetRate on; Stop ends a pass in its middle and waits for
// it, Abandon does not wait.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>

#include "internal/base/mutex.h"
#include "internal/base/operation.h"
#include "internal/base/status.h"
#include "internal/base/worker.h"
#include "internal/blockfile/block_file.h"

namespace spillway::blockfile {

class Scrubber : public std::enable_shared_from_this<Scrubber> {
 public:
  // One pass at that rate.
  using Pass = std::function<base::Status(uint64_t bytes_per_second, base::Operation* operation,
                                          Report* report)>;
  explicit Scrubber(Pass pass) : pass_(std::move(pass)) {}

  // A pass that runs ends, and one of the new rate begins; 0: none does.
  base::Status SetRate(uint64_t bytes_per_second) SPW_EXCLUDES(mu_);
  // Gives the rate, with which SetRate may start again.
  uint64_t Stop() SPW_EXCLUDES(mu_);
  void Abandon() SPW_EXCLUDES(mu_);

  base::Status LastReport(Report* report) SPW_EXCLUDES(mu_);
  uint64_t passes() const { return passes_.load(std::memory_order_relaxed); }
  uint64_t problems() const { return problems_.load(std::memory_order_relaxed); }

 private:
  void Run() SPW_EXCLUDES(mu_);
  std::optional<base::Worker> End() SPW_EXCLUDES(mu_);

  const Pass pass_;
  base::Mutex mu_;
  base::CondVar changed_;
  std::optional<base::Worker> worker_ SPW_GUARDED_BY(mu_);
  bool stop_ SPW_GUARDED_BY(mu_) = false;
  uint64_t rate_ SPW_GUARDED_BY(mu_) = 0;
  std::shared_ptr<base::Operation> operation_ SPW_GUARDED_BY(mu_);  // of the pass that runs
  std::optional<Report> last_ SPW_GUARDED_BY(mu_);
  std::atomic<uint64_t> passes_{0};
  std::atomic<uint64_t> problems_{0};
};

}  // namespace spillway::blockfile
