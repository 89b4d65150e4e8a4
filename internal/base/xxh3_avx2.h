/* The AVX2 build of XXH3, for xxh3_dispatch.c only. The state is an XXH3_state_t, whose layout does
 * not depend on the instruction set. */
#pragma once

#include <stddef.h>
#include <stdint.h>

uint64_t SpwXxh3Avx2(const void* input, size_t bytes, uint64_t seed);
int SpwXxh3Avx2Update(void* state, const void* input, size_t bytes);
