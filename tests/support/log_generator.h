// Lines of logs as input for tests and benchmarks.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace spillway::testing {

// An endless sequence of lines without their newline. One thread at a time.
class LineSource {
 public:
  virtual ~LineSource() = default;
  // Valid until the next call.
  virtual std::string_view Next() = 0;
};

// Invented lines of 80 to 400 bytes, 200 on average. Equal seeds give equal lines everywhere: only
// integers are used.
class LogGenerator final : public LineSource {
 public:
  static constexpr size_t kLineBytesMin = 80;
  static constexpr size_t kLineBytesMax = 400;

  explicit LogGenerator(uint64_t seed);
  std::string_view Next() override;

 private:
  uint64_t Random();
  uint64_t Below(uint64_t bound);
  void AppendPrefix();
  void AppendField();

  uint64_t state_;
  uint64_t time_us_;
  std::string line_;
};

// The lines of real files, in order, and from the first again after the last. A carriage return
// before the newline, an empty line and a last line without newline are lines like any other.
class FileLines final : public LineSource {
 public:
  // Reads the files into memory. nullptr: one cannot be read or there is no line in them, *error
  // says which.
  static std::unique_ptr<FileLines> Open(const std::vector<std::string>& paths, std::string* error);

  std::string_view Next() override;
  // In one round through all files.
  size_t lines() const { return lines_.size(); }

 private:
  FileLines() = default;
  bool Append(const std::string& path);

  std::vector<std::unique_ptr<std::string>> texts_;
  std::vector<std::string_view> lines_;  // point into texts_
  size_t next_ = 0;
};

}  // namespace spillway::testing
