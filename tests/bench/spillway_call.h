// Calls of the C API that must succeed: any error ends the process.
#pragma once

#include <spillway.h>

#include <string>

#include "tests/bench/files.h"

namespace spillway::bench {

inline void CheckCall(spw_status status, spw_error* error, const char* call) {
  if (status != SPW_OK) {
    Die(std::string(call) + ": " + spw_status_name(status) + ": " +
        spw_error_message(error, nullptr));
  }
}

// SPW_CHECKED(spw_store_stats, store, &out): the call with an error appended, which must not come.
#define SPW_CHECKED(call, ...)                            \
  do {                                                    \
    spw_error* error_ = nullptr;                          \
    CheckCall(call(__VA_ARGS__, &error_), error_, #call); \
  } while (false)

class Options {
 public:
  Options() {
    spw_error* error = nullptr;
    CheckCall(spw_options_new(&options_, &error), error, "spw_options_new");
  }
  ~Options() { spw_options_free(options_); }
  Options(const Options&) = delete;
  Options& operator=(const Options&) = delete;

  void Set(int32_t key, int64_t value) { SPW_CHECKED(spw_options_set_i64, options_, key, value); }
  const spw_options* get() const { return options_; }

 private:
  spw_options* options_ = nullptr;
};

}  // namespace spillway::bench
