// Payloads that were proved, for views: kept up to a number of bytes, least recently used first
// out. A version of a block never changes, so its number is the key. Thread-safe.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <unordered_map>
#include <vector>

#include "internal/base/mutex.h"

namespace spillway::blockfile {

class BlobCache {
 public:
  using Payload = std::shared_ptr<const std::vector<uint8_t>>;

  explicit BlobCache(uint64_t bytes_most) : bytes_most_(bytes_most) {}

  Payload Find(uint64_t version);
  void Keep(uint64_t version, const Payload& payload);

  uint64_t bytes();
  uint64_t hits();
  uint64_t misses();

 private:
  struct Kept {
    uint64_t version = 0;
    Payload payload;
  };
  const uint64_t bytes_most_;
  base::Mutex mu_;
  std::list<Kept> used_ SPW_GUARDED_BY(mu_);  // most recently first
  std::unordered_map<uint64_t, std::list<Kept>::iterator> by_version_ SPW_GUARDED_BY(mu_);
  uint64_t bytes_ SPW_GUARDED_BY(mu_) = 0;
  uint64_t hits_ SPW_GUARDED_BY(mu_) = 0;
  uint64_t misses_ SPW_GUARDED_BY(mu_) = 0;
};

}  // namespace spillway::blockfile
