/* Other processes, and what they get of this one. Before it: #define _GNU_SOURCE 1. */
#ifndef SPW_TESTS_CAPI_PROCESS_H
#define SPW_TESTS_CAPI_PROCESS_H

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

/* Starts this program with two arguments; *output is what it prints. */
static inline pid_t start_other(const char* what, const char* path, int* output) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  char self[4096]; /* by name: under valgrind, the link itself leads to valgrind */
  const ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
  REQUIRE(len > 0);
  self[len] = '\0';
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    dup2(ends[1], STDOUT_FILENO);
    close(ends[0]);
    close(ends[1]);
    execl(self, self, what, path, (char*)NULL);
    _exit(101);
  }
  close(ends[1]);
  *output = ends[0];
  return child;
}

/* The same, to its end; its exit code. */
static inline int run_other(const char* what, const char* path) {
  int output;
  const pid_t child = start_other(what, path, &output);
  int state = 0;
  REQUIRE(waitpid(child, &state, 0) == child);
  close(output);
  return WIFEXITED(state) ? WEXITSTATUS(state) : -1;
}

/* Flags of the lowest descriptors, -1 where there is none. */
typedef struct {
  int flags[256];
} descriptors;

static inline descriptors open_descriptors(void) {
  descriptors now;
  for (int number = 0; number < 256; number++) {
    now.flags[number] = fcntl(number, F_GETFD);
  }
  return now;
}

/* Those of whoever started us are not ours. */
static inline void new_descriptors_end_with_exec(const descriptors* before) {
  const descriptors now = open_descriptors();
  int opened = 0;
  for (int number = 0; number < 256; number++) {
    if (before->flags[number] < 0 && now.flags[number] >= 0) {
      opened++;
      check_that((now.flags[number] & FD_CLOEXEC) != 0, __FILE__, __LINE__,
                 "descriptor %d survives exec", number);
    }
  }
  CHECK(opened > 0);
}

#endif
