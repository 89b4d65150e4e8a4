/* A host process around the library: host_main.c uses the library, and one of host_trap.c and
 * host_sqlite.cc is the part of the host that the library must leave alone. */
#ifndef HOST_H
#define HOST_H

#include <stdio.h>
#include <stdlib.h>

#define EXPECT(condition)                                                       \
  do {                                                                          \
    if (!(condition)) {                                                         \
      fprintf(stderr, "%s:%d: expected: %s\n", __FILE__, __LINE__, #condition); \
      exit(1);                                                                  \
    }                                                                           \
  } while (0)

#ifdef __cplusplus
extern "C" {
#endif

/* Called with the library loaded and before its first use, and after the last. */
void HostBefore(void);
/* `records` went through the library since HostBefore. */
void HostAfter(long records);

#ifdef __cplusplus
}
#endif

#endif
