// Folders of files into blocks, and back.

#include "capi/file_handles.h"
#include "capi/guard.h"

using namespace spillway::capi;  // NOLINT(google-build-using-namespace): the border lies here
using spillway::base::Code;
using spillway::base::Status;

extern "C" {

spw_status spw_file_import(spw_file*, const char*, size_t, const char*, size_t, spw_op*,
                           spw_transfer*, spw_error** err) {
  return Guard(err, [] { return Status(Code::kUnsupported); });
}
spw_status spw_file_export(spw_file*, spw_txn*, const char*, size_t, const char*, size_t, spw_op*,
                           spw_transfer*, spw_error** err) {
  return Guard(err, [] { return Status(Code::kUnsupported); });
}

}  // extern "C"
