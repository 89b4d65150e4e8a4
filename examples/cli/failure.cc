#include "failure.h"

#include <cerrno>
#include <cstring>

#include "text.h"

namespace spillway::cli {

Failure::Failure(spw_status status, spw_error* error)
    : status_(status),
      os_error_(spw_error_os_code(error)),
      detail_(spw_error_detail_code(error)),
      record_(spw_error_record(error)) {
  size_t len = 0;
  const char* const message = spw_error_message(error, &len);
  message_.assign(message, len);
  spw_error_free(error);
}

Failure::Failure(spw_status status, std::string message, int os_error)
    : status_(status), os_error_(os_error), message_(std::move(message)) {}

Failure Failure::OfErrno(const std::string& what) {
  const int code = errno;
  spw_status status = SPW_IO;
  if (code == ENOENT || code == ENOTDIR) {
    status = SPW_NOT_FOUND;
  } else if (code == ENOSPC || code == EDQUOT) {
    status = SPW_FULL;
  } else if (code == EROFS || code == EACCES || code == EPERM) {
    status = SPW_READONLY;
  }
  return {status, what + ": " + std::strerror(code), code};
}

ExitCode Failure::exit_code() const {
  switch (status_) {
    case SPW_INVALID_ARGUMENT:
      return kExitUsage;
    case SPW_CORRUPT:
      return kExitDamage;
    case SPW_BUSY:
      return kExitBusy;
    case SPW_FULL:
      return kExitDiskFull;
    case SPW_ALREADY_EXISTS:
    case SPW_CONFLICT:
      return kExitCondition;
    case SPW_CANCELLED:
      return kExitInterrupted;
    default:
      return kExitFailed;
  }
}

void Failure::AboutBlock(std::string_view name) {
  message_ = Shown(name) + ": " + message_;
  more_.update(NameAsJson(name));
}

void Failure::AboutFile(const std::string& path) {
  if (!message_.starts_with(path + ":") && message_.find(" " + path + ":") == std::string::npos) {
    message_ = path + ": " + message_;
  }
}

void Failure::Add(const std::string& key, const std::string& line, Json value) {
  lines_ += line + "\n";
  more_[key] = std::move(value);
}

std::string Failure::Text() const {
  std::string text = "spillway: " + Printable(message_);
  if (status_ != SPW_CANCELLED) {
    text += std::string(" (") + spw_status_name(status_) + ")";
  }
  return text + "\n" + lines_;
}

std::string Failure::AsJson() const {
  Json error = {{"code", spw_status_name(status_)},
                {"message", Printable(message_)},
                {"os_error", os_error_},
                {"detail", detail_},
                {"record", record_}};
  error.update(more_);
  return Json{{"error", error}}.dump() + "\n";
}

}  // namespace spillway::cli
