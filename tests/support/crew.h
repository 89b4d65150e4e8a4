// Threads that do the same again and again until they are told to end, each at least once.
#pragma once

#include <atomic>
#include <functional>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace spillway::test {

// Of one thread, but for what the rounds do.
class Crew {
 public:
  ~Crew() { End(); }
  void Add(std::function<void()> round) {
    threads_.emplace_back([this, round = std::move(round)] {
      do {
        round();
      } while (!end_.load(std::memory_order_acquire) && !::testing::Test::HasFatalFailure());
    });
  }
  void End() {
    end_.store(true, std::memory_order_release);
    for (std::thread& thread : threads_) {
      thread.join();
    }
    threads_.clear();
    end_.store(false, std::memory_order_release);
  }

 private:
  std::atomic<bool> end_{false};
  std::vector<std::thread> threads_;
};

}  // namespace spillway::test
