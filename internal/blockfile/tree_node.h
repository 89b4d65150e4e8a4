// A page of the registry's tree: entries in the order of their keys, packed when the page is made
// and never changed. FORMAT.md shows the bytes.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "internal/base/status.h"
#include "internal/blockfile/codec.h"
#include "internal/blockfile/page_io.h"

namespace spillway::blockfile {

// A subtree as its parent knows it.
struct Child {
  PageRef ref;
  uint64_t entries = 0;  // in all leaves below
};

// An entry of a leaf (level 0): key and value. Of a branch: the child, and a key that is not above
// any of the child's.
struct Item {
  std::string_view key;
  Bytes value;  // leaf
  Child child;  // branch
};

// The largest tree that anybody could make has fewer levels; more is damage, or malice.
inline constexpr uint8_t kLevelsMost = 20;

uint64_t ItemBytes(const Item& item, uint8_t level, uint64_t digest_bytes);
inline constexpr uint64_t kNodeHeaderBytes = 8;

// Lays items out in a zeroed page that has room for them.
void EncodeNode(std::span<const Item> items, uint8_t level, uint64_t digest_bytes,
                std::span<uint8_t> page);

// A page checked once, however often it is parsed, then read without checks. Keeps the page alive;
// what it hands out lives as long.
class Node {
 public:
  Node() = default;
  // kCorrupt if the bytes are no node of that level.
  static base::Status Parse(PageBuffer page, uint64_t digest_bytes, uint8_t level, Node* node);

  uint32_t count() const { return count_; }
  uint8_t level() const { return level_; }
  const PageBuffer& page() const { return page_; }
  Item item(uint32_t index) const;
  std::string_view key(uint32_t index) const;
  // The first entry whose key is not below `key`; count() if there is none.
  uint32_t LowerBound(std::string_view key) const;
  // The entry of that key; count() if there is none.
  uint32_t Find(std::string_view key) const;
  // Branch: the child that holds `key` if any does.
  uint32_t ChildFor(std::string_view key) const;

 private:
  static base::Status Check(const Node& node, uint64_t page_bytes);
  void BuildIndex() const;
  const uint8_t* cell(uint32_t index) const;
  uint32_t SearchHeads(std::string_view key, uint32_t* end) const;
  uint32_t SearchKeys(std::string_view key, uint32_t begin, uint32_t end) const;

  PageBuffer page_;
  const uint8_t* bytes_ = nullptr;  // the page's
  const KeyHead* heads_ = nullptr;  // see NodeIndex; none: all keys are to be looked at
  uint32_t prefix_bytes_ = 0;       // before the heads in all keys
  uint32_t count_ = 0;
  uint16_t digest_bytes_ = 0;
  uint8_t level_ = 0;
};

}  // namespace spillway::blockfile
