// The fixed parts of the file, byte by byte; FORMAT.md says the same in words. Everything is
// little-endian, every structure carries a checksum over all its bytes and the file's id or salt.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "internal/base/bytes.h"
#include "internal/base/status.h"
#include "internal/blockfile/digest.h"
#include "internal/blockfile/tree.h"

namespace spillway::blockfile {

// Each in a unit of its own, so that writing one cannot tear another.
inline constexpr uint64_t kUnitBytes = 4096;
inline constexpr uint64_t kSlots = 2;                     // of superblocks, and of marks
inline constexpr uint64_t kHeaderBytes = 4 * kUnitBytes;  // superblocks 0 and 1, marks 0 and 1
// The first page that can hold anything else.
inline constexpr uint64_t HeaderPages(uint64_t page_bytes) {
  return base::CeilDiv(kHeaderBytes, page_bytes);
}
inline constexpr uint64_t SuperblockOffset(uint64_t generation) {
  return generation % kSlots * kUnitBytes;
}
inline constexpr uint64_t MarkOffset(uint64_t number) {
  return (kSlots + number % kSlots) * kUnitBytes;
}

inline constexpr uint32_t kFormatVersion = 1;
inline constexpr uint64_t kPageBytes = 4096;
inline constexpr uint64_t kPageBytesLeast = 512;  // for tests
inline constexpr uint64_t kPageBytesMost = 65536;
// Ids, versions, generations and numbers of marks are no higher, so that there always is a next.
inline constexpr uint64_t kNumberMost = uint64_t{1} << 62;
inline constexpr uint64_t kChunkBytes = 65536;  // of payload, under one digest

// Features a reader may not know: it may read and write, read only, or not touch the file.
struct Features {
  uint64_t compatible = 0;
  uint64_t read_only = 0;
  uint64_t incompatible = 0;
  friend bool operator==(const Features&, const Features&) = default;
};

// Where the index of the space map stands: for each of its leaves the page that holds it, and what
// that page must hold. Written anew, in one piece, by every checkpoint.
struct SpaceIndexRef {
  uint64_t first_page = 0;
  uint64_t leaves = 0;
  Digest digest;  // of the index
  friend bool operator==(const SpaceIndexRef&, const SpaceIndexRef&) = default;
};
// A leaf's page and digest.
inline constexpr uint64_t SpaceIndexEntryBytes(uint64_t digest_bytes) { return 8 + digest_bytes; }

// The root of everything as of one checkpoint. FORMAT.md tells of parts that have no use yet (how
// payloads are coded and encrypted, a second tree); they are written empty and must be found so.
struct Superblock {
  FileId file_id{};
  uint32_t page_bytes = kPageBytes;
  Features features;
  uint64_t generation = 0;     // of the checkpoint; the valid one with the highest is the file's
  uint64_t pages = 0;          // of the file, its header among them
  uint64_t next_block_id = 1;  // and version: the next that was not given yet
  uint64_t next_version = 1;   // 0 says that there is no such block
  uint64_t payload_bytes = 0;  // of all blocks
  ChecksumKind checksum = ChecksumKind::kXxh3;
  TreeRoot registry;
  SpaceIndexRef space;
  uint64_t journal_page = 0;  // where the first frame after the checkpoint stands, if there is one
  uint64_t journal_salt = 0;  // and what it is told by
  friend bool operator==(const Superblock&, const Superblock&) = default;
};

// Says that all frames of a generation up to one were on the device when somebody was told so.
struct Mark {
  uint64_t number = 0;      // of the mark; the valid one with the highest counts
  uint64_t generation = 0;  // of the checkpoint before the frames
  uint64_t frames = 0;      // of that generation
  bool closed = false;      // nothing followed
  friend bool operator==(const Mark&, const Mark&) = default;
};

void EncodeSuperblock(const Superblock& superblock, std::span<uint8_t, kUnitBytes> unit);
// kNotFound: these are the bytes of no superblock of this format (or none has been written here);
// kCorrupt: of one that is damaged; kUnsupported: of a later version, or with features, checksums
// or parts unknown here.
base::Status DecodeSuperblock(std::span<const uint8_t, kUnitBytes> unit, Superblock* superblock);

// Whether a unit begins as a superblock or a mark does, damaged or not, of any version.
bool LooksLikeOurs(std::span<const uint8_t, kUnitBytes> unit);

void EncodeMark(const Mark& mark, const FileId& file_id, std::span<uint8_t, kUnitBytes> unit);
// False: there is none that is whole.
bool DecodeMark(std::span<const uint8_t, kUnitBytes> unit, const FileId& file_id, Mark* mark);

}  // namespace spillway::blockfile
