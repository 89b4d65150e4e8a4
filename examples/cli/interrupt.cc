#include "interrupt.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>

#include "failure.h"

namespace spillway::cli::interrupt {
namespace {

std::atomic<bool> requested{false};
std::array<int, 2> wake{-1, -1};  // written to by the handler, and never read

extern "C" void OnInterrupt(int /*signal*/) {
  const int saved = errno;
  requested.store(true);
  const char byte = 0;
  [[maybe_unused]] const ssize_t written = write(wake[1], &byte, 1);
  errno = saved;
}

}  // namespace

void Install() {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // so is a limit on the size of files
  if (pipe2(wake.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
    throw Failure::OfErrno("cannot make a pipe");
  }
  struct sigaction before {};
  sigaction(SIGINT, nullptr, &before);
  if (before.sa_handler == SIG_IGN) {
    return;
  }
  struct sigaction action {};
  action.sa_handler = OnInterrupt;
  // Without SA_RESTART: a call that blocks has to come back and look.
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
}

bool Requested() { return requested.load(); }

int Descriptor() { return wake[0]; }

void WaitReadable(int descriptor) {
  std::array<pollfd, 2> both{{{descriptor, POLLIN, 0}, {wake[0], POLLIN, 0}}};
  while (poll(both.data(), both.size(), -1) < 0) {
    if (errno != EINTR) {
      throw Failure::OfErrno("cannot wait for input");
    }
  }
  if (Requested()) {
    throw Failure::OfInterrupt();
  }
}

}  // namespace spillway::cli::interrupt
