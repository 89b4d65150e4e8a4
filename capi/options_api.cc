// spw_options: a bag of values, checked one by one as they are set and together where they are
// used.

#include "capi/guard.h"
#include "capi/handles.h"

using namespace spillway::capi;  // NOLINT(google-build-using-namespace): the border lies here
using spillway::base::Code;
using spillway::base::Status;

extern "C" {

spw_status spw_options_new(spw_options** out, spw_error** err) {
  return Guard(err, [&]() -> Status {
    SPW_RETURN_IF_ERROR(CheckPointer(out, "out"));
    *out = nullptr;
    *out = new spw_options;
    return {};
  });
}

spw_status spw_options_set_i64(spw_options* options, int32_t key, int64_t value, spw_error** err) {
  return Guard(err, [&]() -> Status {
    SPW_RETURN_IF_ERROR(CheckHandle(options));
    return options->options.Set(key, value);
  });
}

spw_status spw_options_set_bytes(spw_options* options, int32_t key, const void* value, size_t len,
                                 spw_error** err) {
  return Guard(err, [&]() -> Status {
    SPW_RETURN_IF_ERROR(CheckHandle(options));
    if (len > 0) {
      SPW_RETURN_IF_ERROR(CheckPointer(value, "value"));
    }
    return {Code::kUnsupported, "there is no byte string option " + std::to_string(key)};
  });
}

spw_status spw_options_get_i64(const spw_options* options, int32_t key, int64_t* value,
                               spw_error** err) {
  return Guard(err, [&]() -> Status {
    SPW_RETURN_IF_ERROR(CheckPointer(value, "value"));
    *value = 0;
    SPW_RETURN_IF_ERROR(CheckHandle(options));
    const std::optional<int64_t> found = options->options.Get(key);
    if (!found.has_value()) {
      return {Code::kNotFound, "option " + std::to_string(key) + " has not been set"};
    }
    *value = *found;
    return {};
  });
}

void spw_options_free(spw_options* options) {
  if (options != nullptr && options->kind == spw_options::kKind) {
    options->kind = Kind::kFreed;
    delete options;
  }
}

}  // extern "C"
