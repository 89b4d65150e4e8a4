/* What the command line asks for; the same for both programs, so that one line can run both. */
#ifndef SETTINGS_H
#define SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct settings {
  const char** files; /* what to read, in this order */
  size_t file_count;
  char* list_text;         /* NULL, or what the paths in files point into */
  uint64_t records;        /* read the files again until there are so many; LINES_ONCE: once */
  uint64_t batch;          /* records of a batch */
  uint64_t budget_bytes;   /* 0: not given */
  uint64_t budget_records; /* 0: not given */
  const char* word;        /* to look for */
  const char* tier;        /* "sqlite" or "block" */
  bool sync_each_batch;    /* else once at the end; for SQLite */
  const char* store_path;  /* NULL: in a temporary folder */
  const char* copy_path;   /* NULL, or where the files go, put together again from the records */
  const char* table_path;  /* NULL, or where the table goes too */
  bool keep;
} settings;

/* --help prints and ends the program; what makes no sense ends it with kExitUsage. The texts live
 * as long as argv; settings_free gives back the rest. */
void settings_parse(settings* chosen, int argc, char** argv);
void settings_free(settings* chosen);

#endif
