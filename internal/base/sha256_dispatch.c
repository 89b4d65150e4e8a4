/* What nettle's SHA-256 is built on, one block of 64 bytes: with the processor's own instructions
 * where it has them. The archive would choose too, but when the program is loaded, and after a look
 * at variables of the host's environment; this definition keeps that part of it out of the link. */
#include <cpuid.h>
#include <stdatomic.h>
#include <stdint.h>

/* Names of ours for the archive's: see sha256-compress.asm there. */
void SpwSha256Compress(uint32_t* state, const uint8_t* block,
                       const uint32_t* constants) __asm__("_nettle_sha256_compress");
void SpwSha256CompressPlain(uint32_t* state, const uint8_t* block,
                            const uint32_t* constants) __asm__("_nettle_sha256_compress_x86_64");
void SpwSha256CompressNi(uint32_t* state, const uint8_t* block,
                         const uint32_t* constants) __asm__("_nettle_sha256_compress_sha_ni");

/* Asked once: in a virtual machine cpuid takes longer than the block. */
static int HasShaNi(void) {
  enum { kUnknown, kNo, kYes };
  static atomic_int known = kUnknown;
  int answer = atomic_load_explicit(&known, memory_order_relaxed); /* relaxed: publishes nothing */
  if (answer == kUnknown) {
    unsigned eax = 0;
    unsigned ebx = 0;
    unsigned ecx = 0;
    unsigned edx = 0;
    answer = __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) && (ebx & bit_SHA) != 0 ? kYes : kNo;
    atomic_store_explicit(&known, answer, memory_order_relaxed);
  }
  return answer == kYes;
}

void SpwSha256Compress(uint32_t* state, const uint8_t* block, const uint32_t* constants) {
  if (HasShaNi()) {
    SpwSha256CompressNi(state, block, constants);
  } else {
    SpwSha256CompressPlain(state, block, constants);
  }
}
