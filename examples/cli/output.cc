#include "output.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <memory>

#include "interrupt.h"

namespace spillway::cli {
namespace {

constexpr size_t kPieceBytes = size_t{64} << 10;

// Where a file of that name really is, so that a link stays one.
std::string Resolved(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> found(realpath(path.c_str(), nullptr),
                                                          &std::free);
  return found == nullptr ? path : std::string(found.get());
}

bool IsSpecial(const std::string& path) {
  struct stat found {};
  return stat(path.c_str(), &found) == 0 && !S_ISREG(found.st_mode);
}

// `name` is what errors call it.
int OpenToWrite(const std::string& path, int flags, const std::string& name) {
  const int descriptor = open(path.c_str(), O_WRONLY | O_CLOEXEC | flags, 0666);
  if (descriptor < 0) {
    const Failure failure = Failure::OfErrno("cannot write " + name);
    throw interrupt::Requested() ? Failure::OfInterrupt() : failure;
  }
  return descriptor;
}

}  // namespace

void Output::Write(std::string_view bytes) {
  if (waiting_.size() + bytes.size() > kPieceBytes) {
    Flush();
  }
  if (bytes.size() > kPieceBytes) {
    WriteThrough(bytes);
  } else {
    waiting_ += bytes;
  }
}

void Output::WriteJson(const Json& value) { Write(value.dump() + "\n"); }

void Output::Flush() {
  WriteThrough(waiting_);
  waiting_.clear();
}

void Output::FlushIfPossible() noexcept {
  try {
    Flush();
  } catch (const std::exception&) {
    waiting_.clear();  // the failure that is told already counts
  }
}

void Output::WriteThrough(std::string_view bytes) {
  while (!bytes.empty()) {
    if (interrupt::Requested()) {
      throw Failure::OfInterrupt();
    }
    const ssize_t written = write(descriptor_, bytes.data(), bytes.size());
    if (written >= 0) {
      bytes.remove_prefix(static_cast<size_t>(written));
    } else if (errno == EPIPE) {
      throw OutputClosed();
    } else if (errno != EINTR) {
      throw Failure::OfErrno("cannot write " + name_);
    }
  }
}

OutputFile::OutputFile(const std::string& path)
    : path_(Resolved(path)),
      unfinished_(IsSpecial(path_) ? "" : path_ + ".unfinished-" + std::to_string(getpid())),
      descriptor_(unfinished_.empty() ? OpenToWrite(path_, 0, path)
                                      : OpenToWrite(unfinished_, O_CREAT | O_EXCL, path)),
      output_(descriptor_, path) {}

OutputFile::~OutputFile() {
  if (descriptor_ >= 0) {
    close(descriptor_);
  }
  if (!unfinished_.empty()) {
    unlink(unfinished_.c_str());
  }
}

void OutputFile::Finish() {
  output_.Flush();
  const int descriptor = std::exchange(descriptor_, -1);
  if (close(descriptor) != 0 ||
      (!unfinished_.empty() && rename(unfinished_.c_str(), path_.c_str()) != 0)) {
    throw Failure::OfErrno("cannot write " + path_);
  }
  unfinished_.clear();
}

}  // namespace spillway::cli
