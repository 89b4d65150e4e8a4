// What the registry knows of a block: the value of its name in the tree, and in a frame of the
// journal. FORMAT.md shows the bytes.
#pragma once

#include <cstdint>
#include <memory_resource>
#include <vector>

#include "internal/base/bytes.h"
#include "internal/base/status.h"
#include "internal/blockfile/codec.h"
#include "internal/blockfile/digest.h"
#include "internal/blockfile/layout.h"
#include "internal/blockfile/space_map.h"

namespace spillway::blockfile {

inline constexpr uint64_t kTagBytesMost = 128;
inline constexpr uint64_t kInlineBytesMost = 1024;

// Payload in consecutive pages, from the first byte of the first; what is behind it in the last
// page is zero.
struct Extent {
  uint64_t first_page = 0;
  uint64_t bytes = 0;  // at least 1
  PageRun run(uint64_t page_bytes) const { return {first_page, base::CeilDiv(bytes, page_bytes)}; }
  uint64_t chunks() const { return base::CeilDiv(bytes, kChunkBytes); }
  friend bool operator==(const Extent&, const Extent&) = default;
};

// The payload is the inline bytes, or that of the extents one after another. Each extent is cut
// into chunks from its begin on, so that one can be appended without reading those before.
//
// Its lists live in the memory it is made with, so that one that is only looked at can live on the
// stack. Moved and not copied: a copy would live in the process's default memory.
struct Entry {
  Entry() : Entry(std::pmr::new_delete_resource()) {}
  explicit Entry(std::pmr::memory_resource* memory) : extents(memory), digests(memory) {}
  Entry(Entry&&) = default;
  Entry& operator=(Entry&&) = default;
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;
  ~Entry() = default;

  uint64_t block_id = 0;
  uint64_t version = 0;
  uint64_t length = 0;     // of the payload
  int64_t created_ns = 0;  // since 1970
  int64_t modified_ns = 0;
  Bytes tag;
  Bytes inline_bytes;
  std::pmr::vector<Extent> extents;
  std::pmr::vector<Digest> digests;  // of the extents' chunks, in order
};

// Where the list of extents and digests stands if it is too long for the entry itself.
struct ListRef {
  Extent extent;    // of the list's bytes
  Digest digest{};  // of them all
  // Of the block, as its entry says; filled in by DecodeEntry and of no account to EncodeEntry.
  uint32_t extents = 0;
};

// With a list_ref the extents and digests are left out; they are what EncodeList gives.
void EncodeEntry(const Entry& entry, const ListRef* list_ref, uint64_t digest_bytes,
                 std::vector<uint8_t>* out);
void EncodeList(const Entry& entry, uint64_t digest_bytes, std::vector<uint8_t>* out);
inline uint64_t ListBytes(const Entry& entry, uint64_t digest_bytes) {
  return entry.extents.size() * sizeof(Extent) + entry.digests.size() * digest_bytes;
}

// Tag and inline bytes point into `bytes`. If *has_list, the list is to be read from where
// *list_ref says and handed to DecodeList. kCorrupt if the bytes are no entry, or its parts do not
// agree: extents that do not add up, chunks without digest, places outside of the file.
// kUnsupported if a later version coded or encrypted the payload. Lists are allocated in the
// entry's memory, and none is longer than `bytes`.
base::Status DecodeEntry(Bytes bytes, const Shape& shape, Entry* entry, bool* has_list,
                         ListRef* list_ref);
// `extents`: the list_ref's.
base::Status DecodeList(Bytes bytes, const Shape& shape, uint32_t extents, Entry* entry);

}  // namespace spillway::blockfile
