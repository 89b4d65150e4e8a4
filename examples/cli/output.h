// Bytes to a file descriptor, in large pieces.
#ifndef SPILLWAY_CLI_OUTPUT_H
#define SPILLWAY_CLI_OUTPUT_H

#include <string>
#include <string_view>

#include "failure.h"

namespace spillway::cli {

// Nothing is written unless it is flushed; what is left is dropped with the object. One thread.
class Output {
 public:
  // `name` is what errors call it. Does not own the descriptor.
  Output(int descriptor, std::string name) : descriptor_(descriptor), name_(std::move(name)) {}

  // Throws Failure if it cannot be written, OutputClosed if nobody reads it any more.
  void Write(std::string_view bytes);
  void WriteJson(const Json& value);  // and a line feed
  void Flush();
  // After a failure: what came before it is not held back.
  void FlushIfPossible() noexcept;

 private:
  void WriteThrough(std::string_view bytes);

  int descriptor_;
  std::string name_;
  std::string waiting_;
};

// A file that appears whole under its name, or not at all; what is there already and is no regular
// file (a device, a pipe) is written to as it is.
class OutputFile {
 public:
  explicit OutputFile(const std::string& path);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  Output& output() { return output_; }
  void Finish();

 private:
  std::string path_;
  std::string unfinished_;  // empty: written to in place, or finished
  int descriptor_;
  Output output_;
};

}  // namespace spillway::cli

#endif  // SPILLWAY_CLI_OUTPUT_H
