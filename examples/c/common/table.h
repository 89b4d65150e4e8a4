/* Rows of a label and a value: printed for people, and saved for a script that sets several tables
 * side by side. */
#ifndef TABLE_H
#define TABLE_H

#include <stddef.h>

enum { kTableRowsMax = 48, kTableTextMax = 112 };

typedef struct table_row {
  char label[kTableTextMax];
  char value[kTableTextMax];
} table_row;

/* Zeroed, it is empty. */
typedef struct table {
  table_row rows[kTableRowsMax];
  size_t count;
} table;

void table_add(table* rows, const char* label, const char* format, ...)
    __attribute__((format(printf, 3, 4)));

/* To stdout, under a title. */
void table_print(const table* rows, const char* title);

/* One row a line, label and value apart by a tab. A file that cannot be written ends the program.
 */
void table_save(const table* rows, const char* path);

#endif
