// What a gate prints: a line for each promise, PASS or FAIL, and notes around them.
#pragma once

#include <string>
#include <vector>

namespace spillway::bench {

double Median(std::vector<double> values);

__attribute__((format(printf, 1, 2))) std::string Format(const char* format, ...);

class Report {
 public:
  // Counts a failure.
  void Judge(bool passed, const std::string& line);
  static void Note(const std::string& line);
  bool failed() const { return failed_; }

 private:
  bool failed_ = false;
};

}  // namespace spillway::bench
