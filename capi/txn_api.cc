// spw_txn: transactions and snapshots.

#include "capi/file_handles.h"
#include "capi/guard.h"

using namespace spillway::capi;  // NOLINT(google-build-using-namespace): the border lies here
using spillway::base::Code;
using spillway::base::InvalidArgument;
using spillway::base::Status;
using spillway::blockfile::BlockFile;
using spillway::blockfile::Level;

extern "C" {

spw_status spw_txn_begin(spw_file* file, uint32_t flags, spw_txn** out, spw_error** err) {
  return Guard(err, [&]() -> Status {
    SPW_RETURN_IF_ERROR(CheckPointer(out, "out"));
    *out = nullptr;
    SPW_RETURN_IF_ERROR(CheckHere(file));
    if ((flags & ~SPW_TXN_READ_ONLY) != 0) {
      return {Code::kUnsupported, "unknown flags " + std::to_string(flags) + " for a transaction"};
    }
    auto handle = std::make_unique<spw_txn>();
    handle->fork_guard = file->fork_guard;
    handle->file = file->file;
    SPW_RETURN_IF_ERROR(file->file->Begin((flags & SPW_TXN_READ_ONLY) != 0, &handle->txn));
    *out = handle.release();
    return {};
  });
}

spw_status spw_txn_commit(spw_txn* txn, int32_t level, spw_error** err) {
  return Guard(err, [&]() -> Status {
    SPW_RETURN_IF_ERROR(CheckHere(txn));
    if (level < SPW_COMMIT_RELAXED || level > SPW_FLUSH_CHECKPOINT) {
      return InvalidArgument("unknown commit level " + std::to_string(level));
    }
    const std::shared_ptr<BlockFile> file = txn->file.lock();
    return file == nullptr ? Status(Code::kClosed)
                           : file->Commit(txn->txn.get(), static_cast<Level>(level));
  });
}

void spw_txn_free(spw_txn* txn) { FreeHandle(txn); }

}  // extern "C"
