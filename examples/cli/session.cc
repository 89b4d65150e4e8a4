#include "session.h"

#include <unistd.h>

#include <utility>

namespace spillway::cli {
namespace {

Op NewOp() {
  spw_op* op = nullptr;
  Call(spw_op_new, &op);
  return Op(op);
}

}  // namespace

Session::Session(std::string path, bool json)
    : path_(std::move(path)),
      json_(json),
      op_(NewOp()),
      progress_(op_.get(), !json),
      out_(STDOUT_FILENO, "the output") {}

spw_file* Session::Open(const OpenHow& how) {
  if (file_ != nullptr) {
    Close();
  }
  spw_options* raw_options = nullptr;
  Call(spw_options_new, &raw_options);
  const Options options(raw_options);
  Call(spw_options_set_i64, raw_options, SPW_OPT_OPEN, how.open);
  if (how.checksum != 0) {
    Call(spw_options_set_i64, raw_options, SPW_OPT_FILE_CHECKSUM, how.checksum);
  }
  progress_.Begin("opening");
  spw_file* file = nullptr;
  Telling([&] { Call(spw_file_open, path_.data(), path_.size(), raw_options, op(), &file); },
          [&](Failure& failure) { failure.AboutFile(path_); });
  progress_.End();
  file_.reset(file);
  return file;
}

void Session::Close() {
  progress_.Begin("closing");
  Call(spw_file_close, file_.get(), 0U);
  progress_.End();
  file_.reset();
}

void Session::CloseIfOpen() noexcept {
  if (file_ != nullptr) {
    spw_file_close(file_.get(), 0, nullptr);
    file_.reset();
  }
}

void Session::Tell(const std::string& line, const Json& document) {
  if (json_) {
    out_.WriteJson(document);
  } else {
    out_.Write(line + "\n");
  }
}

}  // namespace spillway::cli
