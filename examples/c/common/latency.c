#define _GNU_SOURCE 1
#include "latency.h"

#include <stdlib.h>
#include <time.h>

#include "fail.h"

uint64_t clock_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

void latencies_add(latencies* all, uint64_t ns) {
  if (all->count == all->cap) {
    all->cap = all->cap * 2 + 1024;
    all->ns = grow_or_fail(all->ns, all->cap * sizeof *all->ns);
  }
  all->ns[all->count++] = ns;
  all->total_ns += ns;
}

static int compare(const void* a, const void* b) {
  const uint64_t left = *(const uint64_t*)a;
  const uint64_t right = *(const uint64_t*)b;
  return (left > right) - (left < right);
}

uint64_t latencies_quantile(latencies* all, unsigned permille) {
  if (all->count == 0) {
    return 0;
  }
  qsort(all->ns, all->count, sizeof *all->ns, compare);
  const size_t within = (all->count * permille + 999) / 1000;
  return all->ns[within > 0 ? within - 1 : 0];
}

void latencies_free(latencies* all) {
  free(all->ns);
  *all = (latencies){0};
}
