// Looking up and walking.
#include "internal/blockfile/tree.h"

namespace spillway::blockfile {

using base::Status;

static Status ReadNode(PageSource* source, const PageRef& ref, uint8_t level, Node* node) {
  if (level > kLevelsMost) {
    return base::Corrupt("registry: more levels than there can be");
  }
  PageBuffer page;
  SPW_RETURN_IF_ERROR(source->Read(ref, &page));
  return Node::Parse(std::move(page), source->digest_bytes(), level, node);
}

Status TreeFind(PageSource* source, const TreeRoot& root, std::string_view key, PageBuffer* page,
                std::optional<Bytes>* value) {
  value->reset();
  if (root.ref.empty()) {
    return {};
  }
  PageRef ref = root.ref;
  for (uint8_t level = root.level;; --level) {
    Node node;
    SPW_RETURN_IF_ERROR(ReadNode(source, ref, level, &node));
    if (level == 0) {
      const uint32_t index = node.Find(key);
      if (index < node.count()) {
        *value = node.item(index).value;
        *page = node.page();
      }
      return {};
    }
    ref = node.item(node.ChildFor(key)).child.ref;
  }
}

// Puts the path down to a leaf; without a key to the first entry.
Status TreeCursor::Descend(const PageRef& from, uint8_t level,
                           std::optional<std::string_view> key) {
  PageRef ref = from;
  for (;; --level) {
    Step step;
    SPW_RETURN_IF_ERROR(ReadNode(source_, ref, level, &step.node));
    if (key.has_value()) {
      step.index = level == 0 ? step.node.LowerBound(*key) : step.node.ChildFor(*key);
    }
    path_.push_back(std::move(step));
    if (level == 0) {
      return {};
    }
    ref = path_.back().node.item(path_.back().index).child.ref;
  }
}

// From behind the last entry of a leaf to the first of the next. Its keys have to be above those
// before: so no page is walked twice, whatever refers to it.
Status TreeCursor::SkipEnds() {
  if (path_.back().index >= path_.back().node.count()) {
    last_key_ = path_.back().node.key(path_.back().node.count() - 1);
  }
  while (!path_.empty() && path_.back().index >= path_.back().node.count()) {
    path_.pop_back();
    if (path_.empty()) {
      break;
    }
    Step& parent = path_.back();
    ++parent.index;
    if (parent.index < parent.node.count()) {
      SPW_RETURN_IF_ERROR(Descend(parent.node.item(parent.index).child.ref,
                                  static_cast<uint8_t>(parent.node.level() - 1), std::nullopt));
      if (path_.back().node.key(0) <= last_key_) {
        return base::Corrupt("registry: a page whose keys are not above those before it");
      }
    }
  }
  valid_ = !path_.empty();
  return {};
}

Status TreeCursor::Seek(std::string_view key) {
  path_.clear();
  valid_ = false;
  if (root_.ref.empty()) {
    return {};
  }
  SPW_RETURN_IF_ERROR(Descend(root_.ref, root_.level, key));
  return SkipEnds();
}

Status TreeCursor::Next() {
  valid_ = false;
  ++path_.back().index;
  return SkipEnds();
}

}  // namespace spillway::blockfile
