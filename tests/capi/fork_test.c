/* A forked child: every handle of its parent answers FORKED there, and the parent does not notice.
 */
#define _GNU_SOURCE 1
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "fixture.h"
#include "process.h"

static spw_store* store;
static uint32_t stream;
static spw_cursor* cursor;
static spw_batch* batch;
static spw_options* options;
static spw_op* op;

static void store_calls(void) {
  const uint64_t offsets[] = {0, 1};
  const spw_slice slice = {"x", 1};
  uint64_t number = 1;
  EXPECT(SPW_FORKED, spw_store_add(store, stream, "x", 1, offsets, 1, NULL, SPW_WAIT_FOREVER, NULL,
                                   &number, &err));
  CHECK_EQUAL(number, SPW_SEQ_NONE);
  EXPECT(SPW_FORKED,
         spw_store_addv(store, stream, &slice, 1, NULL, SPW_WAIT_FOREVER, NULL, &number, &err));
  EXPECT(SPW_FORKED, spw_store_flush(store, SPW_FLUSH_DEVICE, SPW_WAIT_FOREVER, NULL, &err));
  EXPECT(SPW_FORKED, spw_store_clear(store, stream, &err));
  EXPECT(SPW_FORKED, spw_store_close(store, 0, SPW_WAIT_FOREVER, NULL, &err));
  EXPECT(SPW_FORKED, spw_store_close(store, SPW_CLOSE_DISCARD, SPW_NO_WAIT, NULL, &err));
  spw_report* report = NULL;
  EXPECT(SPW_FORKED, spw_store_verify(store, stream, 0, 1, NULL, &report, &err));
  EXPECT(SPW_FORKED, spw_store_set_i64(store, SPW_ALL, SPW_OPT_BUDGET_RECORDS, 5, &err));
  int64_t value = 1;
  EXPECT(SPW_FORKED, spw_store_get_i64(store, SPW_ALL, SPW_OPT_BUDGET_RECORDS, &value, &err));
  uint32_t id = 1;
  EXPECT(SPW_FORKED, spw_store_stream(store, "b", 1, NULL, SPW_STREAM_CREATE, &id, &err));
  size_t count = 1;
  char byte;
  EXPECT(SPW_FORKED, spw_store_streams(store, NULL, 0, &count, &err));
  EXPECT(SPW_FORKED, spw_store_stream_name(store, stream, &byte, 1, &count, &err));
  EXPECT(SPW_FORKED, spw_store_read(store, stream, 0, &byte, 1, &number, NULL, &err));
  spw_batch* gathered = NULL;
  EXPECT(SPW_FORKED, spw_store_gather(store, stream, offsets, 2, &gathered, &err));
  CHECK(gathered == NULL);
  spw_stats stats;
  memset(&stats, 0, sizeof stats);
  stats.struct_size = sizeof stats;
  EXPECT(SPW_FORKED, spw_store_stats(store, &stats, &err));
  spw_stream_stats of_stream;
  memset(&of_stream, 0, sizeof of_stream);
  of_stream.struct_size = sizeof of_stream;
  EXPECT(SPW_FORKED, spw_store_stream_stats(store, stream, &of_stream, &err));
  spw_event event;
  EXPECT(SPW_FORKED, spw_store_events(store, &event, sizeof event, 1, &count, &err));
}

static void other_calls(void) {
  const spw_scan scan = scan_from(stream, 0, SPW_SEQ_NONE);
  spw_cursor* opened = (spw_cursor*)(uintptr_t)64;
  EXPECT(SPW_FORKED, spw_cursor_open(store, &scan, NULL, &opened, &err));
  CHECK(opened == NULL);
  uint64_t begin, end;
  EXPECT(SPW_FORKED, spw_cursor_range(cursor, &begin, &end, &err));
  spw_view view = empty_view();
  EXPECT(SPW_FORKED, spw_cursor_next(cursor, 1, 1, 0, NULL, &view, &err));
  CHECK(view.count == 0 && view.data == NULL);
  EXPECT(SPW_FORKED, spw_cursor_seek(cursor, 0, &err));
  spw_batch* detached = NULL;
  EXPECT(SPW_FORKED, spw_cursor_detach(cursor, &detached, &err));
  EXPECT(SPW_FORKED, spw_batch_view(batch, &view, &err));
  /* options and operations are plain memory: the child has its own copy */
  EXPECT(SPW_OK, spw_options_set_i64(options, SPW_OPT_TIMES, 1, &err));
  spw_op_cancel(op); /* the child's copy of it */
}

static void free_all(void) {
  spw_store_free(store); /* the store first: its children come after */
  spw_cursor_free(cursor);
  spw_batch_free(batch);
  spw_options_free(options);
  spw_op_free(op);
}

/* What the child does. It tells how many checks failed and kills itself: a leak checker would blame
 * it for what the threads of its parent held, which a fork leaves behind. */
static void run_child(int answer) {
  check_failed = 0;
  store_calls();
  other_calls();
  CHECK(spw_version() != NULL && spw_status_name(SPW_FORKED) != NULL);
  free_all();
#ifndef __SANITIZE_THREAD__                    /* which knows no threads after a fork */
  spw_store* own = open_store(NULL, PAIRS(0)); /* a handle of its own is as good as any */
  CHECK_EQUAL(add_numbered(own, stream_of(own, "a"), 0, 10, 10), 0);
  close_store(own);
#endif
  fflush(stdout);
  const uint8_t failed = (uint8_t)(check_failed > 100 ? 100 : check_failed);
  if (write(answer, &failed, 1) == 1) {
    kill(getpid(), SIGKILL);
  }
  _exit(1);
}

static void open_all(const char* path) {
  store =
      open_store(path, path != NULL ? PAIRS(ON_DISK, SPW_OPT_BUDGET_BYTES, 256 * kKiB) : PAIRS(0));
  stream = stream_of(store, "a");
  for (uint64_t i = 0; i < 10; i++) {
    add_numbered(store, stream, i * 100, 100, 1000);
  }
  cursor = open_cursor(store, stream);
  spw_view view = empty_view();
  EXPECT(SPW_OK, spw_cursor_next(cursor, 10, SPW_NO_LIMIT, 0, NULL, &view, &err));
  EXPECT(SPW_OK, spw_cursor_detach(cursor, &batch, &err));
  EXPECT(SPW_OK, spw_cursor_seek(cursor, 0, &err));
  options = make_options(PAIRS(SPW_OPT_BUDGET_BYTES, kMiB));
  EXPECT(SPW_OK, spw_op_new(&op, &err));
}

static void fork_and_go_on(const char* path) {
  phase(path != NULL ? "a child of a process with a store on disk"
                     : "a child of a process with a store in memory");
  open_all(path);
  const uint64_t leaked = spw_leaked_stores();
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  fflush(stdout);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    run_child(ends[1]);
  }
  close(ends[1]);
  uint8_t failed = 255; /* stays so if the child ends before its time */
  const ssize_t told = read(ends[0], &failed, 1);
  check_that(told == 1 && failed == 0, __FILE__, __LINE__, "%d checks failed in the child", failed);
  close(ends[0]);
  REQUIRE(waitpid(child, NULL, 0) == child);
  CHECK_EQUAL(spw_leaked_stores(), leaked);
  CHECK_EQUAL(read_on(cursor, 0, 0), 1000); /* the parent goes on as if nothing had been */
  CHECK_EQUAL(add_numbered(store, stream, 1000, 100, 1000), 1000);
  CHECK_EQUAL(read_all(store, stream), 1100);
  if (path != NULL) {
    EXPECT(SPW_OK, spw_store_flush(store, SPW_FLUSH_DEVICE, SPW_WAIT_FOREVER, op, &err));
  }
  EXPECT(SPW_OK, spw_store_close(store, 0, SPW_WAIT_FOREVER, NULL, &err));
  free_all();
  if (path != NULL) {
    store = open_store(path, PAIRS(ON_DISK));
    CHECK_EQUAL(read_all(store, stream), 1100);
    close_store(store);
  }
}

static void descriptors_end_with_exec(void) {
  phase("descriptors do not survive exec");
  const descriptors before = open_descriptors();
  spw_store* other = open_store(temp_path("exec"), PAIRS(ON_DISK));
  add_numbered(other, stream_of(other, "a"), 0, 10, 10);
  EXPECT(SPW_OK, spw_store_flush(other, SPW_FLUSH_DEVICE, SPW_WAIT_FOREVER, NULL, &err));
  new_descriptors_end_with_exec(&before);
  close_store(other);
}

int main(void) {
  fork_and_go_on(NULL);
  fork_and_go_on(temp_path("forked"));
  descriptors_end_with_exec();
  return check_finish();
}
