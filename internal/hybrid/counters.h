// What a store counts since it was opened. Relaxed atomics: each is exact, together they are a
// snapshot only at rest.
#pragma once

#include <atomic>
#include <cstdint>

namespace spillway::hybrid {

struct Counters {
  std::atomic<uint64_t> batches_added{0};
  std::atomic<uint64_t> records_added{0};
  std::atomic<uint64_t> payload_bytes_added{0};
  std::atomic<uint64_t> records_live{0};  // now
  std::atomic<uint64_t> records_cleared{0};
  std::atomic<uint64_t> records_trimmed{0};
  std::atomic<uint64_t> records_overwritten{0};
  std::atomic<uint64_t> records_dropped{0};
  std::atomic<uint64_t> batches_dropped{0};
  std::atomic<uint64_t> adds_refused{0};
  std::atomic<uint64_t> waits{0};
  std::atomic<uint64_t> wait_ns_total{0};
  std::atomic<uint64_t> wait_ns_max{0};
  std::atomic<uint64_t> paced{0};
  std::atomic<uint64_t> paced_ns_total{0};
  std::atomic<uint64_t> spills{0};
  std::atomic<uint64_t> records_spilled{0};
  std::atomic<uint64_t> payload_bytes_spilled{0};
  std::atomic<uint64_t> spill_ns_last{0};
  std::atomic<uint64_t> spill_ns_total{0};
  std::atomic<uint64_t> spill_errors{0};
  std::atomic<uint64_t> cold_reads{0};
  std::atomic<uint64_t> cold_bytes_read{0};
  std::atomic<uint64_t> promotions{0};
  std::atomic<uint64_t> reads_memory{0};
  std::atomic<uint64_t> reads_cold{0};
};

inline void Count(std::atomic<uint64_t>& counter, uint64_t n = 1) {
  counter.fetch_add(n, std::memory_order_relaxed);
}

inline void CountMax(std::atomic<uint64_t>& highest, uint64_t n) {
  uint64_t seen = highest.load(std::memory_order_relaxed);
  while (n > seen && !highest.compare_exchange_weak(seen, n, std::memory_order_relaxed)) {
  }
}

}  // namespace spillway::hybrid
