// Changing a tree: the items of a node and what happens to them are pooled, and the pool is packed
// into fresh pages by the parent, which so can join a node that became small with its neighbour
// before either is written. A pool holds one child's items, or those of a few small neighbours, so
// memory does not grow with the tree.
#include <algorithm>
#include <list>
#include <utility>

#include "internal/base/check.h"
#include "internal/blockfile/tree.h"

namespace spillway::blockfile {

using base::Status;

namespace {

using ChangeSpan = std::span<const TreeChange>;

// Items of one level in order, and what keeps their bytes alive.
struct Pool {
  std::vector<Item> items;
  std::vector<PageBuffer> pages;
  std::list<std::string> keys;  // of children that were written just now; they stay where they are
  uint64_t bytes = 0;
};

class Update {
 public:
  Update(PageSource* source, PageSink* sink)
      : source_(source),
        sink_(sink),
        digest_bytes_(source->digest_bytes()),
        room_(source->page_bytes() - kNodeHeaderBytes),
        page_(source->page_bytes()) {}

  Status Run(const TreeRoot& root, ChangeSpan changes, TreeRoot* updated) {
    Pool pool;
    uint8_t level = root.level;
    if (root.ref.empty()) {
      MergeLeaf(Node(), changes, &pool);
    } else {
      SPW_RETURN_IF_ERROR(Merge({root.ref, root.entries}, level, changes, &pool));
    }
    return WriteRoot(&pool, level, updated);
  }

 private:
  // The items of a subtree's root after the changes.
  Status Merge(const Child& child, uint8_t level, ChangeSpan changes, Pool* pool) {
    PageBuffer page;
    Node node;
    SPW_RETURN_IF_ERROR(source_->Read(child.ref, &page));
    SPW_RETURN_IF_ERROR(Node::Parse(std::move(page), source_->digest_bytes(), level, &node));
    SPW_RETURN_IF_ERROR(sink_->Release(child.ref));
    if (level == 0) {
      MergeLeaf(node, changes, pool);
      return {};
    }
    return MergeBranch(node, changes, pool);
  }

  void Add(const Item& item, uint8_t level, Pool* pool) {
    pool->items.push_back(item);
    pool->bytes += ItemBytes(item, level, digest_bytes_);
  }

  void MergeLeaf(const Node& node, ChangeSpan changes, Pool* pool) {
    if (node.page()) {
      pool->pages.push_back(node.page());
    }
    uint32_t index = 0;
    for (const TreeChange& change : changes) {
      for (; index < node.count() && node.key(index) < change.key; ++index) {
        Add(node.item(index), 0, pool);
      }
      if (index < node.count() && node.key(index) == change.key) {
        ++index;
      }
      if (change.value.has_value()) {
        Add({change.key, *change.value, {}}, 0, pool);
      }
    }
    for (; index < node.count(); ++index) {
      Add(node.item(index), 0, pool);
    }
  }

  // The changes that concern child `index`; *changes keeps those behind it.
  static ChangeSpan Cut(const Node& node, uint32_t index, ChangeSpan* changes) {
    if (index + 1 == node.count()) {
      return std::exchange(*changes, {});
    }
    const std::string_view end = node.key(index + 1);
    const auto bound =
        std::partition_point(changes->begin(), changes->end(),
                             [&](const TreeChange& change) { return change.key < end; });
    const auto count = static_cast<size_t>(bound - changes->begin());
    const ChangeSpan mine = changes->first(count);
    *changes = changes->subspan(count);
    return mine;
  }

  Status MergeBranch(const Node& node, ChangeSpan changes, Pool* pool) {
    const auto below = static_cast<uint8_t>(node.level() - 1);
    pool->pages.push_back(node.page());
    Pool pending;  // of children that are not written yet
    for (uint32_t index = 0; index < node.count(); ++index) {
      const ChangeSpan mine = Cut(node, index, &changes);
      const Item item = node.item(index);
      if (mine.empty() && (pending.items.empty() || !IsSmall(pending))) {
        SPW_RETURN_IF_ERROR(WriteChildren(&pending, below, pool));
        Add(item, node.level(), pool);
        continue;
      }
      if (!pending.items.empty() && !IsSmall(pending)) {
        SPW_RETURN_IF_ERROR(WriteChildren(&pending, below, pool));
      }
      SPW_RETURN_IF_ERROR(Merge(item.child, below, mine, &pending));
    }
    return JoinLast(&pending, node.level(), pool);
  }

  // What is left at the end of a branch; if it is small, together with its left neighbour.
  Status JoinLast(Pool* pending, uint8_t level, Pool* pool) {
    const auto below = static_cast<uint8_t>(level - 1);
    if (!pending->items.empty() && IsSmall(*pending) && !pool->items.empty()) {
      const Item left = pool->items.back();
      pool->items.pop_back();
      pool->bytes -= ItemBytes(left, level, digest_bytes_);
      Pool joined;
      SPW_RETURN_IF_ERROR(Merge(left.child, below, {}, &joined));
      for (const Item& item : pending->items) {
        Add(item, below, &joined);
      }
      pending->items.swap(joined.items);
      pending->bytes = joined.bytes;
      pending->pages.insert(pending->pages.end(), joined.pages.begin(), joined.pages.end());
      pending->keys.splice(pending->keys.end(), joined.keys);
    }
    return WriteChildren(pending, below, pool);
  }

  bool IsSmall(const Pool& pool) const { return pool.bytes < room_ / 4; }

  // Packs a pool into pages of about the same fill, and adds them to their parent's.
  Status WriteChildren(Pool* from, uint8_t level, Pool* to) {
    uint64_t left = from->bytes;
    size_t begin = 0;
    uint64_t pages = (left + room_ - 1) / room_;
    while (begin < from->items.size()) {
      const uint64_t target = pages <= 1 ? room_ : (left + pages - 1) / pages;
      uint64_t bytes = 0;
      size_t end = begin;
      while (end < from->items.size()) {
        const uint64_t more = ItemBytes(from->items[end], level, digest_bytes_);
        if (bytes + more > room_ || (end > begin && bytes + more / 2 > target)) {
          break;
        }
        bytes += more;
        ++end;
      }
      SPW_RETURN_IF_ERROR(WriteNode({from->items.data() + begin, end - begin}, level, to));
      left -= bytes;
      pages -= pages > 1 ? 1 : 0;
      begin = end;
    }
    *from = {};
    return {};
  }

  Status WriteNode(std::span<const Item> items, uint8_t level, Pool* to) {
    SPW_CHECK(!items.empty());
    Item parent;
    for (const Item& item : items) {
      parent.child.entries += level == 0 ? 1 : item.child.entries;
    }
    std::fill(page_.begin(), page_.end(), uint8_t{0});
    EncodeNode(items, level, digest_bytes_, page_);
    SPW_RETURN_IF_ERROR(sink_->Write(page_, &parent.child.ref));
    to->keys.emplace_back(items.front().key);
    parent.key = to->keys.back();
    Add(parent, static_cast<uint8_t>(level + 1), to);
    return {};
  }

  Status WriteRoot(Pool* pool, uint8_t level, TreeRoot* updated) {
    // A branch with one child is not needed.
    while (level > 0 && pool->items.size() == 1) {
      const Child only = pool->items.front().child;
      --level;
      if (level == 0 || !IsChain(only, level)) {
        *updated = {only.ref, level, only.entries};
        return {};
      }
      Pool below;
      SPW_RETURN_IF_ERROR(Merge(only, level, {}, &below));
      *pool = std::move(below);
    }
    while (!pool->items.empty()) {
      Pool above;
      SPW_RETURN_IF_ERROR(WriteChildren(pool, level, &above));
      if (above.items.size() == 1) {
        *updated = {above.items.front().child.ref, level, above.items.front().child.entries};
        return {};
      }
      *pool = std::move(above);
      if (++level > kLevelsMost) {
        return {base::Code::kTooBig, "registry: too many levels"};
      }
    }
    *updated = {};
    return {};
  }

  // Whether that child is a branch with one child itself. Such chains are left by removals.
  bool IsChain(const Child& child, uint8_t level) {
    PageBuffer page;
    Node node;
    return level > 0 && source_->Read(child.ref, &page).ok() &&
           Node::Parse(std::move(page), source_->digest_bytes(), level, &node).ok() &&
           node.count() == 1;
  }

  PageSource* const source_;
  PageSink* const sink_;
  const uint64_t digest_bytes_;
  const uint64_t room_;
  std::vector<uint8_t> page_;
};

}  // namespace

Status TreeUpdate(PageSource* source, PageSink* sink, const TreeRoot& root,
                  const std::vector<TreeChange>& changes, TreeRoot* updated) {
  if (changes.empty()) {
    *updated = root;
    return {};
  }
  return Update(source, sink).Run(root, changes, updated);
}

}  // namespace spillway::blockfile
