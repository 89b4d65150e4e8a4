#include "internal/base/checksum.h"

#include <tuple>

#define XXH_STATIC_LINKING_ONLY  // for the size of the state
#if defined(__x86_64__)
#include <xxh_x86dispatch.h>
#endif
#include <nettle/sha2.h>
#include <xxhash.h>

namespace spillway::base {

static XXH3_state_t* State(unsigned char* bytes) { return reinterpret_cast<XXH3_state_t*>(bytes); }

uint64_t Hash64(std::span<const uint8_t> bytes, uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

Sha256Sum Sha256(std::span<const uint8_t> head, std::span<const uint8_t> body) {
  static_assert(std::tuple_size_v<Sha256Sum> == SHA256_DIGEST_SIZE);
  sha256_ctx state;
  Sha256Sum sum;
  sha256_init(&state);
  sha256_update(&state, head.size(), head.data());
  sha256_update(&state, body.size(), body.data());
  sha256_digest(&state, sum.size(), sum.data());
  return sum;
}

Hasher::Hasher(uint64_t seed) {
  static_assert(sizeof(XXH3_state_t) == kStateBytes && alignof(XXH3_state_t) <= 64);
  XXH3_INITSTATE(State(state_));
  Reset(seed);
}

void Hasher::Reset(uint64_t seed) { XXH3_64bits_reset_withSeed(State(state_), seed); }

Hasher& Hasher::Update(std::span<const uint8_t> bytes) {
  XXH3_64bits_update(State(state_), bytes.data(), bytes.size());
  return *this;
}

uint64_t Hasher::Digest() const {
  return XXH3_64bits_digest(reinterpret_cast<const XXH3_state_t*>(state_));
}

}  // namespace spillway::base
