#include "internal/memory/reservation.h"

#include <algorithm>

namespace spillway::memory {

base::Status Reservation::Fill(const Request& request, Grant* grant,
                               const std::vector<uint64_t>& own_arenas) {
  account_ = request.account;
  clean_ = request.clean;
  if (request.arenas > 0) {
    arena_bytes_ = request.arena_bytes;
  }
  records_ += request.records;
  grant->dropped = ArenaList();  // unmapped before anything is mapped in its place
  uint64_t unmapped_bytes = request.bytes();
  base::Status status = base::CatchToStatus([&]() -> base::Status {
    arenas_.reserve(arenas_.size() + request.arenas + own_arenas.size());
    while (!grant->recycled.empty()) {
      arenas_.push_back(grant->recycled.Pop());
      unmapped_bytes -= arena_bytes_;
    }
    const auto map = [&](uint64_t bytes) -> base::Status {
      base::Result<Arena> arena = Arena::Map(bytes);
      SPW_RETURN_IF_ERROR(arena.status());
      arenas_.push_back(std::move(arena.value()));
      unmapped_bytes -= bytes;
      return {};
    };
    for (const uint64_t bytes : own_arenas) {
      SPW_RETURN_IF_ERROR(map(bytes));
    }
    while (unmapped_bytes > 0) {
      SPW_RETURN_IF_ERROR(map(arena_bytes_));
    }
    return {};
  });
  if (!status.ok()) {
    ArenaList unused = std::move(grant->recycled);
    while (!unused.empty()) {
      Arena arena = unused.Pop();
      unmapped_bytes -= arena.bytes();
      const uint64_t bytes = arena.bytes();
      budget_->Return(account_, std::move(arena), bytes, 0, clean_);
    }
    budget_->Return(account_, Arena(), unmapped_bytes, 0, clean_);
    GiveBack();
  }
  return status;
}

void Reservation::GiveBack() {
  for (Arena& arena : arenas_) {
    const uint64_t bytes = arena.bytes();
    budget_->Return(account_, std::move(arena), bytes, 0, clean_);
  }
  arenas_.clear();
  if (records_ > 0) {
    budget_->Return(account_, Arena(), 0, records_, clean_);
    records_ = 0;
  }
}

uint64_t Reservation::CountOf(uint64_t bytes) const {
  return static_cast<uint64_t>(std::count_if(
      arenas_.begin(), arenas_.end(), [&](const Arena& arena) { return arena.bytes() == bytes; }));
}

Arena Reservation::Take(uint64_t bytes) {
  const auto found = std::find_if(arenas_.begin(), arenas_.end(),
                                  [&](const Arena& arena) { return arena.bytes() == bytes; });
  SPW_CHECK(found != arenas_.end());
  Arena arena = std::move(*found);
  arenas_.erase(found);
  return arena;
}

}  // namespace spillway::memory
