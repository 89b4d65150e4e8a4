// The registry's tree: keys in order, values, in pages that are never changed (copy on write). A
// tree is a root; looking something up or changing it leaves the root as it was, so an old root is
// a snapshot for as long as its pages are not reused.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "internal/base/status.h"
#include "internal/blockfile/page_io.h"
#include "internal/blockfile/tree_node.h"

namespace spillway::blockfile {

struct TreeRoot {
  PageRef ref;  // empty: no entries, no page
  uint8_t level = 0;
  uint64_t entries = 0;
  friend bool operator==(const TreeRoot&, const TreeRoot&) = default;
};

// The value of a key; nothing if it is not there. The value lives as long as *page.
base::Status TreeFind(PageSource* source, const TreeRoot& root, std::string_view key,
                      PageBuffer* page, std::optional<Bytes>* value);

// Walks the entries in order. Keys and values live until the next call.
class TreeCursor {
 public:
  TreeCursor(PageSource* source, const TreeRoot& root) : source_(source), root_(root) {}

  // To the first entry whose key is not below `key`.
  base::Status Seek(std::string_view key);
  bool valid() const { return valid_; }
  std::string_view key() const { return path_.back().node.key(path_.back().index); }
  Bytes value() const { return path_.back().node.item(path_.back().index).value; }
  base::Status Next();

 private:
  struct Step {
    Node node;
    uint32_t index = 0;
  };
  base::Status Descend(const PageRef& ref, uint8_t level, std::optional<std::string_view> key);
  base::Status SkipEnds();

  PageSource* const source_;
  const TreeRoot root_;
  std::vector<Step> path_;  // from the root to a leaf
  std::string last_key_;    // of the leaf before
  bool valid_ = false;
};

// A key's new value, or none: it goes.
struct TreeChange {
  std::string_view key;
  std::optional<Bytes> value;
};

// Applies changes, in the order of their keys and one per key, and gives the new root. Writes fresh
// pages, releases those that are no longer part of the tree, reads nothing that the changes do not
// touch (but for neighbours of pages that became small). Removing what is not there is fine.
base::Status TreeUpdate(PageSource* source, PageSink* sink, const TreeRoot& root,
                        const std::vector<TreeChange>& changes, TreeRoot* updated);

// The same tree, but every page that stood at `from` or behind it stands where the sink puts it.
// Reads all branches, and no leaf that stays.
base::Status TreeMove(PageSource* source, PageSink* sink, const TreeRoot& root, uint64_t from,
                      TreeRoot* moved);

}  // namespace spillway::blockfile
