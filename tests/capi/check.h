/* What a test program of the C API needs to count and to tell what failed. A failed check is
 * printed and the program goes on; REQUIRE is for what nothing after it makes sense without.
 *
 * EXPECT(status, call(..., &err)) also checks the promise about errors: `err` is always written,
 * NULL with SPW_OK and an error of the same code otherwise. Any thread may check. */
#ifndef CHECK_H
#define CHECK_H

#include <inttypes.h>
#include <spillway.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static __thread spw_error* err; /* for EXPECT */
static int check_passed;
static int check_failed;
static uint64_t check_seed; /* printed with a failure; 0: nothing is random */

#define CHECK_UNWRITTEN ((spw_error*)(uintptr_t)64) /* no object ever stands there */

__attribute__((unused)) static void phase(const char* name) {
  printf("%s\n", name);
  fflush(stdout);
}

__attribute__((format(printf, 4, 5), unused)) static int check_that(int good, const char* file,
                                                                    int line, const char* format,
                                                                    ...) {
  if (good) {
    __atomic_fetch_add(&check_passed, 1, __ATOMIC_RELAXED);
    return 1;
  }
  __atomic_fetch_add(&check_failed, 1, __ATOMIC_RELAXED);
  char text[1024];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  printf("%s:%d: FAILED: %s", file, line, text);
  if (check_seed != 0) {
    printf(" (seed=%" PRIu64 ")", check_seed);
  }
  printf("\n");
  fflush(stdout);
  return 0;
}

__attribute__((unused)) static int check_status(spw_status got, spw_status want, const char* file,
                                                int line, const char* call) {
  spw_error* error = err;
  err = NULL;
  if (error == CHECK_UNWRITTEN) {
    return check_that(0, file, line, "%s: returned %s and left the error unwritten", call,
                      spw_status_name(got));
  }
  const int good =
      check_that(got == want, file, line, "%s: %s, want %s: %s", call, spw_status_name(got),
                 spw_status_name(want), spw_error_message(error, NULL)) &
      check_that(spw_error_code(error) == got && (error == NULL) == (got == SPW_OK), file, line,
                 "%s: %s, but the error says %s", call, spw_status_name(got),
                 spw_status_name(spw_error_code(error)));
  spw_error_free(error);
  return good;
}

/* Prints the totals; the exit code of the program. */
__attribute__((unused)) static int check_finish(void) {
  printf("%d passed, %d failed\n", check_passed, check_failed);
  return check_failed == 0 ? 0 : 1;
}

#define CHECK(condition) check_that(!!(condition), __FILE__, __LINE__, "%s", #condition)

#define CHECK_EQUAL(got, want)                                                                  \
  do {                                                                                          \
    const uint64_t check_got = (uint64_t)(got);                                                 \
    const uint64_t check_want = (uint64_t)(want);                                               \
    check_that(check_got == check_want, __FILE__, __LINE__, "%s is %" PRIu64 ", want %" PRIu64, \
               #got, check_got, check_want);                                                    \
  } while (0)

#define EXPECT(want, call) \
  (err = CHECK_UNWRITTEN, check_status((call), (want), __FILE__, __LINE__, #call))

#define REQUIRE(condition)                                               \
  do {                                                                   \
    if (!(condition)) {                                                  \
      check_that(0, __FILE__, __LINE__, "%s; cannot go on", #condition); \
      exit(check_finish());                                              \
    }                                                                    \
  } while (0)

#endif
