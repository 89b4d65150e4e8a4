#include "internal/hybrid/stream_table.h"

namespace spillway::hybrid {

StreamTable::~StreamTable() {
  for (const std::atomic<Chunk*>& each : chunks_) {
    const std::unique_ptr<Chunk> chunk(each.load(std::memory_order_relaxed));
    for (size_t i = 0; chunk != nullptr && i < kChunk; ++i) {
      const std::unique_ptr<Stream> stream((*chunk)[i].load(std::memory_order_relaxed));
    }
  }
}

Stream* StreamTable::Find(uint32_t id) const {
  if (id >= id_end()) {
    return nullptr;
  }
  // acquire: pairs with the release in FindOrAdd, so that the stream is seen whole.
  const Chunk* chunk = chunks_[id / kChunk].load(std::memory_order_acquire);
  return chunk == nullptr ? nullptr : (*chunk)[id % kChunk].load(std::memory_order_acquire);
}

Stream* StreamTable::Find(const std::string& name) const {
  base::MutexLock lock(mu_);
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

base::Result<Stream*> StreamTable::FindOrAdd(cold::StreamState state, bool in_tier,
                                             const std::shared_ptr<memory::MemoryBudget>& budget,
                                             bool* added) {
  *added = false;
  std::unique_ptr<Stream> stream;  // outlives the lock: its end takes a mutex of its own
  base::MutexLock lock(mu_);
  if (const auto found = by_name_.find(state.name); found != by_name_.end()) {
    return found->second;
  }
  const uint32_t id = state.id == kNewId ? id_end_.load(std::memory_order_relaxed) : state.id;
  if (id >= kStreamsMax) {
    return base::Status(base::Code::kTooBig,
                        "a store has at most " + std::to_string(kStreamsMax) + " streams");
  }
  std::atomic<Chunk*>& chunk = chunks_[id / kChunk];
  if (chunk.load(std::memory_order_relaxed) == nullptr) {
    chunk.store(new Chunk{}, std::memory_order_release);
  }
  state.id = id;
  stream = std::make_unique<Stream>(state, in_tier, budget);
  by_name_.emplace(state.name, stream.get());
  // Nothing fails from here on.
  Stream* const result = stream.release();
  (*chunk.load(std::memory_order_relaxed))[id % kChunk].store(result, std::memory_order_release);
  id_end_.store(std::max(id + 1, id_end_.load(std::memory_order_relaxed)),
                std::memory_order_release);
  count_.fetch_add(1, std::memory_order_relaxed);
  *added = true;
  return result;
}

}  // namespace spillway::hybrid
