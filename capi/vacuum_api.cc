// Vacuum, copy and the scrubber of a file.

#include "capi/arguments.h"
#include "capi/file_handles.h"
#include "capi/guard.h"
#include "capi/structs.h"
#include "internal/io/posix_file.h"

using namespace spillway::capi;  // NOLINT(google-build-using-namespace): the border lies here
using spillway::base::Code;
using spillway::base::InvalidArgument;
using spillway::base::Status;
using spillway::blockfile::VacuumPlan;
using spillway::blockfile::VacuumResult;

extern "C" {

spw_status spw_file_vacuum(spw_file* file, uint32_t flags, uint64_t max_bytes, spw_op* op,
                           spw_vacuum_result* out, spw_error** err) {
  return Guard(err, [&]() -> Status {
    SPW_RETURN_IF_ERROR(CheckPointer(out, "out"));
    SPW_RETURN_IF_ERROR(ClearStruct(out, "spw_vacuum_result"));
    SPW_RETURN_IF_ERROR(CheckHere(file));
    if ((flags & ~(SPW_VACUUM_FULL | SPW_VACUUM_DRY_RUN)) != 0) {
      return {Code::kUnsupported, "unknown flags " + std::to_string(flags) + " for vacuum"};
    }
    if (max_bytes == 0) {
      return InvalidArgument("max_bytes must be at least 1");
    }
    OpCall op_call;
    SPW_RETURN_IF_ERROR(op_call.Enter(op));
    VacuumPlan plan;
    plan.full = (flags & SPW_VACUUM_FULL) != 0;
    plan.dry_run = (flags & SPW_VACUUM_DRY_RUN) != 0;
    plan.bytes_most = max_bytes;
    VacuumResult result;
    const Status status = file->file->Vacuum(plan, op_call.get(), &result);
    spw_vacuum_result told = {};
    told.flags = flags;
    told.bytes_moved = result.bytes_moved;
    told.bytes_needed = result.bytes_needed;
    told.bytes_before = result.bytes_before;
    told.bytes_after = result.bytes_after;
    told.bytes_file = result.bytes_file;
    told.done = status.ok() && result.done ? 1 : 0;
    WriteStruct(out, told);
    return status;
  });
}

spw_status spw_file_copy(spw_file* file, spw_txn* txn, const char* path, size_t path_len,
                         spw_op* op, spw_error** err) {
  return Guard(err, [&]() -> Status {
    SPW_RETURN_IF_ERROR(CheckFile(file, txn));
    std::string to;
    SPW_RETURN_IF_ERROR(CheckPath(path, path_len, &to));
    OpCall op_call;
    SPW_RETURN_IF_ERROR(op_call.Enter(op));
    return file->file->CopyTo(Of(txn), spillway::io::PosixFileSystem(), to, op_call.get());
  });
}

spw_status spw_file_scrub(spw_file* file, uint64_t bytes_per_second, spw_error** err) {
  return Guard(err, [&]() -> Status {
    SPW_RETURN_IF_ERROR(CheckHere(file));
    return file->file->Scrub(bytes_per_second);
  });
}

spw_status spw_file_scrub_report(spw_file* file, spw_report** out, spw_error** err) {
  return Guard(err, [&]() -> Status {
    SPW_RETURN_IF_ERROR(CheckPointer(out, "out"));
    *out = nullptr;
    SPW_RETURN_IF_ERROR(CheckHere(file));
    auto handle = std::make_unique<spw_report>();
    handle->fork_guard = file->fork_guard;
    handle->flags = SPW_VERIFY_FULL;
    SPW_RETURN_IF_ERROR(
        file->file->ScrubReport(&handle->report.emplace<spillway::blockfile::Report>()));
    *out = handle.release();
    return {};
  });
}

}  // extern "C"
