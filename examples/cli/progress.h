// A thread beside the verb: on a terminal it draws how far the work has come, and a Ctrl-C reaches
// the library through it, because spw_op_cancel may not be called from a signal handler.
#ifndef SPILLWAY_CLI_PROGRESS_H
#define SPILLWAY_CLI_PROGRESS_H

#include <spillway.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

namespace spillway::cli {

class Progress {
 public:
  // `op` must outlive it. Nothing is drawn unless standard error is a terminal and `draws` is true.
  Progress(spw_op* op, bool draws);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Work that is called so begins; the op tells how far it is.
  void Begin(std::string label);
  // The same for work that runs without the op: it tells so itself. Total 0: unknown.
  void Count(uint64_t done, uint64_t total);
  // No line of it is left on the terminal.
  void End();

 private:
  void Run();
  void Draw();
  void Erase();

  spw_op* op_;
  const bool draws_;
  std::atomic<bool> counts_itself_{false};
  std::atomic<uint64_t> done_{0};
  std::atomic<uint64_t> total_{0};
  std::mutex mutex_;
  std::string label_;                // under mutex_; empty: nothing runs
  bool drawn_ = false;               // under mutex_
  std::array<int, 2> stop_{-1, -1};  // closing its end for writing ends the thread
  std::thread thread_;
};

}  // namespace spillway::cli

#endif  // SPILLWAY_CLI_PROGRESS_H
