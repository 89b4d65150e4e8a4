// How a verb ends when it cannot do what it was told: what failed is thrown once, where it is
// known, and told once, in main. Nothing else of this program throws.
#ifndef SPILLWAY_CLI_FAILURE_H
#define SPILLWAY_CLI_FAILURE_H

#include <spillway.h>

#include <cstdint>
#include <exception>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>

namespace spillway::cli {

// Objects keep the order in which they were filled, so that output can be compared.
using Json = nlohmann::ordered_json;

// Promised by --help.
enum ExitCode : int {
  kExitOk = 0,
  kExitFailed = 1,
  kExitUsage = 2,
  kExitDamage = 3,
  kExitBusy = 4,
  kExitDiskFull = 5,
  kExitCondition = 6,
  kExitInterrupted = 130,   // 128 + SIGINT, as a shell has it
  kExitOutputClosed = 141,  // 128 + SIGPIPE, the same
};

class Failure : public std::exception {
 public:
  // Takes the error over.
  Failure(spw_status status, spw_error* error);
  Failure(spw_status status, std::string message, int os_error = 0);

  // Of the system call that failed just now; `what` says what it was to do.
  static Failure OfErrno(const std::string& what);
  // The caller's mistake, found before anything was done.
  static Failure OfUsage(std::string message) { return {SPW_INVALID_ARGUMENT, std::move(message)}; }
  static Failure OfInterrupt() { return {SPW_CANCELLED, "interrupted"}; }

  spw_status status() const { return status_; }
  ExitCode exit_code() const;
  const char* what() const noexcept override { return message_.c_str(); }

  // The message begins with the name of the block that it is about.
  void AboutBlock(std::string_view name);
  // The message names the file, if it does not yet.
  void AboutFile(const std::string& path);
  // What was done until then, or what helps: a line of its own, and in JSON the field `key`.
  void Add(const std::string& key, const std::string& line, Json value);

  std::string Text() const;  // lines for people
  std::string AsJson() const;

 private:
  spw_status status_;
  int32_t os_error_ = 0;
  int32_t detail_ = 0;
  int64_t record_ = -1;
  std::string message_;
  std::string lines_;
  Json more_ = Json::object();
};

// Whoever reads standard output has gone away: nothing is to be said any more.
class OutputClosed : public std::exception {};

// Calls a function of the library, whose last argument is left out here; throws if it fails.
template <class... Parameters, class... Arguments>
void Call(spw_status (*function)(Parameters...), Arguments... arguments) {
  spw_error* error = nullptr;
  const spw_status status = function(arguments..., &error);
  if (status != SPW_OK) {
    throw Failure(status, error);
  }
}

// Runs `work`; if it fails, `add(failure)` says how far it came.
template <class Work, class Add>
void Telling(Work work, Add add) {
  try {
    work();
  } catch (Failure& failure) {
    add(failure);
    throw;
  }
}

}  // namespace spillway::cli

#endif  // SPILLWAY_CLI_FAILURE_H
