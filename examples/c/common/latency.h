/* Times of calls, and their quantiles. */
#ifndef LATENCY_H
#define LATENCY_H

#include <stddef.h>
#include <stdint.h>

/* Nanoseconds of a clock that only goes forward. */
uint64_t clock_ns(void);

/* Zeroed, it is empty. */
typedef struct latencies {
  uint64_t* ns;
  size_t count;
  size_t cap;
  uint64_t total_ns;
} latencies;

void latencies_add(latencies* all, uint64_t ns);

/* The smallest time that at least permille / 1000 of all calls stayed within: 500 is the median,
 * 1000 the worst; 0 without calls. Sorts the times. */
uint64_t latencies_quantile(latencies* all, unsigned permille);

void latencies_free(latencies* all);

#endif
