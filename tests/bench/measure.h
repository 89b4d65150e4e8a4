// What a run costs besides time, and how its calls are spread.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace spillway::bench {

class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

struct Usage {
  double seconds = 0;
  double cpu_seconds = 0;       // user and system, all threads
  uint64_t rss_peak_bytes = 0;  // above the value at the start; mapped file pages count
  uint64_t written_bytes = 0;   // handed to the disk's queue, or dirtied in the page cache
  uint64_t called_bytes = 0;    // given to write calls; what is changed through a mapping is not
};

// Whether freed memory goes back to the system before: then no contestant hides in what another
// one left, but each pays for fresh pages, which is no steady state.
enum class Trim { kNo, kYes };

// Measures from its construction to Stop. One at a time per process: the kernel keeps one peak.
class Meter {
 public:
  explicit Meter(Trim trim = Trim::kYes);
  Usage Stop() const;
  double Seconds() const { return watch_.seconds(); }

 private:
  uint64_t rss_bytes_;
  uint64_t written_bytes_;
  uint64_t called_bytes_;
  double cpu_seconds_;
  Stopwatch watch_;  // last: starts when all else is read
};

// Durations of single calls.
class Latencies {
 public:
  void Reserve(size_t count) { nanos_.reserve(count); }
  void Add(std::chrono::steady_clock::duration duration) {
    nanos_.push_back(std::chrono::duration_cast<std::chrono::nanoseconds>(duration).count());
  }
  void Merge(const Latencies& other);

  // The smallest value that at least `fraction` of the calls do not exceed; 1 is the maximum.
  double Millis(double fraction) { return static_cast<double>(Nanos(fraction)) / 1e6; }
  double Micros(double fraction) { return static_cast<double>(Nanos(fraction)) / 1e3; }

  size_t count() const { return nanos_.size(); }
  // The mean of `count` calls from the `first` on, in the order they were added; fewer at the end.
  double MeanMillis(size_t first, size_t count) const;

 private:
  int64_t Nanos(double fraction);

  std::vector<int64_t> nanos_;   // in the order of the calls
  std::vector<int64_t> sorted_;  // the same, as far as it was needed
};

// Memory of the process now, and the part of it that is no page of a file.
uint64_t ResidentBytes();
uint64_t AnonymousBytes();

// Takes so much memory from the system, writes to it and gives it back. A virtual machine may have
// returned its free memory to the host; what is measured next should not pay for getting it anew.
void BackMemory(uint64_t bytes);

// The setting of transparent huge pages, such as "madvise".
std::string HugePageMode();
// AnonHugePages of the whole process now.
uint64_t HugePageBytes();

}  // namespace spillway::bench
