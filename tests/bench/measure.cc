#include "tests/bench/measure.h"

#include <fcntl.h>
#include <malloc.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <numeric>
#include <string_view>

namespace spillway::bench {
namespace {

// The number behind `key` in a file of the kernel with lines "key: number unit"; 0 if absent.
uint64_t KernelNumber(const char* path, std::string_view key) {
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line)) {
    if (line.starts_with(key)) {
      return std::strtoull(line.c_str() + key.size(), nullptr, 10);
    }
  }
  return 0;
}

double CpuSeconds() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

uint64_t WrittenBytes() { return KernelNumber("/proc/self/io", "write_bytes:"); }
uint64_t CalledBytes() { return KernelNumber("/proc/self/io", "wchar:"); }

// Makes VmHWM start again from the present value.
void ResetPeak() {
  const int fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
  if (fd >= 0) {
    [[maybe_unused]] const ssize_t written = write(fd, "5", 1);
    close(fd);
  }
}

}  // namespace

Meter::Meter(Trim trim) {
  if (trim == Trim::kYes) {
    malloc_trim(0);
  }
  ResetPeak();
  rss_bytes_ = ResidentBytes();
  written_bytes_ = WrittenBytes();
  called_bytes_ = CalledBytes();
  cpu_seconds_ = CpuSeconds();
  watch_ = Stopwatch();
}

Usage Meter::Stop() const {
  Usage usage;
  usage.seconds = watch_.seconds();
  usage.cpu_seconds = CpuSeconds() - cpu_seconds_;
  const uint64_t peak = KernelNumber("/proc/self/status", "VmHWM:") * 1024;
  usage.rss_peak_bytes = peak > rss_bytes_ ? peak - rss_bytes_ : 0;
  usage.written_bytes = WrittenBytes() - written_bytes_;
  usage.called_bytes = CalledBytes() - called_bytes_;
  return usage;
}

void Latencies::Merge(const Latencies& other) {
  nanos_.insert(nanos_.end(), other.nanos_.begin(), other.nanos_.end());
}

double Latencies::MeanMillis(size_t first, size_t count) const {
  const auto begin = nanos_.begin() + static_cast<ptrdiff_t>(first);
  const auto calls = std::min(static_cast<ptrdiff_t>(count), nanos_.end() - begin);
  const int64_t sum = std::accumulate(begin, begin + calls, int64_t{0});
  return static_cast<double>(sum) / static_cast<double>(calls) / 1e6;
}

int64_t Latencies::Nanos(double fraction) {
  if (nanos_.empty()) {
    return 0;
  }
  if (sorted_.size() != nanos_.size()) {
    sorted_ = nanos_;
    std::sort(sorted_.begin(), sorted_.end());
  }
  const double rank = std::ceil(fraction * static_cast<double>(nanos_.size()));
  const size_t index = rank < 1 ? 0 : static_cast<size_t>(rank) - 1;
  return sorted_[std::min(index, sorted_.size() - 1)];
}

uint64_t ResidentBytes() { return KernelNumber("/proc/self/status", "VmRSS:") * 1024; }
uint64_t AnonymousBytes() { return KernelNumber("/proc/self/status", "RssAnon:") * 1024; }

void BackMemory(uint64_t bytes) {
  constexpr uint64_t kPage = 4096;
  void* pages = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) {
    return;
  }
  madvise(pages, bytes, MADV_HUGEPAGE);
  for (uint64_t i = 0; i < bytes; i += kPage) {
    static_cast<volatile char*>(pages)[i] = 1;
  }
  munmap(pages, bytes);
}

std::string HugePageMode() {
  std::ifstream file("/sys/kernel/mm/transparent_hugepage/enabled");
  std::string modes;
  std::getline(file, modes);
  const size_t begin = modes.find('[');
  const size_t end = modes.find(']');
  return begin == std::string::npos ? "unknown" : modes.substr(begin + 1, end - begin - 1);
}

uint64_t HugePageBytes() {
  return KernelNumber("/proc/self/smaps_rollup", "AnonHugePages:") * 1024;
}

}  // namespace spillway::bench
