// What the keys and values of base::Options mean for a block file.
#pragma once

#include "internal/base/options.h"
#include "internal/base/status.h"
#include "internal/blockfile/block_file.h"

namespace spillway::capi {

// `options` may be null. kUnsupported: a key of something else.
base::Status ParseFileOptions(const base::Options* options, blockfile::Settings* out);

}  // namespace spillway::capi
