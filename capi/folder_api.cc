// Folders of files into blocks, and back.

#include "capi/arguments.h"
#include "capi/file_handles.h"
#include "capi/guard.h"
#include "capi/structs.h"
#include "internal/blockfile/folder_export.h"
#include "internal/blockfile/folder_import.h"
#include "internal/io/posix_file.h"

using namespace spillway::capi;  // NOLINT(google-build-using-namespace): the border lies here
using spillway::base::Code;
using spillway::base::Status;
using spillway::blockfile::Transferred;

namespace {

void Write(const Transferred& from, spw_transfer* out) {
  if (out == nullptr) {
    return;
  }
  spw_transfer transfer = {};
  transfer.blocks = from.blocks;
  transfer.bytes = from.bytes;
  transfer.equal = from.equal;
  transfer.ignored = from.ignored;
  WriteStruct(out, transfer);
}

// What both are given.
struct Call {
  std::string folder;
  std::string_view prefix;
  OpCall op;

  Status Enter(const spw_file* file, const spw_txn* txn, const char* path, size_t path_len,
               const char* prefix_text, size_t prefix_len, const spw_op* op_handle,
               spw_transfer* out) {
    if (out != nullptr) {
      SPW_RETURN_IF_ERROR(ClearStruct(out, "spw_transfer"));
    }
    SPW_RETURN_IF_ERROR(CheckFile(file, txn));
    SPW_RETURN_IF_ERROR(CheckPath(path, path_len, &folder));
    SPW_RETURN_IF_ERROR(CheckPrefix(prefix_text, prefix_len, "prefix", &prefix));
    SPW_RETURN_IF_ERROR(op.Enter(op_handle));
    return op.get() != nullptr && op.get()->cancelled() ? Status(Code::kCancelled) : Status();
  }
};

}  // namespace

extern "C" {

spw_status spw_file_import(spw_file* file, const char* folder, size_t folder_len,
                           const char* prefix, size_t prefix_len, spw_op* op, spw_transfer* out,
                           spw_error** err) {
  return Guard(err, [&]() -> Status {
    Call call;
    SPW_RETURN_IF_ERROR(call.Enter(file, nullptr, folder, folder_len, prefix, prefix_len, op, out));
    Transferred done;
    const Status status = ImportFolder(file->file.get(), spillway::io::PosixFileSystem(),
                                       call.folder, call.prefix, call.op.get(), &done);
    Write(done, out);
    return status;
  });
}

spw_status spw_file_export(spw_file* file, spw_txn* txn, const char* prefix, size_t prefix_len,
                           const char* folder, size_t folder_len, spw_op* op, spw_transfer* out,
                           spw_error** err) {
  return Guard(err, [&]() -> Status {
    Call call;
    SPW_RETURN_IF_ERROR(call.Enter(file, txn, folder, folder_len, prefix, prefix_len, op, out));
    Transferred done;
    const Status status = ExportFolder(file->file.get(), Of(txn), spillway::io::PosixFileSystem(),
                                       call.prefix, call.folder, call.op.get(), &done);
    Write(done, out);
    return status;
  });
}

}  // extern "C"
