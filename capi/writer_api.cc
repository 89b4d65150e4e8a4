// spw_writer.

#include "capi/file_handles.h"
#include "capi/guard.h"

using namespace spillway::capi;  // NOLINT(google-build-using-namespace): the border lies here
using spillway::base::Code;
using spillway::base::Status;

extern "C" {

spw_status spw_writer_open(spw_file*, spw_txn*, const char*, size_t, uint64_t, spw_writer**,
                           spw_error** err) {
  return Guard(err, [] { return Status(Code::kUnsupported); });
}
spw_status spw_writer_write(spw_writer*, const void*, uint64_t, spw_error** err) {
  return Guard(err, [] { return Status(Code::kUnsupported); });
}
spw_status spw_writer_commit(spw_writer*, uint64_t*, spw_error** err) {
  return Guard(err, [] { return Status(Code::kUnsupported); });
}
void spw_writer_free(spw_writer*) {}

}  // extern "C"
