// What stands behind spw_file and what comes from it. That a file is still open is for the engine
// to say, which answers kClosed by itself.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <variant>
#include <vector>

#include "capi/handles.h"
#include "internal/base/fork_guard.h"
#include "internal/blockfile/block_file.h"
#include "internal/blockfile/lister.h"
#include "internal/blockfile/stream_reader.h"
#include "internal/blockfile/stream_writer.h"
#include "internal/blockfile/transaction.h"
#include "spillway.h"

// Every child has its file's fork guard, which is also how it is known for a child of that file.
using spw_fork_guard = std::shared_ptr<const spillway::base::ForkGuard>;

struct spw_file {
  static constexpr auto kKind = spillway::capi::Kind::kFile;
  static constexpr const char* kName = "spw_file";
  spillway::capi::Kind kind = kKind;
  spw_fork_guard fork_guard;
  std::shared_ptr<spillway::blockfile::BlockFile> file;
  std::atomic<bool> closed{false};  // else freeing it is a leak
};

struct spw_txn {
  static constexpr auto kKind = spillway::capi::Kind::kTxn;
  static constexpr const char* kName = "spw_txn";
  spillway::capi::Kind kind = kKind;
  spw_fork_guard fork_guard;
  std::shared_ptr<spillway::blockfile::Transaction> txn;
  std::weak_ptr<spillway::blockfile::BlockFile> file;  // weak: freeing the file is giving it up

  spw_txn() = default;
  spw_txn(const spw_txn&) = delete;
  spw_txn& operator=(const spw_txn&) = delete;
  ~spw_txn() {
    if (txn != nullptr) {
      txn->GiveUp();  // a reader may keep what it reads of it
    }
  }
};

struct spw_blob {
  static constexpr auto kKind = spillway::capi::Kind::kBlob;
  static constexpr const char* kName = "spw_blob";
  spillway::capi::Kind kind = kKind;
  spw_fork_guard fork_guard;
  spillway::blockfile::Blob blob;
};

struct spw_list {
  static constexpr auto kKind = spillway::capi::Kind::kList;
  static constexpr const char* kName = "spw_list";
  spillway::capi::Kind kind = kKind;
  spw_fork_guard fork_guard;
  std::atomic<bool> busy{false};  // a call runs
  bool names_only = false;
  std::unique_ptr<spillway::blockfile::Lister> lister;
  // What the current view points to.
  spillway::blockfile::BlockPage page;
  std::vector<spw_block_info> infos;
};

struct spw_reader {
  static constexpr auto kKind = spillway::capi::Kind::kReader;
  static constexpr const char* kName = "spw_reader";
  spillway::capi::Kind kind = kKind;
  spw_fork_guard fork_guard;
  std::atomic<bool> busy{false};  // a call runs that needs or moves the position
  std::unique_ptr<spillway::blockfile::StreamReader> reader;
};

struct spw_writer {
  static constexpr auto kKind = spillway::capi::Kind::kWriter;
  static constexpr const char* kName = "spw_writer";
  spillway::capi::Kind kind = kKind;
  spw_fork_guard fork_guard;
  std::atomic<bool> busy{false};  // a call runs
  std::unique_ptr<spillway::blockfile::StreamWriter> writer;
};

struct spw_report {
  static constexpr auto kKind = spillway::capi::Kind::kReport;
  static constexpr const char* kName = "spw_report";
  spillway::capi::Kind kind = kKind;
  spw_fork_guard fork_guard;
  uint32_t flags = 0;
  // What it tells, one of them.
  std::variant<spillway::blockfile::Report, spillway::hybrid::RecordReport> report;
};

namespace spillway::capi {

// Of the right kind and used in the process that it is from.
template <class Handle>
base::Status CheckHere(const Handle* handle) {
  SPW_RETURN_IF_ERROR(CheckHandle(handle));
  return handle->fork_guard->forked() ? base::Status(base::Code::kForked) : base::Status();
}

// The use of a handle by one thread.
template <class Handle>
class SoleCall {
 public:
  SoleCall() = default;
  ~SoleCall() {
    if (handle_ != nullptr) {
      handle_->busy.store(false, std::memory_order_release);
    }
  }
  SoleCall(const SoleCall&) = delete;
  SoleCall& operator=(const SoleCall&) = delete;

  base::Status Enter(Handle* handle) {
    SPW_RETURN_IF_ERROR(CheckHere(handle));
    if (handle->busy.exchange(true, std::memory_order_acquire)) {
      return {base::Code::kInvalidState,
              std::string("the ") + Handle::kName + " is in use by another thread"};
    }
    handle_ = handle;
    return {};
  }

 private:
  Handle* handle_ = nullptr;
};

// A call on a file, perhaps in a transaction of that file.
inline base::Status CheckFile(const spw_file* file, const spw_txn* txn) {
  SPW_RETURN_IF_ERROR(CheckHere(file));
  if (txn != nullptr) {
    SPW_RETURN_IF_ERROR(CheckHandle(txn));
    if (txn->fork_guard != file->fork_guard) {
      return base::InvalidArgument("the spw_txn is of another spw_file");
    }
  }
  return {};
}

inline blockfile::Transaction* Of(const spw_txn* txn) {
  return txn == nullptr ? nullptr : txn->txn.get();
}

// What all of them but spw_file do when they are freed: in a forked child nothing behind the handle
// may be touched, for whoever held its locks is in the other process.
template <class Handle>
void FreeHandle(Handle* handle) {
  if (handle == nullptr || handle->kind != Handle::kKind) {
    return;
  }
  handle->kind = Kind::kFreed;
  if (!handle->fork_guard->forked()) {
    delete handle;
  }
}

spw_block_info MakeInfo(const blockfile::BlockInfo& from);

}  // namespace spillway::capi
