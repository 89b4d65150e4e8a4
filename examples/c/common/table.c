#include "table.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "fail.h"

void table_add(table* rows, const char* label, const char* format, ...) {
  if (rows->count == kTableRowsMax) {
    fail(kExitFailed, "the table has no room for \"%s\"", label);
  }
  table_row* row = &rows->rows[rows->count++];
  snprintf(row->label, sizeof row->label, "%s", label);
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(row->value, sizeof row->value, format, arguments);
  va_end(arguments);
}

void table_print(const table* rows, const char* title) {
  int width = 0;
  for (size_t i = 0; i < rows->count; i++) {
    const int len = (int)strlen(rows->rows[i].label);
    width = len > width ? len : width;
  }
  printf("%s\n", title);
  for (size_t i = 0; i < rows->count; i++) {
    printf("  %-*s  %s\n", width, rows->rows[i].label, rows->rows[i].value);
  }
  fflush(stdout);
}

void table_save(const table* rows, const char* path) {
  FILE* file = fopen(path, "w");
  if (file == NULL) {
    fail(kExitFailed, "cannot write %s: %s", path, strerror(errno));
  }
  for (size_t i = 0; i < rows->count; i++) {
    fprintf(file, "%s\t%s\n", rows->rows[i].label, rows->rows[i].value);
  }
  if (ferror(file) != 0 || fclose(file) != 0) {
    fail(kExitFailed, "cannot write %s: %s", path, strerror(errno));
  }
}
