#include "internal/blockfile/blob_cache.h"

namespace spillway::blockfile {

using base::MutexLock;

// What a payload counts at the least for how many there may be: small ones take more than their
// bytes, and empty ones are many.
static constexpr uint64_t kBytesLeast = 256;

BlobCache::Payload BlobCache::Find(uint64_t version) {
  MutexLock lock(mu_);
  const auto found = by_version_.find(version);
  if (found == by_version_.end()) {
    ++misses_;
    return nullptr;
  }
  ++hits_;
  used_.splice(used_.begin(), used_, found->second);
  return found->second->payload;
}

void BlobCache::Keep(uint64_t version, const Payload& payload) {
  if (payload->size() > bytes_most_ / 4) {  // it would push out everything else
    return;
  }
  std::list<Kept> gone;  // ends outside of the mutex
  std::list<Kept> fresh;
  fresh.push_front({version, payload});
  MutexLock lock(mu_);
  if (!by_version_.try_emplace(version, fresh.begin()).second) {
    return;
  }
  used_.splice(used_.begin(), fresh);  // what follows cannot fail
  bytes_ += payload->size();
  while (bytes_ > bytes_most_ || used_.size() > bytes_most_ / kBytesLeast) {
    bytes_ -= used_.back().payload->size();
    by_version_.erase(used_.back().version);
    gone.splice(gone.begin(), used_, std::prev(used_.end()));
  }
}

uint64_t BlobCache::bytes() {
  MutexLock lock(mu_);
  return bytes_;
}
uint64_t BlobCache::hits() {
  MutexLock lock(mu_);
  return hits_;
}
uint64_t BlobCache::misses() {
  MutexLock lock(mu_);
  return misses_;
}

}  // namespace spillway::blockfile
