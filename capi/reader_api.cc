// spw_reader: a block as it was when the reader was opened, read as a stream.

#include "capi/arguments.h"
#include "capi/file_handles.h"
#include "capi/guard.h"
#include "capi/structs.h"

using namespace spillway::capi;  // NOLINT(google-build-using-namespace): the border lies here
using spillway::base::Status;
using spillway::blockfile::BlockInfo;

extern "C" {

spw_status spw_reader_open(spw_file* file, spw_txn* txn, const char* name, size_t name_len,
                           spw_reader** out, spw_error** err) {
  return Guard(err, [&]() -> Status {
    SPW_RETURN_IF_ERROR(CheckPointer(out, "out"));
    *out = nullptr;
    SPW_RETURN_IF_ERROR(CheckFile(file, txn));
    std::string_view block;
    SPW_RETURN_IF_ERROR(CheckName(name, name_len, "name", &block));
    auto reader = std::make_unique<spw_reader>();
    reader->fork_guard = file->fork_guard;
    SPW_RETURN_IF_ERROR(file->file->OpenReader(Of(txn), block, &reader->reader));
    *out = reader.release();
    return {};
  });
}

spw_status spw_reader_stat(const spw_reader* reader, spw_block_info* out, spw_error** err) {
  return Guard(err, [&]() -> Status {
    SPW_RETURN_IF_ERROR(CheckPointer(out, "out"));
    SPW_RETURN_IF_ERROR(ClearStruct(out, "spw_block_info"));
    SPW_RETURN_IF_ERROR(CheckHere(reader));
    BlockInfo info;
    SPW_RETURN_IF_ERROR(reader->reader->Info(&info));
    WriteStruct(out, MakeInfo(info));
    return {};
  });
}

spw_status spw_reader_read(spw_reader* reader, void* buffer, uint64_t cap, uint64_t* len,
                           spw_error** err) {
  return Guard(err, [&]() -> Status {
    SPW_RETURN_IF_ERROR(CheckPointer(len, "len"));
    *len = 0;
    SoleCall<spw_reader> call;
    SPW_RETURN_IF_ERROR(call.Enter(reader));
    std::span<uint8_t> place;
    SPW_RETURN_IF_ERROR(CheckBuffer(buffer, cap, &place));
    uint64_t bytes_read = 0;
    SPW_RETURN_IF_ERROR(reader->reader->Read(place, &bytes_read));
    *len = bytes_read;
    return {};
  });
}

spw_status spw_reader_read_at(const spw_reader* reader, uint64_t offset, void* buffer, uint64_t cap,
                              uint64_t* len, spw_error** err) {
  return Guard(err, [&]() -> Status {
    SPW_RETURN_IF_ERROR(CheckPointer(len, "len"));
    *len = 0;
    SPW_RETURN_IF_ERROR(CheckHere(reader));
    std::span<uint8_t> place;
    SPW_RETURN_IF_ERROR(CheckBuffer(buffer, cap, &place));
    uint64_t bytes_read = 0;
    SPW_RETURN_IF_ERROR(reader->reader->ReadAt(offset, place, &bytes_read));
    *len = bytes_read;
    return {};
  });
}

spw_status spw_reader_seek(spw_reader* reader, uint64_t offset, spw_error** err) {
  return Guard(err, [&]() -> Status {
    SoleCall<spw_reader> call;
    SPW_RETURN_IF_ERROR(call.Enter(reader));
    return reader->reader->Seek(offset);
  });
}

void spw_reader_free(spw_reader* reader) { FreeHandle(reader); }

}  // extern "C"
