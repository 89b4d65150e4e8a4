#include "internal/io/folder_path.h"

#include <algorithm>
#include <utility>

namespace spillway::io {

using base::Result;
using base::Status;

Status FolderPath::Enter(const std::string& name) {
  SPW_RETURN_IF_ERROR(OpenTo(below_.size()));
  below_.push_back({name, nullptr});
  const Status status = OpenTo(below_.size());
  if (!status.ok()) {
    below_.pop_back();
  }
  return status;
}

Status FolderPath::MoveTo(std::span<const std::string> names) {
  size_t same = 0;
  while (same < std::min(names.size(), below_.size()) && below_[same].name == names[same]) {
    ++same;
  }
  while (below_.size() > same) {
    Leave();
  }
  for (; same < names.size(); ++same) {
    SPW_RETURN_IF_ERROR(Enter(names[same]));
  }
  return {};
}

Result<Folder*> FolderPath::Here() {
  if (const Status status = OpenTo(below_.size()); !status.ok()) {
    return status;
  }
  return below_.empty() ? root_.get() : below_.back().folder.get();
}

// The folder at that depth is open, and so are those above it, as many as may be.
Status FolderPath::OpenTo(size_t depth) {
  size_t open = depth;
  while (open > 0 && below_[open - 1].folder == nullptr) {
    --open;
  }
  for (; open < depth; ++open) {
    Folder* const above = open == 0 ? root_.get() : below_[open - 1].folder.get();
    Result<std::unique_ptr<Folder>> folder = above->OpenFolder(below_[open].name);
    SPW_RETURN_IF_ERROR(folder.status());
    below_[open].folder = std::move(folder.value());
    if (open >= kOpenMost) {
      below_[open - kOpenMost].folder.reset();
    }
  }
  return {};
}

}  // namespace spillway::io
