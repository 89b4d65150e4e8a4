/* Ending the program with a message on stderr. */
#ifndef FAIL_H
#define FAIL_H

enum {
  kExitFailed = 1, /* the store failed, or what came back is not what went in */
  kExitInput = 2,  /* a file cannot be read */
  kExitUsage = 64, /* the command line makes no sense */
};

/* Prints "<program>: <message>" and calls exit, so that functions given to atexit run. */
void fail(int exit_code, const char* format, ...) __attribute__((noreturn, format(printf, 2, 3)));

/* What stands before the message; static text. */
void fail_name_program(const char* name);

/* realloc that ends the program where memory does; never returns NULL for bytes above 0. */
void* grow_or_fail(void* old, unsigned long long bytes);

#endif
