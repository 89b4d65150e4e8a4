#include "internal/blockfile/tree_node.h"

#include <algorithm>
#include <bit>
#include <string>
#include <utility>

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

// The first bytes of a key as a number: if it is below that of another key, so is the key; if it is
// the same, the rest decides.
uint32_t HeadOf(std::string_view key) {
  uint32_t head = 0;
  std::memcpy(&head, key.data(), std::min(key.size(), sizeof head));
  return __builtin_bswap32(head);
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

// Whether the entries are what Node reads without looking.
Status Node::Check(const Node& node, uint64_t page_bytes) {
  const uint8_t* const bytes = node.bytes_;
  const uint8_t level = node.level_;
  const uint64_t count = node.count_;
  const uint64_t end = Load<uint32_t>(bytes + 4);
  if (bytes[0] != (level == 0 ? kLeafKind : kBranchKind) || bytes[1] != level) {
    return Damaged("not of the kind and level that its parent says");
  }
  uint64_t at = kNodeHeaderBytes + count * kOffsetBytes;
  if (end > page_bytes || at > end || count == 0) {
    return Damaged("its entries do not fit it");
  }
  const uint64_t header = HeaderBytes(level, node.digest_bytes_);
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
  return at == end ? Status() : Damaged("it has bytes that belong to no entry");
}

void Node::BuildIndex() const {
  NodeIndex& index = page_.index();
  auto unknown = NodeIndex::kUnknown;
  // relaxed: only says who fills it in
  if (!index.state.compare_exchange_strong(unknown, NodeIndex::kBuilding,
                                           std::memory_order_relaxed)) {
    return;
  }
  index.level = level_;
  index.digest_bytes = digest_bytes_;
  const std::span<KeyHead> heads = page_.heads();
  if (count_ > 0 && count_ <= heads.size()) {
    const std::string_view first = key(0);
    const std::string_view last = key(count_ - 1);
    const auto differ = std::mismatch(first.begin(), first.end(), last.begin(), last.end());
    index.prefix_bytes = static_cast<uint16_t>(differ.first - first.begin());
    index.heads = count_;
    for (uint32_t i = 0; i < count_; ++i) {
      heads[i] = {HeadOf(key(i).substr(index.prefix_bytes)),
                  static_cast<uint32_t>(cell(i) - bytes_)};
    }
  }
  index.state.store(NodeIndex::kBuilt, std::memory_order_release);
}

Status Node::Parse(PageBuffer page, uint64_t digest_bytes, uint8_t level, Node* node) {
  const NodeIndex& index = page.index();
  const uint64_t page_bytes = page.size();
  node->bytes_ = page.get();
  node->page_ = std::move(page);
  node->digest_bytes_ = static_cast<uint16_t>(digest_bytes);
  node->level_ = level;
  node->count_ = Load<uint16_t>(node->bytes_ + 2);
  node->heads_ = nullptr;
  const auto known = [&] {
    return index.state.load(std::memory_order_acquire) == NodeIndex::kBuilt &&
           index.level == level && index.digest_bytes == digest_bytes;
  };
  if (!known()) {
    SPW_RETURN_IF_ERROR(Check(*node, page_bytes));
    node->BuildIndex();
  }
  if (known() && index.heads > 0) {
    node->heads_ = node->page_.heads().data();
    node->prefix_bytes_ = index.prefix_bytes;
  }
  return {};
}

const uint8_t* Node::cell(uint32_t index) const {
  return bytes_ + (heads_ != nullptr
                       ? heads_[index].at
                       : Load<uint16_t>(bytes_ + kNodeHeaderBytes + index * kOffsetBytes));
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

// The first key from `begin` to `end` that is not below; `end` if there is none.
uint32_t Node::SearchKeys(std::string_view wanted, uint32_t begin, uint32_t end) const {
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

// Of a key that begins with the prefix: the first entry whose head is not below its own, and in
// *end the first whose head is above.
uint32_t Node::SearchHeads(std::string_view wanted, uint32_t* end) const {
  const uint32_t head = HeadOf(wanted.substr(prefix_bytes_));
  uint32_t begin = 0;
  for (uint32_t left = count_; left > 0;) {  // without branches that could be mispredicted
    const uint32_t half = (left + 1) / 2;
    begin += heads_[begin + half - 1].head < head ? half : 0;
    left -= half;
  }
  *end = begin;
  while (*end < count_ && heads_[*end].head == head) {
    ++*end;
  }
  return begin;
}

uint32_t Node::LowerBound(std::string_view wanted) const {
  if (heads_ == nullptr) {
    return SearchKeys(wanted, 0, count_);
  }
  const int order = wanted.substr(0, prefix_bytes_).compare(key(0).substr(0, prefix_bytes_));
  if (order != 0) {
    return order < 0 ? 0 : count_;
  }
  uint32_t end = 0;
  const uint32_t begin = SearchHeads(wanted, &end);
  return SearchKeys(wanted, begin, end);
}

uint32_t Node::Find(std::string_view wanted) const {
  uint32_t begin = 0;
  uint32_t end = count_;
  if (heads_ != nullptr) {
    if (wanted.size() < prefix_bytes_) {
      return count_;
    }
    begin = SearchHeads(wanted, &end);  // if it has another prefix, the last comparison tells
  }
  const uint32_t found = SearchKeys(wanted, begin, end);
  return found < end && key(found) == wanted ? found : count_;
}

uint32_t Node::ChildFor(std::string_view wanted) const {
  const uint32_t bound = LowerBound(wanted);
  if (bound < count_ && key(bound) == wanted) {
    return bound;
  }
  return bound == 0 ? 0 : bound - 1;
}

}  // namespace spillway::blockfile
