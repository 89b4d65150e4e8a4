#include "internal/blockfile/image.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "internal/base/bytes.h"
#include "internal/base/check.h"

namespace spillway::blockfile {

static constexpr uint64_t kPieceBytes = PieceStore::kPieceBytes;

PieceStore::~PieceStore() {
  for (std::atomic<uint8_t*>& slot : kept_) {
    const Piece piece(slot.load(), kPieceBytes);
  }
}

PieceStore::Piece PieceStore::Take() {
  for (std::atomic<uint8_t*>& slot : kept_) {
    if (slot.load(std::memory_order_relaxed) != nullptr) {
      if (uint8_t* const piece = slot.exchange(nullptr, std::memory_order_acquire)) {
        return {piece, kPieceBytes};
      }
    }
  }
  base::Result<Piece> fresh = Piece::Map(kPieceBytes);
  if (!fresh.ok()) {
    throw std::bad_alloc();
  }
  return std::move(fresh.value());
}

void PieceStore::GiveBack(Piece piece) noexcept {
  for (std::atomic<uint8_t*>& slot : kept_) {
    uint8_t* empty = nullptr;
    if (slot.compare_exchange_strong(empty, piece.data(), std::memory_order_release,
                                     std::memory_order_relaxed)) {
      static_cast<void>(piece.Leave());
      return;
    }
  }
}

Image::Image(uint64_t page_bytes, std::shared_ptr<PieceStore> store, size_t pieces_most)
    : page_bytes_(page_bytes), store_(std::move(store)) {
  pieces_.reserve(pieces_most);
}

Image::~Image() {
  for (PieceStore::Piece& piece : pieces_) {
    store_->GiveBack(std::move(piece));
  }
}

size_t Image::pieces_missing(uint64_t pages) const {
  const uint64_t needed = base::CeilDiv((this->pages() + pages) * page_bytes_, kPieceBytes);
  return needed > pieces_.size() ? needed - pieces_.size() : 0;
}

uint64_t Image::GiveOut(uint64_t pages) {
  SPW_DCHECK(pieces_missing(pages) == 0);
  return pages_.fetch_add(pages, std::memory_order_relaxed);
}

void Image::Write(uint64_t offset, Bytes bytes) {
  while (!bytes.empty()) {
    const uint64_t size = std::min<uint64_t>(bytes.size(), kPieceBytes - offset % kPieceBytes);
    std::memcpy(pieces_[offset / kPieceBytes].data() + offset % kPieceBytes, bytes.data(), size);
    bytes = bytes.subspan(size);
    offset += size;
  }
}

void Image::Zero(uint64_t offset, uint64_t bytes) {
  while (bytes > 0) {
    const uint64_t size = std::min(bytes, kPieceBytes - offset % kPieceBytes);
    std::memset(pieces_[offset / kPieceBytes].data() + offset % kPieceBytes, 0, size);
    bytes -= size;
    offset += size;
  }
}

void Image::Read(uint64_t offset, std::span<uint8_t> to) const {
  while (!to.empty()) {
    const Bytes from = Contiguous(offset, to.size());
    std::memcpy(to.data(), from.data(), from.size());
    to = to.subspan(from.size());
    offset += from.size();
  }
}

Bytes Image::Contiguous(uint64_t offset, uint64_t bytes) const {
  return {pieces_[offset / kPieceBytes].data() + offset % kPieceBytes,
          std::min(bytes, kPieceBytes - offset % kPieceBytes)};
}

}  // namespace spillway::blockfile
