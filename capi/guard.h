// The border of the library: every C function that can fail is one Guard(err, [&] { ... }), which
// lets no exception out and always writes *err.
#pragma once

#include <utility>

#include "internal/base/status.h"
#include "spillway.h"

namespace spillway::capi {

// Writes *err (if err is given) and returns the status's code.
spw_status Report(spw_error** err, const base::Status& status) noexcept;

template <class Body>
spw_status Guard(spw_error** err, Body&& body) noexcept {
  return Report(err, base::CatchToStatus(std::forward<Body>(body)));
}

}  // namespace spillway::capi
