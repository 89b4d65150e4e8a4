// Payloads that wait, in memory as they will lie in the file: each from a page on, zeros behind it,
// one after another.
//
// Places are given out under the owner's mutex, and filled without it; a place that was given out
// never moves. Pieces of memory are recycled, because fresh memory costs several times the copy
// into it.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "internal/base/check.h"
#include "internal/blockfile/codec.h"
#include "internal/memory/arena.h"

namespace spillway::blockfile {

// Pieces of memory that are not needed now. Thread-safe, without a mutex: images end wherever their
// last reader lets go of them.
class PieceStore {
 public:
  static constexpr uint64_t kPieceBytes = uint64_t{2} << 20;  // a huge page
  using Piece = memory::Arena;

  PieceStore() = default;
  ~PieceStore();
  PieceStore(const PieceStore&) = delete;
  PieceStore& operator=(const PieceStore&) = delete;

  Piece Take();
  void GiveBack(Piece piece) noexcept;

 private:
  std::array<std::atomic<uint8_t*>, 32> kept_{};
};

class Image {
 public:
  // Never holds more than pieces_most; so its table of pieces does not move while others fill it.
  Image(uint64_t page_bytes, std::shared_ptr<PieceStore> store, size_t pieces_most);
  ~Image();
  Image(const Image&) = delete;
  Image& operator=(const Image&) = delete;

  uint64_t pages() const { return pages_.load(std::memory_order_relaxed); }
  // How many pieces have to be added before so many pages more can be given out.
  size_t pieces_missing(uint64_t pages) const;
  size_t pieces_left() const { return pieces_.capacity() - pieces_.size(); }
  void AddPiece(PieceStore::Piece piece) {
    SPW_DCHECK(pieces_left() > 0);
    pieces_.push_back(std::move(piece));
  }
  // The first of so many pages, the caller's from now on.
  uint64_t GiveOut(uint64_t pages);
  // Forgets what was given out after it had so many pages.
  void Cut(uint64_t pages) { pages_.store(pages, std::memory_order_relaxed); }

  void Write(uint64_t offset, Bytes bytes);
  void Zero(uint64_t offset, uint64_t bytes);
  void Read(uint64_t offset, std::span<uint8_t> to) const;
  // What stands there without a break, at most `bytes`.
  Bytes Contiguous(uint64_t offset, uint64_t bytes) const;

 private:
  const uint64_t page_bytes_;
  const std::shared_ptr<PieceStore> store_;
  // Relaxed: the writer adds lists to a sealed image while others count what waits.
  std::atomic<uint64_t> pages_{0};
  std::vector<PieceStore::Piece> pieces_;
};

}  // namespace spillway::blockfile
