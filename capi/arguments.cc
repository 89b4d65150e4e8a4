#include "capi/arguments.h"

#include <algorithm>
#include <cstring>

#include "capi/handles.h"
#include "spillway.h"

namespace spillway::capi {

using base::InvalidArgument;
using base::Status;

Status CheckPath(const char* path, size_t bytes, std::string* out) {
  SPW_RETURN_IF_ERROR(CheckPointer(path, "path"));
  out->assign(path, bytes);
  if (out->empty() || out->find('\0') != std::string::npos) {
    return InvalidArgument("the path is empty or has a NUL in it");
  }
  return {};
}

Status CheckBytes(const void* data, uint64_t bytes, const char* what,
                  std::span<const uint8_t>* out) {
  if (bytes > PTRDIFF_MAX) {  // more than any memory holds: a length that was negative
    return InvalidArgument(std::string(what) + "_len is " + std::to_string(bytes));
  }
  if (bytes > 0) {
    SPW_RETURN_IF_ERROR(CheckPointer(data, what));
  }
  *out = {static_cast<const uint8_t*>(data), static_cast<size_t>(bytes)};
  return {};
}

Status CheckBuffer(void* buffer, uint64_t cap, std::span<uint8_t>* out) {
  if (cap > 0) {
    SPW_RETURN_IF_ERROR(CheckPointer(buffer, "buffer"));
  }
  *out = {static_cast<uint8_t*>(buffer), static_cast<size_t>(std::min<uint64_t>(cap, PTRDIFF_MAX))};
  return {};
}

static Status CheckNameBytes(std::string_view name, const char* what) {
  if (name.size() > SPW_BLOCK_NAME_MAX) {
    return InvalidArgument(std::string(what) + " has " + std::to_string(name.size()) +
                           " bytes; the most is " + std::to_string(SPW_BLOCK_NAME_MAX));
  }
  const size_t nul = name.find('\0');
  if (nul != std::string_view::npos) {
    return InvalidArgument(std::string(what) + " has a NUL at byte " + std::to_string(nul));
  }
  return {};
}

Status CheckName(const char* name, uint64_t bytes, const char* what, std::string_view* out) {
  SPW_RETURN_IF_ERROR(CheckPointer(name, what));
  if (bytes == 0) {
    return InvalidArgument(std::string(what) + " is empty");
  }
  *out = {name, static_cast<size_t>(bytes)};
  return CheckNameBytes(*out, what);
}

Status CheckPrefix(const char* prefix, uint64_t bytes, const char* what, std::string_view* out) {
  *out = {};
  return bytes == 0 ? Status() : CheckName(prefix, bytes, what, out);
}

Status Column::Parse(const void* data, uint64_t bytes, const uint64_t* offsets, size_t count,
                     const char* data_name, const char* offsets_name, Column* out) {
  SPW_RETURN_IF_ERROR(CheckBytes(data, bytes, data_name, &out->data_));
  if (count == 0) {
    return {};
  }
  SPW_RETURN_IF_ERROR(CheckPointer(offsets, offsets_name));
  for (size_t i = 0; i < count; ++i) {
    if (offsets[i + 1] < offsets[i] || offsets[i + 1] > bytes) {
      return InvalidArgument(std::string(offsets_name) + " goes from " +
                             std::to_string(offsets[i]) + " to " + std::to_string(offsets[i + 1]) +
                             " for block " + std::to_string(i) + ", of " + std::to_string(bytes) +
                             " bytes")
          .WithRecord(static_cast<int64_t>(i));
    }
  }
  out->offsets_ = offsets;
  return {};
}

Status Column::Name(size_t i, std::string_view* out) const {
  const std::span<const uint8_t> bytes = (*this)[i];
  Status status = CheckName(reinterpret_cast<const char*>(PlaceOf(bytes.data())), bytes.size(),
                            "the name", out);
  return status.ok() ? status : std::move(status).WithRecord(static_cast<int64_t>(i));
}

}  // namespace spillway::capi
