/* A user's program, built outside of the project against the installed library: a store in memory,
 * one batch in, the same records out. Also compiled as C++ (consumer.cc). */
#include <spillway.h>
#include <stdio.h>
#include <string.h>

#ifdef WITH_OWN_SQLITE
#include <sqlite3.h>
#endif

static int Failed(const char* what, spw_error* error) {
  fprintf(stderr, "%s: %s\n", what, spw_error_message(error, NULL));
  spw_error_free(error);
  return 1;
}

int main(void) {
  const char* const data = "onetwothree";
  const uint64_t offsets[] = {0, 3, 6, 11};
  spw_error* error = NULL;
  spw_store* store = NULL;
  spw_cursor* cursor = NULL;
  uint32_t stream = 0;
  spw_scan scan;
  spw_view view;

  if (spw_store_open(NULL, 0, NULL, NULL, &store, &error) != SPW_OK) return Failed("open", error);
  if (spw_store_stream(store, "s", 1, NULL, SPW_STREAM_CREATE, &stream, &error) != SPW_OK)
    return Failed("stream", error);
  if (spw_store_add(store, stream, data, strlen(data), offsets, 3, NULL, SPW_WAIT_FOREVER, NULL,
                    NULL, &error) != SPW_OK)
    return Failed("add", error);
  memset(&scan, 0, sizeof scan);
  scan.struct_size = sizeof scan;
  scan.stream = stream;
  scan.end_seq = SPW_SEQ_NONE;
  if (spw_cursor_open(store, &scan, NULL, &cursor, &error) != SPW_OK)
    return Failed("cursor", error);
  memset(&view, 0, sizeof view);
  view.struct_size = sizeof view;
  if (spw_cursor_next(cursor, SPW_NO_LIMIT, SPW_NO_LIMIT, SPW_NO_WAIT, NULL, &view, &error) !=
      SPW_OK)
    return Failed("next", error);
  if (view.count != 3 || view.end[2] - view.begin[2] != 5 ||
      memcmp(view.data + view.begin[2], "three", 5) != 0)
    return 2;
  spw_cursor_free(cursor);
  if (spw_store_close(store, 0, SPW_WAIT_FOREVER, NULL, &error) != SPW_OK)
    return Failed("close", error);
  spw_store_free(store);

  /* Errors and their texts, also from the statically linked library. */
  if (spw_store_open("/nowhere/at/all", 15, NULL, NULL, &store, &error) == SPW_OK) return 3;
  if (store != NULL || error == NULL) return 3;
  spw_error_free(error);
#ifdef WITH_OWN_SQLITE
  if (sqlite3_initialize() != SQLITE_OK) return 4;
#endif
  printf("spillway %s\n", spw_version());
  return 0;
}
