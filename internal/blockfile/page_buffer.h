// A page in memory that passed its digest: shared and immutable.
//
// It remembers that it was found to be a node of the tree, so that its entries are checked once and
// not at each visit, and keeps a few bytes of each key side by side, so that a search waits for
// memory twice and not at each comparison (tree_node.cc fills that in). One allocation holds
// everything; beside the bytes of the page it has a quarter as many for itself.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <utility>

#include "internal/blockfile/digest.h"

namespace spillway::blockfile {

// Where a page is and what it must hold. Page 0 holds a superblock, so it says "none".
struct PageRef {
  uint64_t page = 0;
  Digest digest;
  bool empty() const { return page == 0; }
  friend bool operator==(const PageRef&, const PageRef&) = default;
};

// What is known of a page. Whoever changes kUnknown to kBuilding fills in the rest, once; others do
// without until it is kBuilt.
struct NodeIndex {
  enum State : uint8_t { kUnknown, kBuilding, kBuilt };
  std::atomic<State> state{
      kUnknown};              // release with kBuilt: publishes the rest; acquire to read it
  uint8_t level = 0;          // it is a node of that level
  uint16_t digest_bytes = 0;  // if digests take so many bytes
  uint16_t prefix_bytes = 0;  // which all keys have in common
  uint32_t heads = 0;         // how many are filled in: all or none
};

// The first bytes of a key, as a number in the order of the keys, and where its entry begins.
struct KeyHead {
  uint32_t head;
  uint32_t at;
};

class PageBuffer {
 public:
  PageBuffer() = default;
  // The page that the reference means.
  static PageBuffer CopyOf(const PageRef& ref, std::span<const uint8_t> bytes);
  // The same, to be filled in through *bytes before it is shared.
  static PageBuffer New(const PageRef& ref, uint64_t page_bytes, std::span<uint8_t>* bytes);

  PageBuffer(const PageBuffer& other) : page_(other.page_) {
    if (page_ != nullptr) {
      page_->references.fetch_add(1, std::memory_order_relaxed);  // other's keeps it alive
    }
  }
  PageBuffer(PageBuffer&& other) noexcept : page_(std::exchange(other.page_, nullptr)) {}
  PageBuffer& operator=(PageBuffer other) noexcept {
    std::swap(page_, other.page_);
    return *this;
  }
  ~PageBuffer() {
    // acq_rel: the last one to go sees what all others did with the page.
    if (page_ != nullptr && page_->references.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      Free(page_);
    }
  }

  explicit operator bool() const { return page_ != nullptr; }
  const PageRef& ref() const { return page_->ref; }
  uint64_t size() const { return page_->bytes; }
  const uint8_t* get() const { return own() + OwnBytes(page_->bytes); }

  // Starts loading what a search reads first of a page with as many entries as most have: at once,
  // and not one line after the other.
  void Prefetch() const {
    constexpr uint64_t kLine = 64;
    for (uint64_t line = 0; line < 6; ++line) {
      __builtin_prefetch(reinterpret_cast<const uint8_t*>(page_) + line * kLine);
    }
  }

  // For the cache; relaxed, for a flag that is seen late only evicts another page.
  void Look() const {
    if (!page_->looked_at.load(std::memory_order_relaxed)) {
      page_->looked_at.store(true, std::memory_order_relaxed);
    }
  }
  bool ForgetLook() const { return page_->looked_at.exchange(false, std::memory_order_relaxed); }

  NodeIndex& index() const { return page_->index; }
  // Room for those that the index counts.
  std::span<KeyHead> heads() const {
    return {reinterpret_cast<KeyHead*>(own()), OwnBytes(page_->bytes) / sizeof(KeyHead)};
  }

 private:
  struct Page {
    std::atomic<uint32_t> references{1};
    uint32_t bytes = 0;
    PageRef ref;
    NodeIndex index;
    std::atomic<bool> looked_at{false};
  };
  static_assert(sizeof(Page) == 64, "a cache line, so that a look at the page is one");

  // All in all a size that allocators have: 5/4 of the page.
  static uint64_t OwnBytes(uint64_t page_bytes) { return page_bytes / 4 - sizeof(Page); }
  uint8_t* own() const { return reinterpret_cast<uint8_t*>(page_ + 1); }
  static void Free(Page* page);

  Page* page_ = nullptr;  // behind it what the page has for itself, then its bytes
};

}  // namespace spillway::blockfile
