// Changes of a part of a block: what it is to become, from what it is. Stretches that stay are
// named where they stand, in the file or in the image; only what changes is copied, rounded to the
// chunks under one digest.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "internal/blockfile/engine.h"

namespace spillway::blockfile {

struct Composed {
  Composed() = default;
  Composed(const Composed&) = delete;
  Composed& operator=(const Composed&) = delete;

  Draft draft;  // points into the others
  std::vector<DraftPart> parts;
  std::vector<Digest> digests;
  std::vector<uint8_t> memory;
  std::vector<uint8_t> tag;
};

// All: `base` (found with meta) exists, and lives as long as *to. May read the file.
base::Status ComposeAppend(Engine* engine, const Block& base, Bytes bytes, Composed* to);
base::Status ComposePatch(Engine* engine, const Block& base, uint64_t offset, Bytes bytes,
                          Composed* to);
// The same payload with other metadata.
base::Status ComposeSame(Engine* engine, const Block& base, Composed* to);

}  // namespace spillway::blockfile
