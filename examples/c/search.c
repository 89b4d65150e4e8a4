/* The lines of log files into a store under a budget of 8 MiB; then, from the store opened again,
 * the lines with a word, and all lines compared with the files:
 *     spw_search STORE WORD FILE...
 */
#define _GNU_SOURCE /* getline, memmem */
#include <inttypes.h>
#include <spillway.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRY(call) \
  if ((call) != SPW_OK) fprintf(stderr, "%s\n", spw_error_message(err, NULL)), exit(1)
#define BATCH 1000

static spw_error* err;
static uint32_t log_stream;

static spw_store* open_store(const char* path, int64_t how) {
  spw_options* options;
  spw_store* store;
  TRY(spw_options_new(&options, &err));
  TRY(spw_options_set_i64(options, SPW_OPT_BUDGET_BYTES, 8 << 20, &err));
  TRY(spw_options_set_i64(options, SPW_OPT_OPEN, how, &err));
  TRY(spw_store_open(path, strlen(path), options, NULL, &store, &err));
  TRY(spw_store_stream(store, "log", 3, NULL, SPW_STREAM_CREATE, &log_stream, &err));
  spw_options_free(options);
  return store;
}

/* The next line of the files without its line feed; false: there are no more. */
static int next_line(char*** files, FILE** file, char** line, size_t* len) {
  static size_t cap;
  for (; *file != NULL || **files != NULL; fclose(*file), *file = NULL) {
    if (*file == NULL && (*file = fopen(*(*files)++, "rb")) == NULL) perror("open"), exit(1);
    const ssize_t got = getline(line, &cap, *file);
    if (got < 0) continue;
    *len = (size_t)got - ((*line)[got - 1] == '\n');
    return 1;
  }
  return 0;
}

static void ingest(spw_store* store, char** files) {
  FILE* file = NULL;
  char *line = NULL, *data = NULL;
  uint64_t offsets[BATCH + 1] = {0}, lines = 0, bytes = 0;
  size_t len, count = 0, cap = 0;
  for (int more = 1; more;) {
    if ((more = next_line(&files, &file, &line, &len))) {
      for (; offsets[count] + len >= cap; cap += cap + 4096) data = realloc(data, 2 * cap + 4096);
      memcpy(data + offsets[count], line, len);
      offsets[count + 1] = offsets[count] + len;
      count++, lines++, bytes += len;
    }
    if (count == BATCH || !more) {
      TRY(spw_store_add(store, log_stream, data, offsets[count], offsets, count, NULL,
                        SPW_WAIT_DEFAULT, NULL, NULL, &err));
      count = 0;
    }
  }
  free(data), free(line);
  printf("%" PRIu64 " lines, %" PRIu64 " bytes added\n", lines, bytes);
}

static void search(spw_store* store, const char* word, char** files) {
  FILE* file = NULL;
  char* line = NULL;
  uint64_t found = 0, verified = 0;
  size_t len;
  spw_cursor* cursor;
  spw_scan all = {.struct_size = sizeof all, .stream = log_stream, .end_seq = SPW_SEQ_NONE};
  TRY(spw_cursor_open(store, &all, NULL, &cursor, &err));
  spw_view view = {.struct_size = sizeof view};
  do {
    TRY(spw_cursor_next(cursor, BATCH, SPW_NO_LIMIT, SPW_WAIT_FOREVER, NULL, &view, &err));
    for (uint64_t i = 0; i < view.count; i++) {
      const size_t size = (size_t)(view.end[i] - view.begin[i]);
      const char* record = (const char*)view.data + view.begin[i];
      if (memmem(record, size, word, strlen(word)) != NULL && ++found <= 3)
        printf("%" PRIu64 ": ", view.first_seq + i), fwrite(record, 1, size, stdout), puts("");
      verified +=
          next_line(&files, &file, &line, &len) && len == size && !memcmp(line, record, len);
    }
  } while (view.count > 0);
  spw_cursor_free(cursor), free(line);
  printf("%" PRIu64 " lines with \"%s\", %" PRIu64 " lines verified\n", found, word, verified);
}

int main(int argc, char** argv) {
  if (argc < 4) return fprintf(stderr, "usage: %s STORE WORD FILE...\n", argv[0]), 2;
  for (int pass = 0; pass < 2; pass++) {
    spw_store* store = open_store(argv[1], pass == 0 ? SPW_OPEN_NEW : SPW_OPEN_EXISTING);
    pass == 0 ? ingest(store, argv + 3) : search(store, argv[2], argv + 3);
    TRY(spw_store_close(store, 0, SPW_WAIT_FOREVER, NULL, &err));
    spw_store_free(store);
  }
}
