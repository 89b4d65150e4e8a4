// A frame of the journal: all changes of one commit group, in one piece that is whole or not there.
//
// Frames of a generation (between two checkpoints) are numbered from 1. Each names the place of the
// next, carries the checksum of the one before, and is told by the generation's salt, so that what
// an earlier use of its pages left there is never taken for one.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "internal/base/status.h"
#include "internal/blockfile/codec.h"
#include "internal/blockfile/tree.h"

namespace spillway::blockfile {

inline constexpr uint64_t kFrameHeaderBytes = 96;

// An acknowledged frame that no mark tells of is followed, at most so many pages behind its begin,
// by the place of the next frame, which then tells of it.
inline constexpr uint64_t kUnmarkedPagesMost = 256;

// Before the name of each change.
inline constexpr uint64_t kChangeHeaderBytes = 8;

struct FrameHeader {
  uint64_t salt = 0;
  uint64_t number = 0;
  uint64_t previous_sum = 0;  // of the frame before; 0 for the first
  uint64_t next_page = 0;     // where the next frame stands, if there is one
  uint64_t body_bytes = 0;
  uint64_t acknowledged = 0;  // frames that were on the device when this one was written
  Digest body_digest{};
  uint64_t sum = 0;  // of all of the above
};

// Appends the frame, zeros up to a multiple of page_bytes included, to `out`. Fills in the header's
// sum, body_bytes and body_digest.
void EncodeFrame(const std::vector<TreeChange>& changes, uint64_t page_bytes,
                 const Digester& digester, FrameHeader* header, std::vector<uint8_t>* out);

// False: these bytes, kFrameHeaderBytes at least, do not begin a frame.
bool DecodeFrameHeader(Bytes bytes, FrameHeader* header);

// The changes of a frame from its whole body; they point into it. kNotFound: the body is not the
// header's. kCorrupt: it is, and makes no sense.
base::Status DecodeFrameBody(const FrameHeader& header, Bytes body, const Digester& digester,
                             std::vector<TreeChange>* changes);

}  // namespace spillway::blockfile
