// Verification of a file, and spw_report.

#include "capi/file_handles.h"
#include "capi/guard.h"
#include "capi/structs.h"

using namespace spillway::capi;  // NOLINT(google-build-using-namespace): the border lies here
using spillway::base::Code;
using spillway::base::InvalidArgument;
using spillway::base::Status;
using spillway::blockfile::Problem;

extern "C" {

spw_status spw_file_verify(spw_file* file, uint32_t flags, uint64_t bytes_per_second, spw_op* op,
                           spw_report** out, spw_error** err) {
  return Guard(err, [&]() -> Status {
    SPW_RETURN_IF_ERROR(CheckPointer(out, "out"));
    *out = nullptr;
    SPW_RETURN_IF_ERROR(CheckHere(file));
    if ((flags & ~SPW_VERIFY_FULL) != 0) {
      return {Code::kUnsupported, "unknown flags " + std::to_string(flags) + " for verify"};
    }
    if (bytes_per_second == 0) {
      return InvalidArgument("bytes_per_second must be at least 1");
    }
    OpCall op_call;
    SPW_RETURN_IF_ERROR(op_call.Enter(op));
    if (op_call.get() != nullptr && op_call.get()->cancelled()) {
      return Status(Code::kCancelled);
    }
    auto handle = std::make_unique<spw_report>();
    handle->fork_guard = file->fork_guard;
    handle->flags = flags;
    SPW_RETURN_IF_ERROR(file->file->Verify((flags & SPW_VERIFY_FULL) != 0, bytes_per_second,
                                           op_call.get(), &handle->report));
    *out = handle.release();
    return {};
  });
}

spw_status spw_report_summary(const spw_report* report, spw_verify_summary* out, spw_error** err) {
  return Guard(err, [&]() -> Status {
    SPW_RETURN_IF_ERROR(CheckPointer(out, "out"));
    SPW_RETURN_IF_ERROR(ClearStruct(out, "spw_verify_summary"));
    SPW_RETURN_IF_ERROR(CheckHere(report));
    const auto& found = report->report;
    spw_verify_summary summary = {};
    summary.flags = report->flags;
    summary.blocks = found.blocks;
    summary.blocks_damaged = found.blocks_damaged;
    summary.bytes = found.bytes;
    summary.problems = found.problems_found;
    WriteStruct(out, summary);
    return {};
  });
}

spw_status spw_report_problem(const spw_report* report, uint64_t index, spw_problem* out,
                              spw_error** err) {
  return Guard(err, [&]() -> Status {
    SPW_RETURN_IF_ERROR(CheckPointer(out, "out"));
    SPW_RETURN_IF_ERROR(ClearStruct(out, "spw_problem"));
    SPW_RETURN_IF_ERROR(CheckHere(report));
    if (index >= report->report.problems.size()) {
      return {Code::kNotFound, "problem " + std::to_string(index) + " of " +
                                   std::to_string(report->report.problems.size()) + " kept"};
    }
    const Problem& found = report->report.problems[index];
    spw_problem problem = {};
    problem.code = static_cast<spw_status>(found.code);
    problem.name = found.name.empty() ? nullptr : found.name.c_str();
    problem.name_len = found.name.size();
    problem.message = found.message.c_str();
    problem.message_len = found.message.size();
    WriteStruct(out, problem);
    return {};
  });
}

void spw_report_free(spw_report* report) { FreeHandle(report); }

}  // extern "C"
