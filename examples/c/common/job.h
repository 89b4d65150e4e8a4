/* The main job: lines of files into a store, and out again, with the same yardstick for every kind
 * of store.
 *
 * Write: open, add batch by batch, make everything durable, close. Before the close everything is
 * read in order and searched for a word; after it the store is opened again and read once more.
 * What comes back must have the digest of what went in. Reading and hashing the files is not the
 * store's work, so its time is taken apart; the wall clock has it all.
 */
#ifndef JOB_H
#define JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "settings.h"
#include "table.h"

/* The two kinds of records. */
enum {
  kLines,   /* the lines, as line_reader.h says */
  kUnended, /* numbers, in decimal, of the lines that no line feed followed: 0 is the first line */
  kKinds
};

/* Takes the next record in order. */
typedef void job_visit(void* context, const uint8_t* record, size_t len);

/* What a store must be able to do; `self` is its own state. Where it cannot, it calls fail. */
typedef struct job_store {
  const char* name;
  void (*open)(void* self, const char* path, bool create);
  /* Record i is data[offsets[i] .. offsets[i + 1]); all of them or none. */
  void (*add)(void* self, int kind, const uint8_t* data, const uint64_t* offsets, size_t count);
  void (*flush)(void* self); /* returns when everything is safe from a power cut */
  void (*scan)(void* self, int kind, job_visit* visit, void* context);
  void (*close)(void* self);
  /* A few words on how it goes, for the progress line; at most `cap` bytes with the NUL. */
  void (*say)(void* self, char* text, size_t cap);
  /* Rows of its own for the table: the state when all has been added and nothing flushed yet. */
  void (*report)(void* self, table* rows);
} job_store;

/* Does the job and prints the table. Returns the exit code of the program. */
int job_run(const settings* chosen, const job_store* store, void* self);

#endif
