// Blocks: what changes them.

#include <algorithm>
#include <span>
#include <vector>

#include "capi/arguments.h"
#include "capi/file_handles.h"
#include "capi/guard.h"

using namespace spillway::capi;  // NOLINT(google-build-using-namespace): the border lies here
using spillway::base::Code;
using spillway::base::InvalidArgument;
using spillway::base::Status;
using spillway::blockfile::Bytes;
using spillway::blockfile::PutItem;

namespace {

static_assert(spillway::blockfile::kAnyVersion == SPW_BLOCK_VERSION_ANY &&
              spillway::blockfile::kNoVersion == SPW_BLOCK_VERSION_NONE &&
              spillway::blockfile::kTagBytesMost == SPW_BLOCK_TAG_MAX);

Status ParseItems(const Column& names, const Column& payloads, size_t count,
                  const uint64_t* expected, std::vector<PutItem>* out) {
  out->reserve(count);
  for (size_t i = 0; i < count; ++i) {
    PutItem item;
    SPW_RETURN_IF_ERROR(names.Name(i, &item.name));
    item.payload = payloads[i];
    if (expected != nullptr) {
      item.expected = expected[i];
    }
    out->push_back(item);
  }
  return {};
}

}  // namespace

extern "C" {

spw_status spw_block_put(spw_file* file, spw_txn* txn, const char* name, size_t name_len,
                         const void* data, uint64_t data_len, uint64_t expected, uint64_t* version,
                         spw_error** err) {
  return Guard(err, [&]() -> Status {
    if (version != nullptr) {
      *version = 0;
    }
    SPW_RETURN_IF_ERROR(CheckFile(file, txn));
    PutItem item;
    SPW_RETURN_IF_ERROR(CheckName(name, name_len, "name", &item.name));
    SPW_RETURN_IF_ERROR(CheckBytes(data, data_len, "data", &item.payload));
    item.expected = expected;
    SPW_RETURN_IF_ERROR(file->file->Put(Of(txn), std::span(&item, 1)));
    if (version != nullptr) {
      *version = item.version;
    }
    return {};
  });
}

spw_status spw_block_put_batch(spw_file* file, spw_txn* txn, const char* names, uint64_t names_len,
                               const uint64_t* name_offsets, const void* data, uint64_t data_len,
                               const uint64_t* data_offsets, size_t count, const uint64_t* expected,
                               uint64_t* versions, spw_error** err) {
  return Guard(err, [&]() -> Status {
    if (versions != nullptr) {
      std::fill_n(versions, count, 0);
    }
    SPW_RETURN_IF_ERROR(CheckFile(file, txn));
    Column name_column;
    SPW_RETURN_IF_ERROR(Column::Parse(names, names_len, name_offsets, count, "names",
                                      "name_offsets", &name_column));
    Column data_column;
    SPW_RETURN_IF_ERROR(
        Column::Parse(data, data_len, data_offsets, count, "data", "data_offsets", &data_column));
    std::vector<PutItem> items;
    SPW_RETURN_IF_ERROR(ParseItems(name_column, data_column, count, expected, &items));
    SPW_RETURN_IF_ERROR(file->file->Put(Of(txn), items));
    if (versions != nullptr) {
      std::transform(items.begin(), items.end(), versions,
                     [](const PutItem& item) { return item.version; });
    }
    return {};
  });
}

spw_status spw_block_append(spw_file* file, spw_txn* txn, const char* name, size_t name_len,
                            const void* data, uint64_t data_len, uint64_t* length,
                            spw_error** err) {
  return Guard(err, [&]() -> Status {
    if (length != nullptr) {
      *length = 0;
    }
    SPW_RETURN_IF_ERROR(CheckFile(file, txn));
    std::string_view block;
    SPW_RETURN_IF_ERROR(CheckName(name, name_len, "name", &block));
    Bytes bytes;
    SPW_RETURN_IF_ERROR(CheckBytes(data, data_len, "data", &bytes));
    uint64_t length_now = 0;
    SPW_RETURN_IF_ERROR(file->file->Append(Of(txn), block, bytes, &length_now));
    if (length != nullptr) {
      *length = length_now;
    }
    return {};
  });
}

spw_status spw_block_patch(spw_file* file, spw_txn* txn, const char* name, size_t name_len,
                           uint64_t offset, const void* data, uint64_t data_len, spw_error** err) {
  return Guard(err, [&]() -> Status {
    SPW_RETURN_IF_ERROR(CheckFile(file, txn));
    std::string_view block;
    SPW_RETURN_IF_ERROR(CheckName(name, name_len, "name", &block));
    Bytes bytes;
    SPW_RETURN_IF_ERROR(CheckBytes(data, data_len, "data", &bytes));
    if (offset > UINT64_MAX - data_len) {
      return InvalidArgument("offset " + std::to_string(offset) + " and data_len " +
                             std::to_string(data_len) + " reach beyond every block");
    }
    return file->file->Patch(Of(txn), block, offset, bytes);
  });
}

spw_status spw_block_delete(spw_file* file, spw_txn* txn, const char* name, size_t name_len,
                            uint64_t expected, spw_error** err) {
  return Guard(err, [&]() -> Status {
    SPW_RETURN_IF_ERROR(CheckFile(file, txn));
    std::string_view block;
    SPW_RETURN_IF_ERROR(CheckName(name, name_len, "name", &block));
    if (expected == SPW_BLOCK_VERSION_NONE) {
      return InvalidArgument("expected is SPW_BLOCK_VERSION_NONE: there is nothing to delete then");
    }
    return file->file->Remove(Of(txn), block, expected);
  });
}

spw_status spw_block_rename(spw_file* file, spw_txn* txn, const char* from, size_t from_len,
                            const char* to, size_t to_len, uint32_t flags, spw_error** err) {
  return Guard(err, [&]() -> Status {
    SPW_RETURN_IF_ERROR(CheckFile(file, txn));
    std::string_view block;
    SPW_RETURN_IF_ERROR(CheckName(from, from_len, "from", &block));
    std::string_view name;
    SPW_RETURN_IF_ERROR(CheckName(to, to_len, "to", &name));
    if ((flags & ~SPW_RENAME_REPLACE) != 0) {
      return {Code::kUnsupported, "unknown flags " + std::to_string(flags) + " for rename"};
    }
    return file->file->Rename(Of(txn), block, name, (flags & SPW_RENAME_REPLACE) != 0);
  });
}

spw_status spw_block_set_tag(spw_file* file, spw_txn* txn, const char* name, size_t name_len,
                             const void* tag, size_t tag_len, spw_error** err) {
  return Guard(err, [&]() -> Status {
    SPW_RETURN_IF_ERROR(CheckFile(file, txn));
    std::string_view block;
    SPW_RETURN_IF_ERROR(CheckName(name, name_len, "name", &block));
    Bytes bytes;
    SPW_RETURN_IF_ERROR(CheckBytes(tag, tag_len, "tag", &bytes));
    if (tag_len > SPW_BLOCK_TAG_MAX) {
      return {Code::kTooBig, "the tag has " + std::to_string(tag_len) + " bytes; the most is " +
                                 std::to_string(SPW_BLOCK_TAG_MAX)};
    }
    return file->file->SetTag(Of(txn), block, bytes);
  });
}

}  // extern "C"
