#include "digest.h"

#include <string.h>

/* Austin Appleby's MurmurHash64A: eight bytes a step, the length goes in with the seed. */
static uint64_t murmur_64a(const uint8_t* bytes, size_t len, uint64_t seed) {
  const uint64_t multiplier = UINT64_C(0xc6a4a7935bd1e995);
  const int shift = 47;
  uint64_t hash = seed ^ (len * multiplier);
  size_t i = 0;
  for (; i + 8 <= len; i += 8) {
    uint64_t word;
    memcpy(&word, bytes + i, 8);
    word *= multiplier;
    word ^= word >> shift;
    hash = (hash ^ (word * multiplier)) * multiplier;
  }
  if (i < len) {
    uint64_t word = 0;
    memcpy(&word, bytes + i, len - i);
    hash = (hash ^ word) * multiplier;
  }
  hash ^= hash >> shift;
  hash *= multiplier;
  return hash ^ (hash >> shift);
}

void digest_add(digest* sum, const void* line, size_t len, bool ended) {
  const uint64_t hash = murmur_64a(line, len, sum->hash);
  sum->hash = ended ? hash : ~hash;
  sum->records++;
  sum->bytes += len;
}

bool digest_equal(const digest* a, const digest* b) {
  return a->records == b->records && a->bytes == b->bytes && a->hash == b->hash;
}
