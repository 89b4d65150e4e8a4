#include "fail.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static const char* program = "example";

void fail_name_program(const char* name) { program = name; }

void fail(int exit_code, const char* format, ...) {
  fflush(stdout);
  fprintf(stderr, "%s: ", program);
  va_list arguments;
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  fputc('\n', stderr);
  exit(exit_code);
}

void* grow_or_fail(void* old, unsigned long long bytes) {
  void* grown = bytes <= SIZE_MAX ? realloc(old, (size_t)bytes) : NULL;
  if (grown == NULL) {
    fail(kExitFailed, "no memory for %llu bytes", bytes);
  }
  return grown;
}
