#define _GNU_SOURCE 1
#include "scratch.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fail.h"

static char folder[PATH_MAX];
static bool keep;

static void remove_folder(void) {
  if (keep) {
    return;
  }
  DIR* entries = opendir(folder);
  if (entries != NULL) {
    for (struct dirent* entry; (entry = readdir(entries)) != NULL;) {
      unlinkat(dirfd(entries), entry->d_name, 0); /* "." and "..": refused, as it should be */
    }
    closedir(entries);
  }
  if (rmdir(folder) != 0) {
    fprintf(stderr, "cannot remove %s: %s\n", folder, strerror(errno));
  }
}

const char* scratch_make(void) {
  const char* parent = getenv("TMPDIR");
  if (parent == NULL || parent[0] == '\0') {
    parent = "/var/tmp"; /* on a disk where /tmp may be memory */
  }
  const int len = snprintf(folder, sizeof folder, "%s/spillway-XXXXXX", parent);
  if (len < 0 || (size_t)len >= sizeof folder || mkdtemp(folder) == NULL) {
    fail(kExitFailed, "cannot make a folder in %s: %s", parent, strerror(errno));
  }
  atexit(remove_folder);
  return folder;
}

void scratch_keep(void) { keep = true; }
