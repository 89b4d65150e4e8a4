#include <spillway.h>
#include <stdio.h>
#define TRY(call) \
  if ((call) != SPW_OK) return fprintf(stderr, "%s\n", spw_error_message(err, NULL)), 1

int main(void) {
  spw_error* err;
  spw_store* store;
  TRY(spw_store_open("first.spw", 9, NULL, NULL, &store, &err));
  uint32_t log;
  TRY(spw_store_stream(store, "log", 3, NULL, SPW_STREAM_CREATE, &log, &err));
  const uint64_t ends[] = {0, 6, 11}; /* record i is data[ends[i] .. ends[i + 1]) */
  TRY(spw_store_add(store, log, "Hello,world", 11, ends, 2, NULL, -1, NULL, NULL, &err));
  spw_cursor* cursor;
  spw_scan all = {.struct_size = sizeof all, .stream = log, .end_seq = SPW_SEQ_NONE};
  TRY(spw_cursor_open(store, &all, NULL, &cursor, &err));
  spw_view view = {.struct_size = sizeof view};
  do {
    TRY(spw_cursor_next(cursor, 1000, SPW_NO_LIMIT, SPW_WAIT_FOREVER, NULL, &view, &err));
    for (uint64_t i = 0; i < view.count; i++) {
      printf("%.*s\n", (int)(view.end[i] - view.begin[i]), (char*)view.data + view.begin[i]);
    }
  } while (view.count > 0);
  TRY(spw_store_close(store, 0, SPW_WAIT_FOREVER, NULL, &err)); /* from here on it is safe */
  spw_cursor_free(cursor);
  spw_store_free(store);
}
