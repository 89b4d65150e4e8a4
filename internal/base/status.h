// How an operation went: a code, and for failures what happened and where.
//
// A Status is made where the fact is known and passed up as it is. Codes have the values of SPW_*
// in spillway.h (capi/ checks that). This file is the only one in the library that catches.
#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "internal/base/check.h"

namespace spillway::base {

enum class Code : int32_t {
  kOk = 0,
  kInvalidArgument = 1,
  kInvalidState = 2,
  kNoMemory = 3,
  kNotFound = 4,
  kAlreadyExists = 5,
  kBusy = 6,
  kWouldBlock = 7,
  kTimeout = 8,
  kCancelled = 9,
  kClosed = 10,
  kFull = 11,
  kTooBig = 12,
  kReadOnly = 13,
  kIo = 14,
  kCorrupt = 15,
  kTrimmed = 16,
  kUnsupported = 17,
  kForked = 18,
  kInternal = 19,
  kConflict = 20,
};

class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Code code, std::string message)
      : code_(code), message_(std::make_shared<const std::string>(std::move(message))) {}
  // Failures that are expected allocate nothing: their text is made from the code alone.
  explicit Status(Code code) : code_(code) {}

  static Status Os(Code code, int os_code, std::string message) {
    Status status(code, std::move(message));
    status.os_code_ = os_code;
    return status;
  }

  // describe() makes the message. Without memory for it there is none, but the failure stays what
  // it is.
  template <class Describe>
  static Status Os(Code code, int os_code, Describe&& describe) noexcept requires
      std::is_invocable_r_v<std::string, Describe> {
    Status status(code);
    status.os_code_ = os_code;
    try {
      status.message_ = std::make_shared<const std::string>(describe());
    } catch (...) {  // NOLINT(bugprone-empty-catch): the message is missing
    }
    return status;
  }

  // The same failure, told as another.
  Status As(Code code) const {
    Status other(*this);
    other.code_ = code;
    return other;
  }
  Status&& WithRecord(int64_t record) && {
    record_ = record;
    return std::move(*this);
  }
  Status&& WithDetail(int32_t detail_code) && {
    detail_code_ = detail_code;
    return std::move(*this);
  }

  bool ok() const { return code_ == Code::kOk; }
  Code code() const { return code_; }
  int32_t os_code() const { return os_code_; }          // errno, 0: none
  int32_t detail_code() const { return detail_code_; }  // extended SQLite code, 0: none
  int64_t record() const { return record_; }            // index in the caller's list, -1: none
  std::string_view message() const {                    // "" if the code says it all
    return message_ == nullptr ? std::string_view() : std::string_view(*message_);
  }

 private:
  Code code_ = Code::kOk;
  int32_t os_code_ = 0;
  int32_t detail_code_ = 0;
  int64_t record_ = -1;
  std::shared_ptr<const std::string> message_;  // so that a copy cannot fail
};

inline Status InvalidArgument(std::string message) {
  return {Code::kInvalidArgument, std::move(message)};
}
inline Status Corrupt(std::string message) { return {Code::kCorrupt, std::move(message)}; }
inline Status NoMemory() { return Status(Code::kNoMemory); }

// A value, or why there is none.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}         // NOLINT(google-explicit-constructor)
  Result(Status status) : status_(std::move(status)) {  // NOLINT(google-explicit-constructor)
    SPW_DCHECK(!status_.ok());
  }
  bool ok() const { return value_.has_value(); }
  const Status& status() const { return status_; }
  T& value() { return *value_; }
  const T& value() const { return *value_; }

 private:
  Status status_;
  std::optional<T> value_;
};

// Runs body, which returns a Status, and turns whatever it throws into one.
template <class Body>
Status CatchToStatus(Body&& body) noexcept {
  try {
    try {
      return std::forward<Body>(body)();
    } catch (const std::bad_alloc&) {
      return NoMemory();
    } catch (const std::exception& e) {
      return {Code::kInternal, e.what()};
    }
  } catch (...) {  // also when copying the text above failed
    return Status(Code::kInternal);
  }
}

#define SPW_RETURN_IF_ERROR(expression)                                           \
  do {                                                                            \
    if (::spillway::base::Status spw_status_ = (expression); !spw_status_.ok()) { \
      return spw_status_;                                                         \
    }                                                                             \
  } while (false)

}  // namespace spillway::base
