// A walk through the folders below one: where it stands, and open handles of the last of them.
//
// Goes down by one name at a time and never through a link. Keeps few descriptors whatever the
// depth: what it has closed it opens again on the way up. Not thread-safe.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "internal/base/status.h"
#include "internal/io/file.h"

namespace spillway::io {

class FolderPath {
 public:
  explicit FolderPath(std::unique_ptr<Folder> root) : root_(std::move(root)) {}

  base::Status Enter(const std::string& name);
  void Leave() { below_.pop_back(); }
  // Leaves and enters until it stands there.
  base::Status MoveTo(std::span<const std::string> names);

  size_t depth() const { return below_.size(); }
  // The folder in which it stands; valid until it moves.
  base::Result<Folder*> Here();

 private:
  struct Level {
    std::string name;
    std::unique_ptr<Folder> folder;  // null: closed
  };
  static constexpr size_t kOpenMost = 32;

  base::Status OpenTo(size_t depth);

  const std::unique_ptr<Folder> root_;
  std::vector<Level> below_;
};

}  // namespace spillway::io
