// Changes of blocks that wait to be written together: the write-behind set. The last change of a
// name wins. Payloads lie in memory as they will lie in the file: from a page on, zeros behind
// them, one after another.
//
// Not thread-safe: its owner's mutex guards it while it is open; then one thread writes it, and
// reads go on.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "internal/base/status.h"
#include "internal/blockfile/codec.h"

namespace spillway::blockfile {

// Memory in pieces that stay where they are.
class Image {
 public:
  explicit Image(uint64_t page_bytes) : page_bytes_(page_bytes) {}

  // The page, counted from the image's begin, where a copy of the payload now begins.
  uint64_t Append(Bytes payload);
  uint64_t pages() const { return pages_; }
  // `bytes` bytes from the begin of a page on, in pieces.
  base::Status ForEachPiece(uint64_t page, uint64_t bytes,
                            const std::function<base::Status(Bytes)>& visit) const;
  // Puts bytes where others were appended.
  void Overwrite(uint64_t page, Bytes bytes);
  // Forgets what was appended after it had so many pages; keeps the memory.
  void Cut(uint64_t pages) { pages_ = pages; }

 private:
  static constexpr uint64_t kPieceBytes = uint64_t{1} << 20;

  const uint64_t page_bytes_;
  uint64_t pages_ = 0;
  std::vector<std::unique_ptr<uint8_t[]>> pieces_;
};

struct PendingChange {
  bool removes = false;
  bool is_inline = false;
  std::string tag;
  uint64_t version = 0;
  int64_t modified_ns = 0;
  uint64_t length = 0;
  std::string inline_bytes;
  uint64_t page = 0;  // where the payload stands in the image, if not inline
};

class Group {
 public:
  Group(uint64_t page_bytes, uint64_t inline_bytes_most)
      : inline_bytes_most_(inline_bytes_most), image_(page_bytes) {}

  void Put(std::string_view name, Bytes payload, std::string_view tag, uint64_t version,
           int64_t modified_ns);
  void Remove(std::string_view name, uint64_t version);
  const PendingChange* Find(std::string_view name) const;

  const std::map<std::string, PendingChange, std::less<>>& changes() const { return changes_; }
  const Image& image() const { return image_; }
  Image& image() { return image_; }
  // Copies a block's payload out.
  void CopyPayload(const PendingChange& change, std::vector<uint8_t>* payload) const;

 private:
  const uint64_t inline_bytes_most_;
  std::map<std::string, PendingChange, std::less<>> changes_;
  Image image_;
};

}  // namespace spillway::blockfile
