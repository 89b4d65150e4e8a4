#define _GNU_SOURCE 1
#include "footprint.h"

#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

uint64_t bytes_on_disk(const char* path) {
  static const char* const ends[] = {"", "-wal", "-shm", "-journal", "-lock"};
  uint64_t bytes = 0;
  for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
    char name[PATH_MAX];
    struct stat status;
    const int len = snprintf(name, sizeof name, "%s%s", path, ends[i]);
    if (len > 0 && (size_t)len < sizeof name && stat(name, &status) == 0) {
      bytes += (uint64_t)status.st_size;
    }
  }
  return bytes;
}

uint64_t process_peak_bytes(void) {
  unsigned long long kib = 0;
  FILE* file = fopen("/proc/self/status", "r");
  if (file != NULL) {
    char line[256];
    while (fgets(line, sizeof line, file) != NULL && sscanf(line, "VmHWM: %llu", &kib) != 1) {
    }
    fclose(file);
  }
  return kib * 1024;
}
