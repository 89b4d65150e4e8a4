/* What a capped store takes of the machine: ten times its budget goes in, and the memory of the
 * whole process stays below the hard limit, what is pinned, and a little of the library's own. */
#define _GNU_SOURCE 1
#include "fixture.h"

#define BUDGET ((uint64_t)64 * kMiB)
#define OWN ((uint64_t)16 * kMiB) /* the cold tier's caches, threads, the allocator */
enum { kRecord = 1000, kBatch = 1000, kBatches = 640 * kMiB / (kRecord * kBatch) + 1 };

static uint64_t resident_bytes(void) {
  unsigned long long all = 0, resident = 0;
  FILE* file = fopen("/proc/self/statm", "r");
  REQUIRE(file != NULL && fscanf(file, "%llu %llu", &all, &resident) == 2);
  fclose(file);
  return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* The most that was seen, beside what the store is allowed at that moment. */
typedef struct footprint {
  uint64_t before; /* the store was opened */
  uint64_t most;   /* above it */
  uint64_t own;    /* above what the store counts */
  uint64_t above;  /* samples above what is allowed */
} footprint;

static void sample(footprint* seen, const spw_store* store) {
  const spw_stats stats = stats_of(store);
  const uint64_t now = resident_bytes();
  const uint64_t grown = now > seen->before ? now - seen->before : 0;
  seen->most = grown > seen->most ? grown : seen->most;
  const uint64_t counted = stats.bytes_resident + stats.bytes_pinned;
  seen->own = grown > counted + seen->own ? grown - counted : seen->own;
  seen->above += grown > stats.bytes_hard + stats.bytes_pinned + OWN ? 1 : 0;
}

/* Records differ in their first bytes, which say their number. */
static void number_records(packed* batch, uint64_t first) {
  for (uint64_t i = 0; i < batch->count; i++) {
    const uint64_t number = first + i;
    memcpy(batch->data + batch->offsets[i], &number, sizeof number);
  }
}

static void ingest(spw_store* store, uint32_t stream, packed* batch, footprint* seen) {
  for (uint64_t i = 0; i < kBatches; i++) {
    number_records(batch, i * kBatch);
    EXPECT(SPW_OK, spw_store_add(store, stream, batch->data, batch->offsets[kBatch], batch->offsets,
                                 kBatch, NULL, SPW_WAIT_FOREVER, NULL, NULL, &err));
    sample(seen, store);
  }
}

/* All that went in comes out, and takes no more memory than while it went in. */
static void read_back(spw_store* store, uint32_t stream, packed* batch, footprint* seen) {
  spw_cursor* cursor = open_cursor(store, stream);
  uint64_t records = 0, wrong = 0;
  for (uint64_t count = 1; count > 0; records += count) {
    spw_view view = empty_view();
    REQUIRE(EXPECT(SPW_OK, spw_cursor_next(cursor, kBatch, SPW_NO_LIMIT, SPW_WAIT_FOREVER, NULL,
                                           &view, &err)));
    count = view.count;
    for (uint64_t i = 0; i < count; i++) {
      uint8_t* want = batch->data + batch->offsets[(records + i) % kBatch];
      const uint64_t number = records + i;
      memcpy(want, &number, sizeof number);
      wrong += view.end[i] - view.begin[i] != kRecord ||
               memcmp(view.data + view.begin[i], want, kRecord) != 0;
    }
    sample(seen, store);
  }
  spw_cursor_free(cursor);
  CHECK_EQUAL(records, (uint64_t)kBatches * kBatch);
  CHECK_EQUAL(wrong, 0);
}

int main(void) {
  if (is_watched()) {
    printf("SKIP: under a sanitizer or memcheck the process takes what they take\n");
    return 77;
  }
  phase("ten times the budget goes through its memory");
  packed batch = pack(0, kBatch, kRecord); /* touched: no part of what the store takes */
  footprint seen = {.before = resident_bytes()};
  spw_store* store =
      open_store(temp_path("footprint"), PAIRS(ON_DISK, SPW_OPT_BUDGET_BYTES, (int64_t)BUDGET));
  const uint32_t stream = stream_of(store, "a");
  ingest(store, stream, &batch, &seen);
  const uint64_t most_added = seen.most;
  read_back(store, stream, &batch, &seen);
  const spw_stats stats = stats_of(store);
  printf(
      "RSS grew by %.1f MiB while adding, %.1f in all, %.1f beyond what is counted; hard limit "
      "%.1f\n",
      (double)most_added / kMiB, (double)seen.most / kMiB, (double)seen.own / kMiB,
      (double)stats.bytes_hard / kMiB);
  CHECK_EQUAL(seen.above, 0);
  CHECK(seen.most > BUDGET / 2); /* or what was measured is not what the store takes */
  CHECK(stats.bytes_resident_peak <= stats.bytes_hard);
  CHECK(stats.payload_bytes_added >= 10 * BUDGET);
  close_store(store);
  unpack(batch);
  return check_finish();
}
