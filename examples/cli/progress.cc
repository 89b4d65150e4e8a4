#include "progress.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <csignal>
#include <utility>

#include "failure.h"
#include "interrupt.h"
#include "text.h"

namespace spillway::cli {
namespace {

constexpr int kRedrawMs = 200;

// A terminal that went away is no reason to stop.
void Tell(const std::string& text) {
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, text.data(), text.size());
}

}  // namespace

Progress::Progress(spw_op* op, bool draws) : op_(op), draws_(draws && isatty(STDERR_FILENO) == 1) {
  if (pipe2(stop_.data(), O_CLOEXEC) != 0) {
    throw Failure::OfErrno("cannot make a pipe");
  }
  // Signals are for the main thread, whose blocking calls they have to end.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { Run(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

Progress::~Progress() {
  End();
  close(stop_[1]);
  thread_.join();
  close(stop_[0]);
}

void Progress::Begin(std::string label) {
  const std::lock_guard lock(mutex_);
  label_ = std::move(label);
  counts_itself_ = false;
}

void Progress::Count(uint64_t done, uint64_t total) {
  done_ = done;
  total_ = total;
  counts_itself_ = true;
}

void Progress::End() {
  const std::lock_guard lock(mutex_);
  label_.clear();
  Erase();
}

void Progress::Run() {
  std::array<pollfd, 2> both{{{stop_[0], POLLIN, 0}, {interrupt::Descriptor(), POLLIN, 0}}};
  for (;;) {
    const int ready = poll(both.data(), both.size(), draws_ ? kRedrawMs : -1);
    if (ready > 0 && both[0].revents != 0) {
      return;
    }
    if (ready > 0 && both[1].revents != 0) {
      spw_op_cancel(op_);
      both[1].fd = -1;  // told once; from here on only the end is waited for
    }
    if (draws_) {
      Draw();
    }
  }
}

void Progress::Draw() {
  const std::lock_guard lock(mutex_);
  if (label_.empty()) {
    return;
  }
  uint64_t done = done_;
  uint64_t total = total_;
  if (!counts_itself_) {
    spw_op_progress(op_, &done, &total);
  }
  std::string line = "\r\x1b[K" + label_ + ": " + Size(done);
  if (total > 0) {
    // Not 100 before it has ended; as a double, because a hundred times a file may be too much.
    const double share = static_cast<double>(done) / static_cast<double>(total);
    line +=
        " of " + Size(total) + ", " + std::to_string(share < 0.99 ? int(share * 100) : 99) + " %";
  }
  Tell(line);
  drawn_ = true;
}

void Progress::Erase() {
  if (std::exchange(drawn_, false)) {
    Tell("\r\x1b[K");
  }
}

}  // namespace spillway::cli
