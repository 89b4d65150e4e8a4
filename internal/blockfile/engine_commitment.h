// One call of Commit, for the files that carry it out.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <memory_resource>
#include <span>
#include <vector>

#include "internal/blockfile/engine.h"

namespace spillway::blockfile {

struct Engine::Commitment {
  struct Place {
    bool is_inline = false;
    uint64_t image_page = 0;  // of its first run in memory; the others follow
    Version* made = nullptr;
    // The conditions held when the delta had this version of the name (null: none), in this view.
    bool conditional = false;
    const Version* newest = nullptr;
    uint64_t newest_commit = 0;
    std::shared_ptr<const View> view;
  };
  Commitment(std::span<Draft> wanted, const Snapshot* after)
      : drafts(wanted), since(after), memory(buffer.data(), buffer.size()), places(&memory) {
    places.resize(wanted.size());
  }

  std::span<Draft> drafts;
  const Snapshot* since;
  std::array<std::byte, 1024> buffer;
  std::pmr::monotonic_buffer_resource memory;
  std::pmr::vector<Place> places;
  // Of a transaction: as long as nothing is committed after this, nobody need look again.
  uint64_t checked_at = 0;
  uint64_t moves = 0;  // blocks that had been moved then
  std::shared_ptr<const View> checked_in;
  Aside aside;
  uint64_t pages = 0;            // of the image
  std::shared_ptr<Group> group;  // in which they are placed
  std::vector<PageRun> orphans;  // fresh pages that no version names once these are visible
};

}  // namespace spillway::blockfile
