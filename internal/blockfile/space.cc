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
  Status status = file_->Reserve(before * page_bytes_, std::max(step, least) * page_bytes_);
  uint64_t grown = std::max(step, least);
  if (status.code() == Code::kFull && least < step) {  // perhaps there is room for less
    grown = least;
    status = file_->Reserve(before * page_bytes_, grown * page_bytes_);
  }
  SPW_RETURN_IF_ERROR(status);
  map_.Grow(before + grown);
  fresh_from_ = std::min(fresh_from_, before);
  return {};
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
    const std::optional<PageRun> found = map_.Hold(pages);
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

Status Space::HoldRegion(uint64_t least, uint64_t pages, Need need, PageRun* run) {
  for (uint64_t wanted = pages; wanted >= least;
       wanted = wanted == least ? 0 : std::max(wanted / 2, least)) {
    const std::optional<PageRun> found = map_.Hold(wanted);
    if (found.has_value() && found->end() <= fresh_from_) {
      *run = *found;
      return {};
    }
    SPW_RETURN_IF_ERROR(GiveBack(found.value_or(PageRun())));
  }
  return Hold(pages, need, run);
}

Status Space::HoldUpTo(uint64_t pages, Need need, PageRun* run) {
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

Status Space::DropReserve() { return GiveBack(std::exchange(reserve_, PageRun())); }

}  // namespace spillway::blockfile
