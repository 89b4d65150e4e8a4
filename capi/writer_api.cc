// spw_writer: a block whose payload comes as a stream.

#include "capi/arguments.h"
#include "capi/file_handles.h"
#include "capi/guard.h"

using namespace spillway::capi;  // NOLINT(google-build-using-namespace): the border lies here
using spillway::base::Status;
using spillway::blockfile::Bytes;

extern "C" {

spw_status spw_writer_open(spw_file* file, spw_txn* txn, const char* name, size_t name_len,
                           uint64_t expected, spw_writer** out, spw_error** err) {
  return Guard(err, [&]() -> Status {
    SPW_RETURN_IF_ERROR(CheckPointer(out, "out"));
    *out = nullptr;
    SPW_RETURN_IF_ERROR(CheckFile(file, txn));
    std::string_view block;
    SPW_RETURN_IF_ERROR(CheckName(name, name_len, "name", &block));
    auto writer = std::make_unique<spw_writer>();
    writer->fork_guard = file->fork_guard;
    SPW_RETURN_IF_ERROR(file->file->OpenWriter(Of(txn), block, expected, &writer->writer));
    *out = writer.release();
    return {};
  });
}

spw_status spw_writer_write(spw_writer* writer, const void* data, uint64_t data_len,
                            spw_error** err) {
  return Guard(err, [&]() -> Status {
    SoleCall<spw_writer> call;
    SPW_RETURN_IF_ERROR(call.Enter(writer));
    Bytes bytes;
    SPW_RETURN_IF_ERROR(CheckBytes(data, data_len, "data", &bytes));
    return writer->writer->Write(bytes);
  });
}

spw_status spw_writer_commit(spw_writer* writer, uint64_t* version, spw_error** err) {
  return Guard(err, [&]() -> Status {
    if (version != nullptr) {
      *version = 0;
    }
    SoleCall<spw_writer> call;
    SPW_RETURN_IF_ERROR(call.Enter(writer));
    uint64_t made = 0;
    SPW_RETURN_IF_ERROR(writer->writer->Commit(&made));
    if (version != nullptr) {
      *version = made;
    }
    return {};
  });
}

void spw_writer_free(spw_writer* writer) { FreeHandle(writer); }

}  // extern "C"
