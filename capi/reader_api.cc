// spw_reader.

#include "capi/file_handles.h"
#include "capi/guard.h"

using namespace spillway::capi;  // NOLINT(google-build-using-namespace): the border lies here
using spillway::base::Code;
using spillway::base::Status;

extern "C" {

spw_status spw_reader_open(spw_file*, spw_txn*, const char*, size_t, spw_reader**,
                           spw_error** err) {
  return Guard(err, [] { return Status(Code::kUnsupported); });
}
spw_status spw_reader_stat(const spw_reader*, spw_block_info*, spw_error** err) {
  return Guard(err, [] { return Status(Code::kUnsupported); });
}
spw_status spw_reader_read(spw_reader*, void*, uint64_t, uint64_t*, spw_error** err) {
  return Guard(err, [] { return Status(Code::kUnsupported); });
}
spw_status spw_reader_read_at(const spw_reader*, uint64_t, void*, uint64_t, uint64_t*,
                              spw_error** err) {
  return Guard(err, [] { return Status(Code::kUnsupported); });
}
spw_status spw_reader_seek(spw_reader*, uint64_t, spw_error** err) {
  return Guard(err, [] { return Status(Code::kUnsupported); });
}
void spw_reader_free(spw_reader*) {}

}  // extern "C"
