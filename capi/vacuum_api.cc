// Vacuum, copy and the scrubber of a file.

#include "capi/file_handles.h"
#include "capi/guard.h"

using namespace spillway::capi;  // NOLINT(google-build-using-namespace): the border lies here
using spillway::base::Code;
using spillway::base::Status;

extern "C" {

spw_status spw_file_vacuum(spw_file*, uint32_t, uint64_t, spw_op*, spw_vacuum_result*,
                           spw_error** err) {
  return Guard(err, [] { return Status(Code::kUnsupported); });
}
spw_status spw_file_copy(spw_file*, spw_txn*, const char*, size_t, spw_op*, spw_error** err) {
  return Guard(err, [] { return Status(Code::kUnsupported); });
}
spw_status spw_file_scrub(spw_file*, uint64_t, spw_error** err) {
  return Guard(err, [] { return Status(Code::kUnsupported); });
}
spw_status spw_file_scrub_report(spw_file*, spw_report**, spw_error** err) {
  return Guard(err, [] { return Status(Code::kUnsupported); });
}

}  // extern "C"
