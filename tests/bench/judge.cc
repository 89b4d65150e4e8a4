#include "tests/bench/judge.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>

namespace spillway::bench {

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

std::string Format(const char* format, ...) {
  char text[512];
  va_list values;
  va_start(values, format);
  // NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): it is, one line above
  std::vsnprintf(text, sizeof(text), format, values);
  va_end(values);
  return text;
}

void Report::Judge(bool passed, const std::string& line) {
  std::printf("%s  %s\n", passed ? "PASS" : "FAIL", line.c_str());
  std::fflush(stdout);
  failed_ = failed_ || !passed;
}

void Report::Note(const std::string& line) { std::printf("      %s\n", line.c_str()); }

}  // namespace spillway::bench
