/* Uses a store with the SQLite tier: linked (HOST_LINKED), or loaded with dlopen in the way that
 * argv[2] says from the file argv[1]. Then unloads the library while a thread that used it still
 * runs. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "host.h"
#include "spillway.h"

/* clang-format off */
#define FUNCTIONS(X)                                                                    \
  X(spw_options_new) X(spw_options_set_i64) X(spw_options_free) X(spw_store_open)       \
  X(spw_store_stream) X(spw_store_add) X(spw_store_flush) X(spw_cursor_open)            \
  X(spw_cursor_next) X(spw_cursor_free) X(spw_store_close) X(spw_store_free)            \
  X(spw_store_stats) X(spw_error_message) X(spw_error_free)
/* clang-format on */

static struct {
#define X(name) __typeof__(&name) name;
  FUNCTIONS(X)
#undef X
} api;

static void* library; /* NULL when linked */

#ifdef HOST_LINKED
static void Load(char** arguments) {
  (void)arguments;
#define X(name) api.name = &name;
  FUNCTIONS(X)
#undef X
}
#else
static void Load(char** arguments) {
  int flags = RTLD_NOW | RTLD_LOCAL;
  if (strcmp(arguments[2], "deepbind") == 0) {
    flags |= RTLD_DEEPBIND;
  }
  library = dlopen(arguments[1], flags);
  if (library == NULL) {
    fprintf(stderr, "%s\n", dlerror());
  }
  EXPECT(library != NULL);
#define X(name)                                    \
  {                                                \
    void* const function = dlsym(library, #name);  \
    EXPECT(function != NULL);                      \
    memcpy(&api.name, &function, sizeof function); \
  }
  FUNCTIONS(X)
#undef X
}
#endif

static void Ok(spw_status status, spw_error* error) {
  if (status != SPW_OK) {
    fprintf(stderr, "%s\n", api.spw_error_message(error, NULL));
  }
  EXPECT(status == SPW_OK);
}

enum { kBatches = 50, kBatchRecords = 1000, kRecordBytes = 100 };

static void AddBatches(spw_store* store, uint32_t stream) {
  static char data[kBatchRecords * kRecordBytes];
  static uint64_t offsets[kBatchRecords + 1];
  memset(data, 'x', sizeof data);
  for (size_t i = 0; i <= kBatchRecords; i++) {
    offsets[i] = i * kRecordBytes;
  }
  for (int batch = 0; batch < kBatches; batch++) {
    spw_error* error = NULL;
    Ok(api.spw_store_add(store, stream, data, sizeof data, offsets, kBatchRecords, NULL,
                         SPW_WAIT_FOREVER, NULL, NULL, &error),
       error);
  }
}

static void ReadAll(spw_store* store, uint32_t stream) {
  spw_scan scan;
  memset(&scan, 0, sizeof scan);
  scan.struct_size = sizeof scan;
  scan.stream = stream;
  scan.end_seq = SPW_SEQ_NONE;
  spw_cursor* cursor = NULL;
  spw_error* error = NULL;
  Ok(api.spw_cursor_open(store, &scan, NULL, &cursor, &error), error);
  uint64_t count = 0;
  for (;;) {
    spw_view view;
    view.struct_size = sizeof view;
    Ok(api.spw_cursor_next(cursor, SPW_NO_LIMIT, SPW_NO_LIMIT, SPW_NO_WAIT, NULL, &view, &error),
       error);
    if (view.count == 0) {
      break;
    }
    EXPECT(view.first_seq == count && view.data[view.begin[0]] == 'x');
    count += view.count;
  }
  api.spw_cursor_free(cursor);
  EXPECT(count == (uint64_t)kBatches * kBatchRecords);
}

static void RemoveFolder(const char* folder) {
  DIR* const entries = opendir(folder);
  EXPECT(entries != NULL && chdir(folder) == 0);
  for (struct dirent* entry; (entry = readdir(entries)) != NULL;) {
    unlink(entry->d_name);
  }
  closedir(entries);
  EXPECT(chdir("..") == 0 && rmdir(folder) == 0);
}

static void UseStore(void) {
  char folder[] = "host_XXXXXX";
  EXPECT(mkdtemp(folder) != NULL);
  char path[sizeof folder + sizeof "/store"];
  const int length = snprintf(path, sizeof path, "%s/store", folder);

  spw_error* error = NULL;
  spw_options* options = NULL;
  Ok(api.spw_options_new(&options, &error), error);
  Ok(api.spw_options_set_i64(options, SPW_OPT_COLD_TIER, SPW_TIER_SQLITE, &error), error);
  Ok(api.spw_options_set_i64(options, SPW_OPT_BUDGET_BYTES, 1 << 20, &error), error);
  spw_store* store = NULL;
  Ok(api.spw_store_open(path, (size_t)length, options, NULL, &store, &error), error);
  api.spw_options_free(options);
  uint32_t stream = 0;
  Ok(api.spw_store_stream(store, "s", 1, NULL, SPW_STREAM_CREATE, &stream, &error), error);

  AddBatches(store, stream);
  Ok(api.spw_store_flush(store, SPW_FLUSH_DEVICE, SPW_WAIT_FOREVER, NULL, &error), error);
  ReadAll(store, stream);
  spw_stats stats;
  stats.struct_size = sizeof stats;
  Ok(api.spw_store_stats(store, &stats, &error), error);
  EXPECT(stats.records_cold > 0); /* otherwise SQLite was not in it */

  /* An error with a text: its memory comes from inside and goes back there. */
  EXPECT(api.spw_store_open("/nowhere/at/all", 15, NULL, NULL, &(spw_store*){NULL}, &error) !=
         SPW_OK);
  EXPECT(error != NULL);
  api.spw_error_free(error);
  Ok(api.spw_store_close(store, 0, SPW_WAIT_FOREVER, NULL, &error), error);
  api.spw_store_free(store);
  RemoveFolder(folder);
}

/* The library's per-thread memory is given back when this thread ends, after dlclose. */
static pthread_barrier_t used, unloaded;

static void* UseAndOutlive(void* unused) {
  UseStore();
  pthread_barrier_wait(&used);
  pthread_barrier_wait(&unloaded);
  return unused;
}

int main(int count, char** arguments) {
  EXPECT(count == 3);
  Load(arguments);
  HostBefore();
  UseStore();
  pthread_t thread;
  EXPECT(pthread_barrier_init(&used, NULL, 2) == 0 &&
         pthread_barrier_init(&unloaded, NULL, 2) == 0);
  EXPECT(pthread_create(&thread, NULL, UseAndOutlive, NULL) == 0);
  pthread_barrier_wait(&used);
  HostAfter(2L * kBatches * kBatchRecords);
  if (library != NULL) {
    EXPECT(dlclose(library) == 0);
  }
  pthread_barrier_wait(&unloaded);
  EXPECT(pthread_join(thread, NULL) == 0);
  if (library != NULL) {
    Load(arguments); /* and once more, after it was closed */
    UseStore();
    EXPECT(dlclose(library) == 0);
  }
  printf("ok\n");
  return 0;
}
