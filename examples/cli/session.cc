#include "session.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <string_view>
#include <utility>

namespace spillway::cli {
namespace {

Op NewOp() {
  spw_op* op = nullptr;
  Call(spw_op_new, &op);
  return Op(op);
}

}  // namespace

bool IsSqlite(const std::string& path) {
  constexpr std::string_view kMagic("SQLite format 3\0", 16);
  const int descriptor = open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
  if (descriptor < 0) {
    return false;
  }
  struct stat found = {};
  std::array<char, kMagic.size()> begin{};
  const bool is =
      fstat(descriptor, &found) == 0 && S_ISREG(found.st_mode) &&
      pread(descriptor, begin.data(), begin.size(), 0) == static_cast<ssize_t>(begin.size()) &&
      std::string_view(begin.data(), begin.size()) == kMagic;
  close(descriptor);
  return is;
}

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
          [&](Failure& failure) {
            if (failure.status() == SPW_CORRUPT && IsSqlite(path_)) {
              failure = Failure(SPW_UNSUPPORTED, "a SQLite database has no blocks");
              const std::string hint = "spillway streams shows what a record store in it holds";
              failure.Add("hint", hint + ".", hint);
            }
            failure.AboutFile(path_);
          });
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

spw_store* Session::OpenStore() {
  if (file_ != nullptr) {
    Close();
  }
  spw_options* raw_options = nullptr;
  Call(spw_options_new, &raw_options);
  const Options options(raw_options);
  Call(spw_options_set_i64, raw_options, SPW_OPT_OPEN, int64_t{SPW_OPEN_EXISTING});
  progress_.Begin("opening");
  spw_store* store = nullptr;
  Telling([&] { Call(spw_store_open, path_.data(), path_.size(), raw_options, op(), &store); },
          [&](Failure& failure) { failure.AboutFile(path_); });
  progress_.End();
  store_.reset(store);
  return store;
}

void Session::CloseStore() {
  progress_.Begin("closing");
  Call(spw_store_close, store_.get(), 0U, SPW_WAIT_FOREVER, op());
  progress_.End();
  store_.reset();
}

void Session::CloseIfOpen() noexcept {
  if (store_ != nullptr) {
    // Without the op, which may be what was cancelled.
    spw_store_close(store_.get(), 0, SPW_WAIT_FOREVER, nullptr, nullptr);
    store_.reset();
  }
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
