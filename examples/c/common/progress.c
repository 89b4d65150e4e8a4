#define _GNU_SOURCE 1
#include "progress.h"

#include <stdio.h>
#include <unistd.h>

#include "text.h"

static const uint64_t kTerminalNs = UINT64_C(250000000);
static const uint64_t kLogNs = UINT64_C(1000000000);

void progress_begin(progress* state, const char* what, uint64_t total, uint64_t now_ns) {
  *state = (progress){.what = what, .total = total, .begin_ns = now_ns};
  state->terminal = isatty(STDERR_FILENO) == 1;
  state->next_ns = now_ns + (state->terminal ? kTerminalNs : kLogNs);
}

bool progress_due(const progress* state, uint64_t now_ns) { return now_ns >= state->next_ns; }

void progress_show(progress* state, uint64_t records, const char* more, uint64_t now_ns) {
  char done[TEXT_MAX];
  char total[TEXT_MAX];
  fprintf(stderr, "%s%s: %s", state->terminal ? "\r" : "", state->what, text_count(done, records));
  if (state->total != UINT64_MAX) {
    fprintf(stderr, " of %s", text_count(total, state->total));
  }
  fprintf(stderr, " records, %.1f s%s%s", (double)(now_ns - state->begin_ns) / 1e9, more,
          state->terminal ? "\033[K" : "\n");
  fflush(stderr);
  state->shown = true;
  state->next_ns = now_ns + (state->terminal ? kTerminalNs : kLogNs);
}

void progress_end(progress* state) {
  if (state->terminal && state->shown) {
    fputs("\r\033[K", stderr);
    fflush(stderr);
  }
}
