/* XXH3 of the packaged xxhash.h once more, compiled for AVX2 (this file alone has -mavx2: nothing
 * in it may be reached before xxh3_dispatch.c has asked the processor). */
#define XXH_INLINE_ALL
#define XXH_VECTOR XXH_AVX2
#include "internal/base/xxh3_avx2.h"

#include <xxhash.h>

uint64_t SpwXxh3Avx2(const void* input, size_t bytes, uint64_t seed) {
  return XXH3_64bits_withSeed(input, bytes, seed);
}

int SpwXxh3Avx2Update(void* state, const void* input, size_t bytes) {
  return (int)XXH3_64bits_update((XXH3_state_t*)state, input, bytes);
}
