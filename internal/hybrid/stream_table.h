// The streams of a store, by id and by name. Streams are added, never removed while the store
// lives.
//
// Thread-safe; finding by id is lock-free.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include "internal/base/mutex.h"
#include "internal/hybrid/stream.h"

namespace spillway::hybrid {

class StreamTable {
 public:
  static constexpr uint32_t kStreamsMax = 65'535;

  StreamTable() = default;
  ~StreamTable();
  StreamTable(const StreamTable&) = delete;
  StreamTable& operator=(const StreamTable&) = delete;

  // Null if there is none.
  Stream* Find(uint32_t id) const;
  Stream* Find(const std::string& name) const SPW_EXCLUDES(mu_);

  // The stream `state.name`, added if there is none (*added says); kTooBig at kStreamsMax. state.id
  // is given by the table if it is kNewId.
  static constexpr uint32_t kNewId = UINT32_MAX;
  base::Result<Stream*> FindOrAdd(cold::StreamState state, bool in_tier,
                                  const std::shared_ptr<memory::MemoryBudget>& budget, bool* added)
      SPW_EXCLUDES(mu_);

  // All streams have ids below it.
  uint32_t id_end() const { return id_end_.load(std::memory_order_acquire); }
  uint32_t count() const { return count_.load(std::memory_order_relaxed); }

  template <class Visit>
  void ForEach(Visit&& visit) const {
    const uint32_t end = id_end();
    for (uint32_t id = 0; id < end; ++id) {
      if (Stream* stream = Find(id)) {
        visit(stream);
      }
    }
  }

 private:
  static constexpr size_t kChunk = 256;
  using Chunk = std::array<std::atomic<Stream*>, kChunk>;

  std::array<std::atomic<Chunk*>, kChunk>
      chunks_{};  // two steps, so that a store with few streams stays small
  std::atomic<uint32_t> id_end_{0};
  std::atomic<uint32_t> count_{0};
  mutable base::Mutex mu_;
  std::unordered_map<std::string, Stream*> by_name_ SPW_GUARDED_BY(mu_);
};

}  // namespace spillway::hybrid
