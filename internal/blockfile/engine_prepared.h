// A group on its way into the file. Kept from group to group, so that the same work again takes no
// memory.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "internal/blockfile/engine.h"

namespace spillway::blockfile {

struct Engine::Prepared {
  struct One {
    Version* version = nullptr;
    bool removes = false;
    Entry entry;
    std::array<uint8_t, kTagBytesMost> tag{};
    bool has_list = false;
    uint64_t list_bytes = 0;
    uint64_t list_page = 0;  // in the image
    std::vector<uint8_t> value;
  };

  void Clear() {
    count = 0;
    order.clear();
    changes.clear();
    taken.clear();
    gaps.clear();
    replaced.clear();
    kept.clear();
    place = {};
    frame_bytes = frame_pages = payload_pages = data_pages = 0;
    blocks_new = blocks_gone = bytes_new = bytes_gone = 0;
  }
  One* Add() {
    if (count == ones.size()) {
      ones.push_back(std::make_unique<One>());
    }
    One* const one = ones[count++].get();
    one->entry.extents.clear();
    one->entry.digests.clear();
    one->entry.inline_bytes = {};
    one->has_list = false;
    return one;
  }
  uint64_t data_page() const { return place.frame_page + frame_pages; }

  TreeRoot registry;  // beneath the group
  size_t count = 0;   // of ones
  std::vector<std::unique_ptr<One>> ones;
  std::vector<Version*> order;
  std::vector<TreeChange> changes;
  std::vector<PageRun> taken;     // of the image
  std::vector<PageRun> gaps;      // the rest of it
  std::vector<PageRun> replaced;  // what its names stood for before
  std::vector<PageRun> kept;      // of that, what they still do
  Journal::Place place;
  uint64_t frame_bytes = 0;
  uint64_t frame_pages = 0;
  uint64_t payload_pages = 0;  // of the image; lists follow
  uint64_t data_pages = 0;
  uint64_t blocks_new = 0;
  uint64_t blocks_gone = 0;
  uint64_t bytes_new = 0;
  uint64_t bytes_gone = 0;
};

}  // namespace spillway::blockfile
