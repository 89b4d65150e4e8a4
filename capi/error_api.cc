// spw_error: made from a Status, immutable, freed by the caller. Expected outcomes are static
// objects.

#include <algorithm>
#include <cstring>
#include <new>
#include <string_view>

#include "capi/guard.h"
#include "capi/handles.h"
#include "internal/base/allocation.h"

struct spw_error {
  spillway::capi::Kind kind;
  bool is_static;
  spw_status code;
  int32_t os_code;
  int32_t detail_code;
  int64_t record;
  const char* message;  // NUL-terminated; of a dynamic error it lies behind it
  size_t message_bytes;
};

namespace spillway::capi {
namespace {

using base::Code;

constexpr spw_status Spw(Code code) { return static_cast<spw_status>(code); }
static_assert(Spw(Code::kOk) == SPW_OK && Spw(Code::kInvalidArgument) == SPW_INVALID_ARGUMENT &&
              Spw(Code::kInvalidState) == SPW_INVALID_STATE &&
              Spw(Code::kNoMemory) == SPW_NO_MEMORY && Spw(Code::kNotFound) == SPW_NOT_FOUND &&
              Spw(Code::kAlreadyExists) == SPW_ALREADY_EXISTS && Spw(Code::kBusy) == SPW_BUSY &&
              Spw(Code::kWouldBlock) == SPW_WOULD_BLOCK && Spw(Code::kTimeout) == SPW_TIMEOUT &&
              Spw(Code::kCancelled) == SPW_CANCELLED && Spw(Code::kClosed) == SPW_CLOSED &&
              Spw(Code::kFull) == SPW_FULL && Spw(Code::kTooBig) == SPW_TOO_BIG &&
              Spw(Code::kReadOnly) == SPW_READONLY && Spw(Code::kIo) == SPW_IO &&
              Spw(Code::kCorrupt) == SPW_CORRUPT && Spw(Code::kTrimmed) == SPW_TRIMMED &&
              Spw(Code::kUnsupported) == SPW_UNSUPPORTED && Spw(Code::kForked) == SPW_FORKED &&
              Spw(Code::kInternal) == SPW_INTERNAL && Spw(Code::kConflict) == SPW_CONFLICT);

struct Text {
  const char* name;
  const char* message;
  size_t bytes;
};
template <size_t n>
constexpr Text MakeText(const char* name, const char (&message)[n]) {
  return {name, message, n - 1};
}
constexpr Text kTexts[] = {
    MakeText("SPW_OK", "success"),
    MakeText("SPW_INVALID_ARGUMENT", "invalid argument"),
    MakeText("SPW_INVALID_STATE", "not now"),
    MakeText("SPW_NO_MEMORY", "out of memory"),
    MakeText("SPW_NOT_FOUND", "not found"),
    MakeText("SPW_ALREADY_EXISTS", "already exists"),
    MakeText("SPW_BUSY", "open or locked elsewhere"),
    MakeText("SPW_WOULD_BLOCK", "it would have to wait"),
    MakeText("SPW_TIMEOUT", "timed out"),
    MakeText("SPW_CANCELLED", "cancelled"),
    MakeText("SPW_CLOSED", "the store or file is closed"),
    MakeText("SPW_FULL", "the disk or its quota is full"),
    MakeText("SPW_TOO_BIG", "too big"),
    MakeText("SPW_READONLY", "read-only"),
    MakeText("SPW_IO", "input or output failed"),
    MakeText("SPW_CORRUPT", "damaged data"),
    MakeText("SPW_TRIMMED", "the records were cleared"),
    MakeText("SPW_UNSUPPORTED", "unsupported"),
    MakeText("SPW_FORKED", "used in a child process of the one that opened it"),
    MakeText("SPW_INTERNAL", "internal error"),
    MakeText("SPW_CONFLICT", "changed by somebody else"),
};
constexpr size_t kCodes = std::size(kTexts);

template <size_t... codes>
constexpr std::array<spw_error, kCodes> MakeStaticErrors(std::index_sequence<codes...>) {
  return {spw_error{Kind::kError, true, static_cast<spw_status>(codes), 0, 0, -1,
                    kTexts[codes].message, kTexts[codes].bytes}...};
}
// One per code: what has no text of its own, and what there is no memory for.
constexpr std::array<spw_error, kCodes> kStaticErrors =
    MakeStaticErrors(std::make_index_sequence<kCodes>());

bool Known(spw_status code) { return code >= 0 && static_cast<size_t>(code) < kCodes; }

// Callers only read and free an error, so that static ones may be constant.
spw_error* StaticError(Code code) {
  return const_cast<spw_error*>(&kStaticErrors[static_cast<size_t>(code)]);
}

bool Expected(Code code) {
  return code == Code::kWouldBlock || code == Code::kTimeout || code == Code::kCancelled ||
         code == Code::kBusy || code == Code::kClosed || code == Code::kNoMemory;
}

spw_error* MakeError(const base::Status& status) noexcept {
  spw_error* const of_code = StaticError(status.code());
  const bool says_no_more =
      status.message().empty() && status.os_code() == 0 && status.record() < 0;
  if (Expected(status.code()) || says_no_more) {
    return of_code;
  }
  const std::string_view message = status.message().empty()
                                       ? std::string_view(of_code->message, of_code->message_bytes)
                                       : status.message();
  void* memory = base::Allocate(sizeof(spw_error) + message.size() + 1);
  if (memory == nullptr) {
    return of_code;
  }
  char* text = static_cast<char*>(memory) + sizeof(spw_error);
  std::memcpy(text, message.data(), message.size());
  text[message.size()] = '\0';
  return new (memory)
      spw_error{Kind::kError,    false, Spw(status.code()), status.os_code(), status.detail_code(),
                status.record(), text,  message.size()};
}

}  // namespace

spw_status Report(spw_error** err, const base::Status& status) noexcept {
  if (err != nullptr) {
    *err = status.ok() ? nullptr : MakeError(status);
  }
  return Spw(status.code());
}

}  // namespace spillway::capi

using namespace spillway::capi;  // NOLINT(google-build-using-namespace): the border lies here

extern "C" {

const char* spw_status_name(spw_status status) {
  return Known(status) ? kTexts[status].name : "SPW_UNKNOWN";
}

spw_status spw_error_code(const spw_error* error) {
  return error == nullptr ? SPW_OK : error->code;
}

int32_t spw_error_os_code(const spw_error* error) { return error == nullptr ? 0 : error->os_code; }

int32_t spw_error_detail_code(const spw_error* error) {
  return error == nullptr ? 0 : error->detail_code;
}

int64_t spw_error_record(const spw_error* error) { return error == nullptr ? -1 : error->record; }

const char* spw_error_message(const spw_error* error, size_t* len) {
  if (len != nullptr) {
    *len = error == nullptr ? 0 : error->message_bytes;
  }
  return error == nullptr ? "" : error->message;
}

void spw_error_free(spw_error* error) {
  if (error != nullptr && error->kind == Kind::kError && !error->is_static) {
    error->kind = Kind::kFreed;
    spillway::base::Free(error);
  }
}

}  // extern "C"
