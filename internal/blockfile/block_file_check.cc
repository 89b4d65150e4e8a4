// Proof that every page is used once, by what the space map says, or free.
#include <string>

#include "internal/base/bytes.h"
#include "internal/blockfile/block_file.h"

namespace spillway::blockfile {

using base::MutexLock;
using base::Status;

class BlockFile::SpaceCheck {
 public:
  explicit SpaceCheck(BlockFile* file) : file_(file), seen_(file->space_.map().size(), false) {}

  Status Run(const PageRun& run, const char* what) {
    for (uint64_t page = run.first; page < run.end(); ++page) {
      if (page >= seen_.size() || seen_[page] || file_->space_.map().IsFree(page)) {
        return base::Corrupt("page " + std::to_string(page) + " of " + what +
                             " is free, used twice or not there");
      }
      seen_[page] = true;
      ++used_;
    }
    return {};
  }

  Status Value(Bytes value) {
    Entry entry;
    std::optional<ListRef> list;
    SPW_RETURN_IF_ERROR(file_->DecodeWhole(value, &entry, &list));
    for (const Extent& extent : entry.extents) {
      SPW_RETURN_IF_ERROR(Run(extent.run(file_->page_bytes_), "a block"));
    }
    return list.has_value() ? Run(list->extent.run(file_->page_bytes_), "a list") : Status();
  }

  // The tree's pages, and what its entries name unless the overlay knows better.
  Status Tree(const PageRef& ref, uint8_t level, const Overlay& overlay) {
    PageBuffer page;
    Node node;
    SPW_RETURN_IF_ERROR(Run({ref.page, 1}, "the registry"));
    SPW_RETURN_IF_ERROR(file_->pages_.Read(ref, &page));
    SPW_RETURN_IF_ERROR(
        Node::Parse(std::move(page), file_->digester_.digest_bytes(), level, &node));
    for (uint32_t i = 0; i < node.count(); ++i) {
      const Item item = node.item(i);
      if (level > 0) {
        SPW_RETURN_IF_ERROR(Tree(item.child.ref, static_cast<uint8_t>(level - 1), overlay));
      } else if (!overlay.contains(item.key)) {
        SPW_RETURN_IF_ERROR(Value(item.value));
      }
    }
    return {};
  }

  Status End() const {
    return used_ == file_->space_.map().pages_used()
               ? Status()
               : base::Corrupt(std::to_string(file_->space_.map().pages_used() - used_) +
                               " pages are in use by nothing");
  }

 private:
  BlockFile* const file_;
  std::vector<bool> seen_;
  uint64_t used_ = 0;
};

Status BlockFile::CheckSpace() {
  SpaceCheck check(this);
  Version version;
  Overlay overlay;
  {
    MutexLock lock(mu_);
    version = version_;
    overlay = overlay_;
  }
  SPW_RETURN_IF_ERROR(check.Run({0, HeaderPages(page_bytes_)}, "the header"));
  const SpaceIndexRef& index = superblock_.space;
  const uint64_t index_bytes = index.leaves * SpaceIndexEntryBytes(digester_.digest_bytes());
  SPW_RETURN_IF_ERROR(check.Run({index.first_page, base::CeilDiv(index_bytes, page_bytes_)},
                                "the space map's index"));
  for (const PageRef& leaf : space_leaves_) {
    SPW_RETURN_IF_ERROR(leaf.empty() ? Status() : check.Run({leaf.page, 1}, "the space map"));
  }
  if (!version.registry.ref.empty()) {
    SPW_RETURN_IF_ERROR(check.Tree(version.registry.ref, version.registry.level, overlay));
  }
  for (const auto& [name, value] : overlay) {
    SPW_RETURN_IF_ERROR(value.has_value() ? check.Value(*value) : Status());
  }
  for (const PageRun& run : journal_.frame_pages()) {
    SPW_RETURN_IF_ERROR(check.Run(run, "the journal"));
  }
  SPW_RETURN_IF_ERROR(check.Run(journal_.rest(), "the journal's region"));
  return check.End();
}

}  // namespace spillway::blockfile
