#include "internal/base/worker.h"

#include <csignal>
#include <memory>

namespace spillway::base {

namespace {

// Blocks all signals but those that a thread raises by its own doing, and the profiler's; restores
// the mask when it ends.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t blocked;
    sigfillset(&blocked);
    for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGPROF}) {
      sigdelset(&blocked, signal);
    }
    pthread_sigmask(SIG_SETMASK, &blocked, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

void* Run(void* argument) {
  const std::unique_ptr<std::function<void()>> body(static_cast<std::function<void()>*>(argument));
  (*body)();
  return nullptr;
}

}  // namespace

// pthread_create and not std::thread, which reports a failure by throwing.
Result<Worker> Worker::Start(const std::string& name, std::function<void()> body) {
  auto argument = std::make_unique<std::function<void()>>(std::move(body));
  const SignalsBlocked inherited_by_the_thread;
  pthread_t thread;
  if (const int error = pthread_create(&thread, nullptr, Run, argument.get()); error != 0) {
    return Status::Os(Code::kNoMemory, error, "cannot start a thread");
  }
  static_cast<void>(argument.release());
  pthread_setname_np(thread, name.substr(0, 15).c_str());
  return Worker(thread);
}

}  // namespace spillway::base
