#include "internal/blockfile/tree_node.h"

#include "internal/base/check.h"

namespace spillway::blockfile {

using base::Status;

namespace {

// Node: kind u8, level u8, count u16, end u32, then count offsets u16, then the cells.
// Leaf cell: key bytes u16, value bytes u16, key, value.
// Branch cell: key bytes u16, 0 u16, page u64, entries u64, digest (of the kind's bytes), key.
constexpr uint8_t kLeafKind = 1;
constexpr uint8_t kBranchKind = 2;
constexpr uint64_t kOffsetBytes = 2;
constexpr uint64_t kLeafCellHeader = 4;
constexpr uint64_t kBranchCellHeader = 4 + 8 + 8;  // and the digest

uint64_t HeaderBytes(uint8_t level, uint64_t digest_bytes) {
  return level == 0 ? kLeafCellHeader : kBranchCellHeader + digest_bytes;
}

uint64_t CellBytes(const Item& item, uint8_t level, uint64_t digest_bytes) {
  return HeaderBytes(level, digest_bytes) + item.key.size() + (level == 0 ? item.value.size() : 0);
}

Status Damaged(const char* what) { return base::Corrupt(std::string("registry page: ") + what); }

}  // namespace

uint64_t ItemBytes(const Item& item, uint8_t level, uint64_t digest_bytes) {
  return kOffsetBytes + CellBytes(item, level, digest_bytes);
}

void EncodeNode(std::span<const Item> items, uint8_t level, uint64_t digest_bytes,
                std::span<uint8_t> page) {
  const uint64_t cells = kNodeHeaderBytes + items.size() * kOffsetBytes;
  uint8_t* at = page.data() + cells;
  uint8_t* offset = page.data() + kNodeHeaderBytes;
  for (const Item& item : items) {
    SPW_CHECK(at + CellBytes(item, level, digest_bytes) <= page.data() + page.size());
    offset = Store(offset, static_cast<uint16_t>(at - page.data()));
    at = Store(at, static_cast<uint16_t>(item.key.size()));
    at = Store(at, static_cast<uint16_t>(item.value.size()));
    if (level > 0) {
      at = Store(at, item.child.ref.page);
      at = Store(at, item.child.entries);
      at = StoreDigest(at, item.child.ref.digest, digest_bytes);
    }
    at = Store(at, AsBytes(item.key));
    at = Store(at, item.value);
  }
  uint8_t* header = page.data();
  header = Store(header, level == 0 ? kLeafKind : kBranchKind);
  header = Store(header, level);
  header = Store(header, static_cast<uint16_t>(items.size()));
  Store(header, static_cast<uint32_t>(at - page.data()));
}

Status Node::Parse(PageBuffer page, uint64_t page_bytes, uint64_t digest_bytes, uint8_t level,
                   Node* node) {
  const uint8_t* const bytes = page.get();
  const uint64_t count = Load<uint16_t>(bytes + 2);
  const uint64_t end = Load<uint32_t>(bytes + 4);
  if (bytes[0] != (level == 0 ? kLeafKind : kBranchKind) || bytes[1] != level) {
    return Damaged("not of the kind and level that its parent says");
  }
  uint64_t at = kNodeHeaderBytes + count * kOffsetBytes;
  if (end > page_bytes || at > end || (level > 0 && count == 0)) {
    return Damaged("its entries do not fit it");
  }
  const uint64_t header = HeaderBytes(level, digest_bytes);
  std::string_view previous;
  for (uint64_t i = 0; i < count; ++i) {
    if (Load<uint16_t>(bytes + kNodeHeaderBytes + i * kOffsetBytes) != at || end - at < header) {
      return Damaged("its entries do not follow each other");
    }
    const uint64_t key_bytes = Load<uint16_t>(bytes + at);
    const uint64_t value_bytes = Load<uint16_t>(bytes + at + 2);
    if (key_bytes + value_bytes > end - at - header || (level > 0 && value_bytes != 0)) {
      return Damaged("an entry reaches beyond it");
    }
    const std::string_view key = AsText({bytes + at + header, key_bytes});
    if (i > 0 && key <= previous) {
      return Damaged("its keys do not ascend");
    }
    previous = key;
    at += header + key_bytes + value_bytes;
  }
  if (at != end) {
    return Damaged("it has bytes that belong to no entry");
  }
  node->page_ = std::move(page);
  node->count_ = static_cast<uint32_t>(count);
  node->digest_bytes_ = static_cast<uint32_t>(digest_bytes);
  node->level_ = level;
  return {};
}

const uint8_t* Node::cell(uint32_t index) const {
  return page_.get() + Load<uint16_t>(page_.get() + kNodeHeaderBytes + index * kOffsetBytes);
}

std::string_view Node::key(uint32_t index) const {
  const uint8_t* const at = cell(index);
  return AsText({at + HeaderBytes(level_, digest_bytes_), Load<uint16_t>(at)});
}

Item Node::item(uint32_t index) const {
  const uint8_t* const at = cell(index);
  Item item;
  item.key = key(index);
  if (level_ == 0) {
    item.value = {at + kLeafCellHeader + item.key.size(), Load<uint16_t>(at + 2)};
  } else {
    item.child.ref.page = Load<uint64_t>(at + 4);
    item.child.entries = Load<uint64_t>(at + 12);
    item.child.ref.digest = LoadDigest(at + kBranchCellHeader, digest_bytes_);
  }
  return item;
}

uint32_t Node::LowerBound(std::string_view wanted) const {
  uint32_t begin = 0;
  uint32_t end = count_;
  while (begin < end) {
    const uint32_t middle = begin + (end - begin) / 2;
    if (key(middle) < wanted) {
      begin = middle + 1;
    } else {
      end = middle;
    }
  }
  return begin;
}

uint32_t Node::ChildFor(std::string_view wanted) const {
  const uint32_t bound = LowerBound(wanted);
  if (bound < count_ && key(bound) == wanted) {
    return bound;
  }
  return bound == 0 ? 0 : bound - 1;
}

}  // namespace spillway::blockfile
