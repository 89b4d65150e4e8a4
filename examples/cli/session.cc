#include "session.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string_view>
#include <utility>

namespace spillway::cli {
namespace {

// As much of a file as SQLite's header takes; empty if that cannot be read.
std::string BeginOf(const std::string& path) {
  constexpr size_t kHeaderBytes = 100;
  const int descriptor = open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
  if (descriptor < 0) {
    return {};
  }
  struct stat found = {};
  std::string begin(kHeaderBytes, '\0');
  const bool is_whole =
      fstat(descriptor, &found) == 0 && S_ISREG(found.st_mode) &&
      pread(descriptor, begin.data(), begin.size(), 0) == static_cast<ssize_t>(begin.size());
  close(descriptor);
  return is_whole ? begin : std::string();
}

// Of the databases that SQLite's own application id tells apart: opening another as a store would
// leave a lock file beside it.
bool IsDatabaseOfAnother(const std::string& path) {
  constexpr size_t kApplicationIdAt = 68;
  return IsSqlite(path) && BeginOf(path).substr(kApplicationIdAt, 4) != "SPWY";
}

Op NewOp() {
  spw_op* op = nullptr;
  Call(spw_op_new, &op);
  return Op(op);
}

}  // namespace

bool IsSqlite(const std::string& path) {
  constexpr std::string_view kMagic("SQLite format 3\0", 16);
  return BeginOf(path).starts_with(kMagic);
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
  if (IsDatabaseOfAnother(path_)) {
    throw Failure(SPW_CORRUPT, path_ + ": a SQLite database, but not a record store");
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
