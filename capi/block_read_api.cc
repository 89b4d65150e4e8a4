// Blocks: what reads them, and spw_blob.

#include <algorithm>
#include <cstring>
#include <span>
#include <vector>

#include "capi/arguments.h"
#include "capi/file_handles.h"
#include "capi/guard.h"
#include "capi/structs.h"

using namespace spillway::capi;  // NOLINT(google-build-using-namespace): the border lies here
using spillway::base::Code;
using spillway::base::Status;
using spillway::blockfile::BlockInfo;

static_assert(spillway::blockfile::kBlobBytesMost == SPW_BLOB_BYTES_MAX);
static_assert(sizeof(BlockInfo::tag) == sizeof(spw_block_info::tag));

namespace spillway::capi {

spw_block_info MakeInfo(const BlockInfo& from) {
  spw_block_info info = {};
  info.struct_size = sizeof info;
  info.tag_len = from.tag_bytes;
  info.length = from.length;
  info.version = from.version;
  info.created_ns = from.created_ns;
  info.modified_ns = from.modified_ns;
  std::memcpy(info.tag, from.tag.data(), std::min<size_t>(from.tag_bytes, sizeof info.tag));
  return info;
}

}  // namespace spillway::capi

extern "C" {

spw_status spw_block_stat(spw_file* file, spw_txn* txn, const char* name, size_t name_len,
                          spw_block_info* out, spw_error** err) {
  return Guard(err, [&]() -> Status {
    SPW_RETURN_IF_ERROR(CheckPointer(out, "out"));
    SPW_RETURN_IF_ERROR(ClearStruct(out, "spw_block_info"));
    SPW_RETURN_IF_ERROR(CheckFile(file, txn));
    std::string_view block;
    SPW_RETURN_IF_ERROR(CheckName(name, name_len, "name", &block));
    BlockInfo info;
    SPW_RETURN_IF_ERROR(file->file->Stat(Of(txn), block, &info));
    WriteStruct(out, MakeInfo(info));
    return {};
  });
}

spw_status spw_block_exists(spw_file* file, spw_txn* txn, const char* name, size_t name_len,
                            int32_t* exists, spw_error** err) {
  return Guard(err, [&]() -> Status {
    SPW_RETURN_IF_ERROR(CheckPointer(exists, "exists"));
    *exists = 0;
    SPW_RETURN_IF_ERROR(CheckFile(file, txn));
    std::string_view block;
    SPW_RETURN_IF_ERROR(CheckName(name, name_len, "name", &block));
    bool found = false;
    SPW_RETURN_IF_ERROR(file->file->Exists(Of(txn), block, &found));
    *exists = found ? 1 : 0;
    return {};
  });
}

spw_status spw_block_read(spw_file* file, spw_txn* txn, const char* name, size_t name_len,
                          uint64_t offset, void* buffer, uint64_t cap, uint64_t* len,
                          spw_error** err) {
  return Guard(err, [&]() -> Status {
    SPW_RETURN_IF_ERROR(CheckPointer(len, "len"));
    *len = 0;
    SPW_RETURN_IF_ERROR(CheckFile(file, txn));
    std::string_view block;
    SPW_RETURN_IF_ERROR(CheckName(name, name_len, "name", &block));
    std::span<uint8_t> place;
    SPW_RETURN_IF_ERROR(CheckBuffer(buffer, cap, &place));
    uint64_t bytes_read = 0;
    SPW_RETURN_IF_ERROR(file->file->Read(Of(txn), block, offset, place, &bytes_read));
    *len = bytes_read;
    return {};
  });
}

spw_status spw_block_read_batch(spw_file* file, spw_txn* txn, const char* names, uint64_t names_len,
                                const uint64_t* name_offsets, size_t count, void* buffer,
                                uint64_t cap, uint64_t* offsets, int32_t* statuses,
                                spw_error** err) {
  return Guard(err, [&]() -> Status {
    SPW_RETURN_IF_ERROR(CheckPointer(offsets, "offsets"));
    std::fill_n(offsets, count + 1, 0);
    if (count > 0) {
      SPW_RETURN_IF_ERROR(CheckPointer(statuses, "statuses"));
      std::fill_n(statuses, count, 0);
    }
    SPW_RETURN_IF_ERROR(CheckFile(file, txn));
    Column column;
    SPW_RETURN_IF_ERROR(
        Column::Parse(names, names_len, name_offsets, count, "names", "name_offsets", &column));
    std::span<uint8_t> place;
    SPW_RETURN_IF_ERROR(CheckBuffer(buffer, cap, &place));
    std::vector<std::string_view> blocks(count);
    for (size_t i = 0; i < count; ++i) {
      SPW_RETURN_IF_ERROR(column.Name(i, &blocks[i]));
    }
    std::vector<Code> codes(count);
    Status status =
        file->file->ReadMany(Of(txn), blocks, place, std::span(offsets, count + 1), codes);
    if (status.ok() || status.code() == Code::kTooBig) {
      std::transform(codes.begin(), codes.end(), statuses,
                     [](Code code) { return static_cast<spw_status>(code); });
    } else {
      std::fill_n(offsets, count + 1, 0);
    }
    return status;
  });
}

spw_status spw_block_get(spw_file* file, spw_txn* txn, const char* name, size_t name_len,
                         uint64_t offset, uint64_t length, spw_blob** out, spw_error** err) {
  return Guard(err, [&]() -> Status {
    SPW_RETURN_IF_ERROR(CheckPointer(out, "out"));
    *out = nullptr;
    SPW_RETURN_IF_ERROR(CheckFile(file, txn));
    std::string_view block;
    SPW_RETURN_IF_ERROR(CheckName(name, name_len, "name", &block));
    auto blob = std::make_unique<spw_blob>();
    blob->fork_guard = file->fork_guard;
    SPW_RETURN_IF_ERROR(file->file->Get(Of(txn), block, offset, length, &blob->blob));
    *out = blob.release();
    return {};
  });
}

spw_status spw_blob_view(const spw_blob* blob, const uint8_t** data, uint64_t* len,
                         spw_error** err) {
  return Guard(err, [&]() -> Status {
    SPW_RETURN_IF_ERROR(CheckPointer(data, "data"));
    SPW_RETURN_IF_ERROR(CheckPointer(len, "len"));
    *data = nullptr;
    *len = 0;
    SPW_RETURN_IF_ERROR(CheckHere(blob));
    *data = PlaceOf(blob->blob.bytes.data());
    *len = blob->blob.bytes.size();
    return {};
  });
}

void spw_blob_free(spw_blob* blob) { FreeHandle(blob); }

}  // extern "C"
