// Moving a tree's pages to the front of the file: copies of the pages that are too far behind, and
// of those above them, which say where they are.
#include <algorithm>
#include <utility>

#include "internal/blockfile/tree.h"

namespace spillway::blockfile {

using base::Status;

namespace {

class Move {
 public:
  Move(PageSource* source, PageSink* sink, uint64_t from)
      : source_(source), sink_(sink), from_(from), page_(source->page_bytes()) {}

  Status Run(uint8_t level, PageRef* ref) {
    const bool moves = ref->page >= from_;
    if (level == 0 && !moves) {
      return {};
    }
    PageBuffer page;
    SPW_RETURN_IF_ERROR(source_->Read(*ref, &page));
    if (level == 0) {
      return Replace({page.get(), source_->page_bytes()}, ref);
    }
    Node node;
    SPW_RETURN_IF_ERROR(Node::Parse(std::move(page), source_->digest_bytes(), level, &node));
    std::vector<Item> items;
    items.reserve(node.count());
    bool changed = moves;
    for (uint32_t i = 0; i < node.count(); ++i) {
      Item& item = items.emplace_back(node.item(i));
      const PageRef before = item.child.ref;
      SPW_RETURN_IF_ERROR(Run(static_cast<uint8_t>(level - 1), &item.child.ref));
      changed = changed || item.child.ref != before;
    }
    if (!changed) {
      return {};
    }
    std::fill(page_.begin(), page_.end(), uint8_t{0});
    EncodeNode(items, level, source_->digest_bytes(), page_);
    return Replace(page_, ref);
  }

 private:
  Status Replace(std::span<const uint8_t> page, PageRef* ref) {
    PageRef fresh;
    SPW_RETURN_IF_ERROR(sink_->Write(page, &fresh));
    SPW_RETURN_IF_ERROR(sink_->Release(*ref));
    *ref = fresh;
    return {};
  }

  PageSource* const source_;
  PageSink* const sink_;
  const uint64_t from_;
  std::vector<uint8_t> page_;
};

}  // namespace

Status TreeMove(PageSource* source, PageSink* sink, const TreeRoot& root, uint64_t from,
                TreeRoot* moved) {
  *moved = root;
  return root.ref.empty() ? Status() : Move(source, sink, from).Run(root.level, &moved->ref);
}

}  // namespace spillway::blockfile
