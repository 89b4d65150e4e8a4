#include "text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char* text_count(char text[TEXT_MAX], uint64_t count) {
  char digits[TEXT_MAX];
  const int len = snprintf(digits, sizeof digits, "%" PRIu64, count);
  char* to = text;
  for (int i = 0; i < len; i++) {
    if (i > 0 && (len - i) % 3 == 0) {
      *to++ = ',';
    }
    *to++ = digits[i];
  }
  *to = '\0';
  return text;
}

char* text_bytes(char text[TEXT_MAX], uint64_t bytes) {
  static const char* const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  double value = (double)bytes;
  size_t unit = 0;
  while (value >= 1024 && unit + 1 < sizeof units / sizeof units[0]) {
    value /= 1024;
    unit++;
  }
  snprintf(text, TEXT_MAX, unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
  return text;
}

char* text_seconds(char text[TEXT_MAX], uint64_t ns) {
  snprintf(text, TEXT_MAX, "%.3f s", (double)ns / 1e9);
  return text;
}

char* text_milliseconds(char text[TEXT_MAX], uint64_t ns) {
  snprintf(text, TEXT_MAX, "%.3f ms", (double)ns / 1e6);
  return text;
}

bool text_parse_size(const char* text, uint64_t* size) {
  static const char units[] = "KMG";
  if (*text < '0' || *text > '9') {
    return false; /* strtoull would take a sign or a space */
  }
  char* end = NULL;
  errno = 0;
  const unsigned long long value = strtoull(text, &end, 10);
  unsigned shift = 0;
  if (*end != '\0') {
    const char* unit = strchr(units, *end);
    if (unit == NULL || end[1] != '\0') {
      return false;
    }
    shift = 10 * (unsigned)(unit - units + 1);
  }
  if (errno != 0 || value > ((uint64_t)INT64_MAX >> shift)) {
    return false;
  }
  *size = (uint64_t)value << shift;
  return true;
}
