/* Those functions of xxHash's <xxh_x86dispatch.h> that we use: the distribution packages the header
 * but not the code. Baseline is the packaged archive (SSE2), which also resets and digests states.
 * AVX-512 is left out: on the hashes of a few kB to MB that we make, memory is the limit already.
 */
#define XXH_DISPATCH_DISABLE_REPLACE
#include <xxh_x86dispatch.h>

#include "internal/base/xxh3_avx2.h"

/* One load and one bit test per call: cheaper than an ifunc would be to reason about. */
static int HasAvx2(void) { return __builtin_cpu_supports("avx2") != 0; }

XXH64_hash_t XXH3_64bits_withSeed_dispatch(const void* input, size_t bytes, XXH64_hash_t seed) {
  return HasAvx2() ? SpwXxh3Avx2(input, bytes, seed) : XXH3_64bits_withSeed(input, bytes, seed);
}

XXH64_hash_t XXH3_64bits_dispatch(const void* input, size_t bytes) {
  return XXH3_64bits_withSeed_dispatch(input, bytes, 0);
}

XXH_errorcode XXH3_64bits_update_dispatch(XXH3_state_t* state, const void* input, size_t bytes) {
  return HasAvx2() ? (XXH_errorcode)SpwXxh3Avx2Update(state, input, bytes)
                   : XXH3_64bits_update(state, input, bytes);
}
