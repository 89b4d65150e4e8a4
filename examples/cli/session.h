// What every verb works with: the one block file or the record store in it, the output, and the op
// through which it is cancelled and watched.
#ifndef SPILLWAY_CLI_SESSION_H
#define SPILLWAY_CLI_SESSION_H

#include <spillway.h>

#include <string>

#include "handles.h"
#include "output.h"
#include "progress.h"

namespace spillway::cli {

struct OpenHow {
  int64_t open = SPW_OPEN_READ_ONLY;  // SPW_OPEN_*
  int64_t checksum = 0;               // SPW_CHECKSUM_*; 0: the library's choice
};

// Whether a file begins as any SQLite database does. False if it cannot be read: whoever opens it
// in earnest says why.
bool IsSqlite(const std::string& path);

class Session {
 public:
  // `path` is that of the block file.
  Session(std::string path, bool json);

  const std::string& path() const { return path_; }
  bool json() const { return json_; }
  spw_op* op() { return op_.get(); }
  Output& out() { return out_; }
  Progress& progress() { return progress_; }

  // The file is the session's and open until Close; a second open closes the first.
  spw_file* Open(const OpenHow& how = {});
  // Everything that was changed is durable afterwards.
  void Close();
  // The record store in the file, in place of the file: the session's and open until CloseStore.
  spw_store* OpenStore();
  void CloseStore();
  // After a failure: what was done before it is kept if that is possible.
  void CloseIfOpen() noexcept;

  // The result of a verb, as the one or the other.
  void Tell(const std::string& line, const Json& document);

 private:
  std::string path_;
  bool json_;
  Op op_;
  Progress progress_;
  Output out_;
  File file_;
  Store store_;
};

}  // namespace spillway::cli

#endif  // SPILLWAY_CLI_SESSION_H
