#include "internal/blockfile/space.h"

#include <algorithm>
#include <string>
#include <utility>

namespace spillway::blockfile {

using base::Code;
using base::Status;

namespace {

// A page that is not in the state it must be in: somebody counted it twice. Going on would hand out
// pages that hold data.
Status Wrong(const char* what, const PageRun& run) {
  return base::Corrupt(std::string("block file: pages [") + std::to_string(run.first) + ", " +
                       std::to_string(run.end()) + ") " + what);
}

}  // namespace

Status Space::Grow(uint64_t pages) {
  const uint64_t step =
      std::clamp(map_.size() / 8, policy_.growth_pages_least, policy_.growth_pages_most);
  // What is free at the end already counts.
  const uint64_t least = pages - std::min(pages, map_.free_at_end());
  const uint64_t before = map_.size();
  uint64_t grown = std::max(step, least);
  Status status = file_->Reserve(before * page_bytes_, grown * page_bytes_);
  if (status.code() == Code::kFull && least < step) {  // perhaps there is room for less
    grown = least;
    status = file_->Reserve(before * page_bytes_, grown * page_bytes_);
  }
  SPW_RETURN_IF_ERROR(status);
  map_.Grow(before + grown);
  fresh_from_ = std::min(fresh_from_, before);
  return {};
}

void Space::Shrink(uint64_t pages) {
  map_.Shrink(pages);
  fresh_from_ = std::min(fresh_from_, pages);
}

template <class Try>
Status Space::FromReserve(const Status& full, Try&& attempt) {
  if (full.code() != Code::kFull || reserve_.pages == 0) {
    return full;
  }
  SPW_RETURN_IF_ERROR(GiveBack(std::exchange(reserve_, PageRun())));
  const bool found = attempt();
  reserve_ = map_.HoldUpTo(policy_.reserve_pages).value_or(PageRun());
  return found ? Status() : full;
}

Status Space::Hold(uint64_t pages, Need need, PageRun* run) {
  const auto attempt = [&] {
    std::optional<PageRun> found = map_.Hold(pages, preferred_end_);
    if (!found.has_value() && preferred_end_ != UINT64_MAX) {
      found = map_.Hold(pages);
    }
    *run = found.value_or(PageRun());
    fresh_from_ = std::max(fresh_from_, run->end());
    return found.has_value();
  };
  if (attempt()) {
    return {};
  }
  const Status grown = Grow(pages);
  if (grown.ok()) {
    SPW_CHECK(attempt());
    return {};
  }
  return need == Need::kUrgent ? FromReserve(grown, attempt) : grown;
}

PageRun Space::HoldShorter(uint64_t least, uint64_t pages, uint64_t below) {
  for (uint64_t wanted = pages;; wanted = std::max(wanted / 2, least)) {
    const std::optional<PageRun> found = map_.Hold(wanted, below);
    if (found.has_value() || wanted <= least) {
      return found.value_or(PageRun());
    }
  }
}

PageRun Space::HoldPreferred(uint64_t least, uint64_t pages) {
  const PageRun run = HoldShorter(least, pages, preferred_end_);
  fresh_from_ = std::max(fresh_from_, run.end());
  return run;
}

Status Space::HoldRegion(uint64_t least, uint64_t pages, Need need, PageRun* run) {
  *run = HoldShorter(std::min(least, pages), pages, std::min(fresh_from_, preferred_end_));
  return run->pages > 0 ? Status() : Hold(pages, need, run);
}

Status Space::HoldUpTo(uint64_t pages, Need need, PageRun* run) {
  if (preferred_end_ != UINT64_MAX) {
    *run = HoldPreferred(1, pages);
    if (run->pages > 0) {
      return {};
    }
  }
  const std::optional<PageRun> found = map_.HoldUpTo(pages);
  if (found.has_value()) {
    *run = *found;
    fresh_from_ = std::max(fresh_from_, run->end());
    return {};
  }
  const Status status = Hold(pages, need, run);
  if (status.code() != Code::kFull || need != Need::kUrgent) {
    return status;
  }
  return FromReserve(status, [&] {
    *run = map_.HoldUpTo(pages).value_or(PageRun());
    return run->pages > 0;
  });
}

Status Space::Keep(const PageRun& run) {
  return run.pages == 0 || map_.Keep(run) ? Status() : Wrong("were taken twice", run);
}

Status Space::GiveBack(const PageRun& run) {
  const bool right = run.pages == 0 || map_.Free(run) || (map_.Release(run) && map_.Free(run));
  return right ? Status() : Wrong("were given back, though they are not in use", run);
}

Status Space::Release(const PageRun& run) {
  current_.push_back(run);
  if (!map_.Release(run)) {
    current_.pop_back();
    return Wrong("are named by the registry, but the space map says that they are free", run);
  }
  released_pages_ += run.pages;
  return {};
}

Status Space::TakeBackReleases(size_t count) {
  for (; current_.size() > count; current_.pop_back()) {
    if (!map_.Keep(current_.back())) {
      return Wrong("were taken back, though they were not released", current_.back());
    }
    released_pages_ -= current_.back().pages;
  }
  return {};
}

void Space::PrepareEnd() {
  if (spare_.empty()) {
    spare_.emplace_back();
  }
}

void Space::EndGeneration(const std::weak_ptr<const void>& pin) noexcept {
  spare_.front().pin = pin;
  spare_.front().runs.swap(current_);
  released_pages_ = 0;
  waiting_.splice(waiting_.end(), spare_);
}

Status Space::Reclaim() {
  for (; !waiting_.empty() && waiting_.front().pin.expired(); waiting_.pop_front()) {
    for (const PageRun& run : waiting_.front().runs) {
      if (!map_.Free(run)) {
        return Wrong("were released, but are not any more", run);
      }
    }
  }
  return {};
}

Status Space::MakeRoom(uint64_t pages) {
  return map_.longest_free() >= pages ? Status() : Grow(pages);
}

void Space::FillReserve(MayGrow may_grow) {
  if (reserve_.pages >= policy_.reserve_pages) {
    return;
  }
  // Far behind: a closed file has none, and what is in front of it stays.
  std::optional<PageRun> found = map_.HoldLast(policy_.reserve_pages);
  if (!found.has_value() && may_grow == MayGrow::kYes) {
    found = Grow(policy_.reserve_pages).ok() ? map_.HoldLast(policy_.reserve_pages)
                                             : map_.HoldUpTo(policy_.reserve_pages);
  }
  const PageRun fresh = found.value_or(PageRun());
  // The larger of the two.
  const PageRun other = fresh.pages > reserve_.pages ? std::exchange(reserve_, fresh) : fresh;
  const Status status = GiveBack(other);
  SPW_CHECK(status.ok());
}

Status Space::MoveReserve() {
  if (reserve_.pages == 0) {
    return {};
  }
  const PageRun old = reserve_;
  SPW_RETURN_IF_ERROR(DropReserve());
  const PageRun first = map_.Hold(old.pages).value_or(PageRun());  // at the latest where it was
  // There may be a hole, for which the disk has no room.
  if (first == old || file_->Reserve(first.first * page_bytes_, first.pages * page_bytes_).ok()) {
    reserve_ = first;
    return {};
  }
  SPW_RETURN_IF_ERROR(GiveBack(first));
  SPW_CHECK(map_.HoldAt(old));
  reserve_ = old;
  return {};
}

Status Space::DropReserve() { return GiveBack(std::exchange(reserve_, PageRun())); }

}  // namespace spillway::blockfile
