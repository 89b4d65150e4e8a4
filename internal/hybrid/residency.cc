#include "internal/hybrid/residency.h"

namespace spillway::hybrid {

bool Residency::EvictOne(Stream* only) {
  const auto evict = [&](Stream* stream) {
    if (stream == nullptr || !stream->EvictOldest()) {
      return false;
    }
    evictions_.fetch_add(1, std::memory_order_relaxed);
    return true;
  };
  if (only != nullptr) {
    return evict(only);
  }
  const uint32_t end = streams_->id_end();
  const uint32_t start = next_.load(std::memory_order_relaxed);
  for (uint32_t i = 0; i < end; ++i) {
    const uint32_t id = (start + i) % end;
    if (evict(streams_->Find(id))) {
      next_.store(id, std::memory_order_relaxed);
      return true;
    }
  }
  return false;
}

void Residency::EvictAll() {
  streams_->ForEach([&](Stream* stream) {
    const uint64_t end_seq = stream->tail_seq();
    while (stream->EvictOldest(end_seq)) {
      evictions_.fetch_add(1, std::memory_order_relaxed);
    }
  });
}

void Residency::EvictWhileNeeded() {
  while (budget_->should_evict() && EvictOne(nullptr)) {
  }
}

}  // namespace spillway::hybrid
