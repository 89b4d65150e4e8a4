#include "internal/blockfile/space_map.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "internal/base/check.h"

namespace spillway::blockfile {

static_assert(std::endian::native == std::endian::little, "bits are stored as they lie in memory");

namespace {

// The bits of word `word` that the run covers.
uint64_t MaskOf(const PageRun& run, uint64_t word) {
  const uint64_t begin = std::max(run.first, word * 64) - word * 64;
  const uint64_t end = std::min(run.end(), (word + 1) * 64) - word * 64;
  const uint64_t below_end = end == 64 ? ~uint64_t{0} : (uint64_t{1} << end) - 1;
  return below_end & ~((uint64_t{1} << begin) - 1);
}

uint64_t LastWord(const PageRun& run) { return (run.end() - 1) / 64; }

}  // namespace

SpaceMap::SpaceMap(uint64_t leaf_bytes) : words_per_leaf_(leaf_bytes / 8) {
  SPW_CHECK(leaf_bytes >= 8 && leaf_bytes % 8 == 0);
}

void SpaceMap::Grow(uint64_t pages) {
  if (pages <= size_) {
    return;
  }
  const uint64_t leaves = (pages + pages_per_leaf() - 1) / pages_per_leaf();
  leaves_.reserve(leaves);  // so that what follows fails before it has changed anything, or not
  held_bits_.reserve(leaves * words_per_leaf_);
  taken_.resize(leaves * words_per_leaf_, ~uint64_t{0});
  held_bits_.resize(leaves * words_per_leaf_, 0);
  leaves_.resize(leaves);
  const PageRun fresh = {size_, pages - size_};
  for (uint64_t word = fresh.first / 64; word <= LastWord(fresh); ++word) {
    taken_[word] &= ~MaskOf(fresh, word);
  }
  size_ = pages;
  ForLeaves(fresh, [](Leaf* leaf) { leaf->stale = leaf->dirty = true; });
}

uint64_t SpaceMap::leaf_pages(uint64_t leaf) const {
  return std::min(size_, (leaf + 1) * pages_per_leaf()) - leaf * pages_per_leaf();
}

bool SpaceMap::IsFree(uint64_t page) const { return page < size_ && !taken(page); }

bool SpaceMap::IsAll(const PageRun& run, State state) const {
  if (run.pages == 0 || run.pages > size_ || run.first > size_ - run.pages) {
    return false;
  }
  for (uint64_t word = run.first / 64; word <= LastWord(run); ++word) {
    const uint64_t mask = MaskOf(run, word);
    const uint64_t taken_bits = taken_[word] & mask;
    const uint64_t held_bits = held_bits_[word] & mask;
    if (taken_bits != (state == State::kFree ? 0 : mask) ||
        held_bits != (state == State::kHeld ? mask : 0)) {
      return false;
    }
  }
  return true;
}

void SpaceMap::Change(const PageRun& run, State from, State to) {
  for (uint64_t word = run.first / 64; word <= LastWord(run); ++word) {
    const uint64_t mask = MaskOf(run, word);
    taken_[word] = to == State::kFree ? taken_[word] & ~mask : taken_[word] | mask;
    held_bits_[word] = to == State::kHeld ? held_bits_[word] | mask : held_bits_[word] & ~mask;
  }
  used_ += (to == State::kUsed ? run.pages : 0) - (from == State::kUsed ? run.pages : 0);
  held_ += (to == State::kHeld ? run.pages : 0) - (from == State::kHeld ? run.pages : 0);
  ForLeaves(run, [&](Leaf* leaf) {
    leaf->stale = leaf->stale || from == State::kFree || to == State::kFree;
    leaf->dirty = leaf->dirty || from == State::kUsed || to == State::kUsed;
  });
}

// The first page from `page` on whose state differs from that of `page`, or `end`.
uint64_t SpaceMap::NextChange(uint64_t page, uint64_t end) const {
  const uint64_t flip = taken(page) ? ~uint64_t{0} : 0;
  while (page < end) {
    const uint64_t differing = (taken_[page / 64] ^ flip) >> (page % 64);
    if (differing != 0) {
      return std::min(end, page + static_cast<uint64_t>(std::countr_zero(differing)));
    }
    page = (page / 64 + 1) * 64;
  }
  return end;
}

PageRun SpaceMap::NextFree(uint64_t page) const {
  if (page < size_ && taken(page)) {
    page = NextChange(page, size_);
  }
  return page < size_ ? PageRun{page, NextChange(page, size_) - page} : PageRun{};
}

void SpaceMap::Summarize(uint64_t leaf) {
  Leaf& summary = leaves_[leaf];
  if (!summary.stale) {
    return;
  }
  const uint64_t begin = leaf * pages_per_leaf();
  const uint64_t end = begin + leaf_pages(leaf);
  summary.longest = summary.prefix = summary.suffix = 0;
  for (uint64_t page = begin; page < end;) {
    const uint64_t next = NextChange(page, end);
    if (!taken(page)) {
      summary.longest = std::max(summary.longest, next - page);
      summary.prefix = page == begin ? next - page : summary.prefix;
      summary.suffix = next == end ? next - page : summary.suffix;
    }
    page = next;
  }
  summary.stale = false;
}

// Where the first free run of that length within the leaf begins; there is one.
uint64_t SpaceMap::FindInLeaf(uint64_t leaf, uint64_t pages) const {
  const uint64_t end = leaf * pages_per_leaf() + leaf_pages(leaf);
  uint64_t page = leaf * pages_per_leaf();
  for (;;) {
    const uint64_t next = NextChange(page, end);
    if (!taken(page) && next - page >= pages) {
      return page;
    }
    SPW_CHECK(next < end);
    page = next;
  }
}

// Where the last free run of that length within the leaf ends; there is one.
uint64_t SpaceMap::FindLastInLeaf(uint64_t leaf, uint64_t pages) const {
  const uint64_t end = leaf * pages_per_leaf() + leaf_pages(leaf);
  uint64_t found = 0;
  for (uint64_t page = leaf * pages_per_leaf(); page < end;) {
    const uint64_t next = NextChange(page, end);
    found = !taken(page) && next - page >= pages ? next : found;
    page = next;
  }
  SPW_CHECK(found > 0);
  return found;
}

std::optional<PageRun> SpaceMap::Hold(uint64_t pages, uint64_t below) {
  SPW_DCHECK(pages > 0);
  uint64_t carry = 0;  // free pages right before this leaf
  for (uint64_t leaf = 0; leaf < leaves_.size(); ++leaf) {
    Summarize(leaf);
    const Leaf& summary = leaves_[leaf];
    const uint64_t begin = leaf * pages_per_leaf();
    PageRun run;
    if (carry + summary.prefix >= pages) {
      run = {begin - carry, pages};
    } else if (summary.longest >= pages) {
      run = {FindInLeaf(leaf, pages), pages};
    } else {
      carry = summary.prefix == leaf_pages(leaf) ? carry + summary.prefix : summary.suffix;
      continue;
    }
    if (run.end() > below) {  // and so would all that follow
      break;
    }
    Change(run, State::kFree, State::kHeld);
    return run;
  }
  return std::nullopt;
}

std::optional<PageRun> SpaceMap::HoldLast(uint64_t pages) {
  SPW_DCHECK(pages > 0);
  uint64_t carry = 0;  // free pages right behind this leaf
  for (uint64_t leaf = leaves_.size(); leaf-- > 0;) {
    Summarize(leaf);
    const Leaf& summary = leaves_[leaf];
    const uint64_t leaf_end = leaf * pages_per_leaf() + leaf_pages(leaf);
    uint64_t end = 0;
    if (summary.suffix + carry >= pages) {
      end = leaf_end + carry;
    } else if (summary.longest >= pages) {
      end = FindLastInLeaf(leaf, pages);
    } else {
      carry = summary.suffix == leaf_pages(leaf) ? carry + summary.suffix : summary.prefix;
      continue;
    }
    const PageRun run = {end - pages, pages};
    Change(run, State::kFree, State::kHeld);
    return run;
  }
  return std::nullopt;
}

uint64_t SpaceMap::longest_free() {
  uint64_t carry = 0;
  uint64_t longest = 0;
  for (uint64_t leaf = 0; leaf < leaves_.size(); ++leaf) {
    Summarize(leaf);
    const Leaf& summary = leaves_[leaf];
    longest = std::max({longest, carry + summary.prefix, summary.longest});
    carry = summary.prefix == leaf_pages(leaf) ? carry + summary.prefix : summary.suffix;
  }
  return longest;
}

std::optional<PageRun> SpaceMap::HoldUpTo(uint64_t pages) {
  const uint64_t longest = longest_free();
  return longest == 0 ? std::nullopt : Hold(std::min(longest, pages));
}

uint64_t SpaceMap::pages_used_from(uint64_t page) const {
  if (page >= size_) {
    return 0;
  }
  const PageRun run = {page, size_ - page};
  uint64_t used = 0;
  for (uint64_t word = page / 64; word <= LastWord(run); ++word) {
    used +=
        static_cast<uint64_t>(std::popcount(taken_[word] & ~held_bits_[word] & MaskOf(run, word)));
  }
  return used;
}

bool SpaceMap::HoldAt(const PageRun& run) {
  const bool right = IsAll(run, State::kFree);
  if (right) {
    Change(run, State::kFree, State::kHeld);
  }
  return right;
}

bool SpaceMap::Keep(const PageRun& run) {
  const bool right = IsAll(run, State::kHeld);
  if (right) {
    Change(run, State::kHeld, State::kUsed);
  }
  return right;
}

bool SpaceMap::Release(const PageRun& run) {
  const bool right = IsAll(run, State::kUsed);
  if (right) {
    Change(run, State::kUsed, State::kHeld);
  }
  return right;
}

bool SpaceMap::Free(const PageRun& run) {
  const bool right = IsAll(run, State::kHeld);
  if (right) {
    Change(run, State::kHeld, State::kFree);
  }
  return right;
}

void SpaceMap::Shrink(uint64_t pages) {
  SPW_CHECK(pages <= size_ && size_ - pages <= free_at_end());
  if (pages == size_) {
    return;
  }
  const PageRun gone = {pages, size_ - pages};
  const uint64_t leaves = (pages + pages_per_leaf() - 1) / pages_per_leaf();
  for (uint64_t word = gone.first / 64; word <= LastWord(gone); ++word) {
    taken_[word] |= MaskOf(gone, word);
  }
  ForLeaves(gone, [](Leaf* leaf) { leaf->stale = leaf->dirty = true; });
  size_ = pages;
  taken_.resize(leaves * words_per_leaf_);
  held_bits_.resize(leaves * words_per_leaf_);
  leaves_.resize(leaves);
}

uint64_t SpaceMap::free_at_end() {
  uint64_t free = 0;
  for (uint64_t leaf = leaves_.size(); leaf-- > 0;) {
    Summarize(leaf);
    free += leaves_[leaf].suffix;
    if (leaves_[leaf].suffix < leaf_pages(leaf)) {
      break;
    }
  }
  return free;
}

void SpaceMap::EncodeLeaf(uint64_t leaf, std::span<uint8_t> bytes) const {
  SPW_CHECK(bytes.size() == words_per_leaf_ * 8);
  for (uint64_t i = 0; i < words_per_leaf_; ++i) {
    const uint64_t word = leaf * words_per_leaf_ + i;
    uint64_t bits = taken_[word] & ~held_bits_[word];
    if ((word + 1) * 64 > size_) {  // pages that do not exist
      bits &= size_ <= word * 64 ? 0 : (uint64_t{1} << (size_ - word * 64)) - 1;
    }
    std::memcpy(bytes.data() + i * 8, &bits, 8);
  }
}

bool SpaceMap::LoadLeaf(uint64_t leaf, std::span<const uint8_t> bytes) {
  SPW_CHECK(bytes.size() == words_per_leaf_ * 8);
  uint64_t used = 0;
  for (uint64_t i = 0; i < words_per_leaf_; ++i) {
    const uint64_t word = leaf * words_per_leaf_ + i;
    uint64_t bits = 0;
    std::memcpy(&bits, bytes.data() + i * 8, 8);
    const uint64_t absent = (word + 1) * 64 <= size_ ? 0
                            : size_ <= word * 64     ? ~uint64_t{0}
                                                     : ~((uint64_t{1} << (size_ - word * 64)) - 1);
    if ((bits & absent) != 0) {
      return false;
    }
    taken_[word] = bits | absent;
    used += static_cast<uint64_t>(std::popcount(bits));
  }
  used_ += used;
  leaves_[leaf].stale = true;
  leaves_[leaf].dirty = false;
  return true;
}

}  // namespace spillway::blockfile
