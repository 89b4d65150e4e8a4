/* A number that stands for lines in their order: two sequences that differ in a byte, a length, an
 * order or a line end have different digests (up to chance, 1 in 2^64). */
#ifndef DIGEST_H
#define DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroed, it is that of no lines. */
typedef struct digest {
  uint64_t records;
  uint64_t bytes; /* of the lines, without line feeds */
  uint64_t hash;  /* MurmurHash64A over each line, seeded with the hash of the lines before */
} digest;

/* ended: a line feed followed the line. */
void digest_add(digest* sum, const void* line, size_t len, bool ended);

bool digest_equal(const digest* a, const digest* b);

#endif
