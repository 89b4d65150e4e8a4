// Verification of a file and of a store, and spw_report.

#include "capi/file_handles.h"
#include "capi/guard.h"
#include "capi/structs.h"

using namespace spillway::capi;  // NOLINT(google-build-using-namespace): the border lies here
using spillway::base::Code;
using spillway::base::InvalidArgument;
using spillway::base::Status;
using spillway::blockfile::Problem;
using spillway::hybrid::DamagedRange;
using spillway::hybrid::RecordReport;
using spillway::hybrid::Stream;
using FileReport = spillway::blockfile::Report;

namespace {

// *found: what a report tells, if it is one of this kind.
template <class Of>
Status Tells(const spw_report* report, const Of** found) {
  SPW_RETURN_IF_ERROR(CheckHere(report));
  *found = std::get_if<Of>(&report->report);
  return *found != nullptr ? Status() : InvalidArgument("the spw_report is of the other verify");
}

Status NoSuch(const char* what, uint64_t index, size_t kept) {
  return {Code::kNotFound, std::string(what) + " " + std::to_string(index) + " of " +
                               std::to_string(kept) + " kept"};
}

}  // namespace

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
                                           op_call.get(), &handle->report.emplace<FileReport>()));
    *out = handle.release();
    return {};
  });
}

spw_status spw_report_summary(const spw_report* report, spw_verify_summary* out, spw_error** err) {
  return Guard(err, [&]() -> Status {
    SPW_RETURN_IF_ERROR(CheckPointer(out, "out"));
    SPW_RETURN_IF_ERROR(ClearStruct(out, "spw_verify_summary"));
    const FileReport* told = nullptr;
    SPW_RETURN_IF_ERROR(Tells(report, &told));
    const FileReport& found = *told;
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
    const FileReport* told = nullptr;
    SPW_RETURN_IF_ERROR(Tells(report, &told));
    if (index >= told->problems.size()) {
      return NoSuch("problem", index, told->problems.size());
    }
    const Problem& found = told->problems[index];
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

spw_status spw_store_verify(spw_store* store, uint32_t stream, uint32_t flags,
                            uint64_t bytes_per_second, spw_op* op, spw_report** out,
                            spw_error** err) {
  return Guard(err, [&]() -> Status {
    SPW_RETURN_IF_ERROR(CheckPointer(out, "out"));
    *out = nullptr;
    StoreCall call;
    SPW_RETURN_IF_ERROR(call.Enter(store));
    if (flags != 0) {
      return {Code::kUnsupported, "unknown flags " + std::to_string(flags) + " for verify"};
    }
    if (bytes_per_second == 0) {
      return InvalidArgument("bytes_per_second must be at least 1");
    }
    const Stream* only = nullptr;
    if (stream != SPW_ALL) {
      const auto found = call->FindStream(stream);
      SPW_RETURN_IF_ERROR(found.status());
      only = found.value();
    }
    OpCall op_call;
    SPW_RETURN_IF_ERROR(op_call.Enter(op));
    auto handle = std::make_unique<spw_report>();
    handle->fork_guard = call->fork_guard();
    SPW_RETURN_IF_ERROR(call->Verify(only, bytes_per_second, op_call.get(),
                                     &handle->report.emplace<RecordReport>()));
    *out = handle.release();
    return {};
  });
}

spw_status spw_report_records(const spw_report* report, spw_record_summary* out, spw_error** err) {
  return Guard(err, [&]() -> Status {
    SPW_RETURN_IF_ERROR(CheckPointer(out, "out"));
    SPW_RETURN_IF_ERROR(ClearStruct(out, "spw_record_summary"));
    const RecordReport* told = nullptr;
    SPW_RETURN_IF_ERROR(Tells(report, &told));
    spw_record_summary summary = {};
    summary.streams = told->streams;
    summary.records = told->records;
    summary.records_damaged = told->records_damaged;
    summary.bytes = told->bytes;
    summary.ranges = told->ranges_found;
    WriteStruct(out, summary);
    return {};
  });
}

spw_status spw_report_range(const spw_report* report, uint64_t index, spw_record_range* out,
                            spw_error** err) {
  return Guard(err, [&]() -> Status {
    SPW_RETURN_IF_ERROR(CheckPointer(out, "out"));
    SPW_RETURN_IF_ERROR(ClearStruct(out, "spw_record_range"));
    const RecordReport* told = nullptr;
    SPW_RETURN_IF_ERROR(Tells(report, &told));
    if (index >= told->ranges.size()) {
      return NoSuch("range", index, told->ranges.size());
    }
    const DamagedRange& found = told->ranges[index];
    spw_record_range range = {};
    range.code = static_cast<spw_status>(found.code);
    range.stream = found.stream;
    range.begin_seq = found.begin_seq;
    range.end_seq = found.end_seq;
    range.message = found.message.c_str();
    range.message_len = found.message.size();
    WriteStruct(out, range);
    return {};
  });
}

void spw_report_free(spw_report* report) { FreeHandle(report); }

}  // extern "C"
