/* One line on stderr that says how far the work is: on a terminal redrawn in place four times a
 * second, elsewhere a new line every second. Looks at no clock itself. */
#ifndef PROGRESS_H
#define PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct progress {
  const char* what;  /* borrowed */
  uint64_t total;    /* records; UINT64_MAX: not known */
  uint64_t begin_ns; /* clock_ns when the work began */
  uint64_t next_ns;  /* when to show it again */
  bool terminal;
  bool shown;
} progress;

void progress_begin(progress* state, const char* what, uint64_t total, uint64_t now_ns);

/* Whether a line is due. */
bool progress_due(const progress* state, uint64_t now_ns);

/* Shows it; `more` is added at the end and may be empty. */
void progress_show(progress* state, uint64_t records, const char* more, uint64_t now_ns);

/* Takes the line off a terminal. */
void progress_end(progress* state);

#endif
