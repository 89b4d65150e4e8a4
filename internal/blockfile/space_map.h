// Which pages of the file are in use: two bits a page, in memory as on disk.
//
//   free -> held -> used -> held -> free
//
// A page is held while something uses it that the next superblock will not reach: what is being
// written, the journal, a reserve; and what the registry no longer names, until the checkpoint that
// forgot it is durable and no snapshot reaches it (keeps B3; see space.h). On disk a held page is
// free.
//
// Runs of pages are found first fit, over a summary of each leaf (the pages that one page of bits
// describes), so that a search costs a look at each leaf and a scan of one. Nothing is allocated
// but when the file grows. Used by one thread at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "internal/base/status.h"

namespace spillway::blockfile {

// Consecutive pages, at least one.
struct PageRun {
  uint64_t first = 0;
  uint64_t pages = 0;
  uint64_t end() const { return first + pages; }
  friend bool operator==(const PageRun&, const PageRun&) = default;
};

class SpaceMap {
 public:
  // A leaf describes leaf_bytes * 8 pages; leaf_bytes is a multiple of 8.
  explicit SpaceMap(uint64_t leaf_bytes);

  // Pages [0, size()) exist. New ones are free.
  void Grow(uint64_t pages);
  uint64_t size() const { return size_; }
  // Takes free pages off the end.
  void Shrink(uint64_t pages);
  uint64_t pages_used() const { return used_; }
  uint64_t pages_held() const { return held_; }
  uint64_t pages_free() const { return size_ - used_ - held_; }
  // Of the pages from there on.
  uint64_t pages_used_from(uint64_t page) const;

  // The first free run of that length, held from now on; nothing if there is none that ends in
  // front of `below`.
  std::optional<PageRun> Hold(uint64_t pages, uint64_t below = UINT64_MAX);
  // The end of the last free run that is so long.
  std::optional<PageRun> HoldLast(uint64_t pages);
  // The longest of the free runs, `pages` of it at the most; nothing if no page is free.
  std::optional<PageRun> HoldUpTo(uint64_t pages);

  // All false, and nothing changed, if a page is not in the state that this leaves, or not there.
  [[nodiscard]] bool HoldAt(const PageRun& run);   // free -> held
  [[nodiscard]] bool Keep(const PageRun& run);     // held -> used
  [[nodiscard]] bool Release(const PageRun& run);  // used -> held
  [[nodiscard]] bool Free(const PageRun& run);     // held -> free

  bool IsFree(uint64_t page) const;
  bool IsHeld(const PageRun& run) const { return IsAll(run, State::kHeld); }
  bool IsUsed(const PageRun& run) const { return IsAll(run, State::kUsed); }
  // How long the free run is that ends the map, and how long the longest is.
  uint64_t free_at_end();
  uint64_t longest_free();

  // The free pages from `page` on up to one that is not; or the first free run behind it. No pages:
  // there is none.
  PageRun NextFree(uint64_t page) const;
  // Every free run in order, until visit(run) fails.
  template <class Visit>
  base::Status ForEachFree(Visit&& visit) const {
    for (PageRun run = NextFree(0); run.pages > 0; run = NextFree(run.end())) {
      SPW_RETURN_IF_ERROR(visit(run));
    }
    return {};
  }

  // What stands on disk: a bit per page, 1 = used. A leaf is dirty when that has changed since the
  // last CleanLeaf or LoadLeaf.
  uint64_t leaf_count() const { return leaves_.size(); }
  uint64_t pages_per_leaf() const { return words_per_leaf_ * 64; }
  bool leaf_dirty(uint64_t leaf) const { return leaves_[leaf].dirty; }
  void EncodeLeaf(uint64_t leaf, std::span<uint8_t> bytes) const;
  void CleanLeaf(uint64_t leaf) { leaves_[leaf].dirty = false; }
  void DirtyLeaf(uint64_t leaf) { leaves_[leaf].dirty = true; }
  // False if it says that pages beyond size() are used. The leaf must hold free pages only.
  [[nodiscard]] bool LoadLeaf(uint64_t leaf, std::span<const uint8_t> bytes);

 private:
  struct Leaf {
    uint64_t longest = 0;  // free run within it
    uint64_t prefix = 0;   // free run at its begin, at its end
    uint64_t suffix = 0;
    bool stale = true;  // the three above are not up to date
    bool dirty = false;
  };
  enum class State { kFree, kUsed, kHeld };

  bool taken(uint64_t page) const { return taken_[page / 64] >> (page % 64) & 1; }
  bool IsAll(const PageRun& run, State state) const;
  void Change(const PageRun& run, State from, State to);
  void Summarize(uint64_t leaf);
  uint64_t leaf_pages(uint64_t leaf) const;
  uint64_t FindInLeaf(uint64_t leaf, uint64_t pages) const;
  uint64_t FindLastInLeaf(uint64_t leaf, uint64_t pages) const;
  uint64_t NextChange(uint64_t page, uint64_t end) const;
  template <class Visit>  // (Leaf*): of the run
  void ForLeaves(const PageRun& run, Visit&& visit) {
    const uint64_t last = (run.end() - 1) / pages_per_leaf();
    for (uint64_t leaf = run.first / pages_per_leaf(); leaf <= last; ++leaf) {
      visit(&leaves_[leaf]);
    }
  }

  const uint64_t words_per_leaf_;
  uint64_t size_ = 0;
  uint64_t used_ = 0;
  uint64_t held_ = 0;
  // By page, over whole leaves: pages that do not exist are taken and not held.
  std::vector<uint64_t> taken_;  // used or held
  std::vector<uint64_t> held_bits_;
  std::vector<Leaf> leaves_;
};

}  // namespace spillway::blockfile
