#include "internal/blockfile/space.h"

#include <algorithm>
#include <string>
#include <utility>

namespace spillway::blockfile {

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
  const uint64_t step = std::clamp(map_.size() / 8, growth_.pages_least, growth_.pages_most);
  // What is free at the end already counts.
  const uint64_t wanted = map_.size() + std::max(step, pages - std::min(pages, map_.free_at_end()));
  SPW_RETURN_IF_ERROR(file_->Truncate(wanted * page_bytes_));
  map_.Grow(wanted);
  return {};
}

Status Space::Allocate(uint64_t pages, PageRun* run) {
  std::optional<PageRun> found = map_.Allocate(pages);
  if (!found.has_value()) {
    SPW_RETURN_IF_ERROR(Grow(pages));
    found = map_.Allocate(pages);
    SPW_CHECK(found.has_value());
  }
  *run = *found;
  return {};
}

Status Space::AllocateUpTo(uint64_t pages, PageRun* run) {
  const std::optional<PageRun> found = map_.AllocateUpTo(pages);
  if (found.has_value()) {
    *run = *found;
    return {};
  }
  return Allocate(pages, run);
}

Status Space::GiveBack(const PageRun& run) {
  return run.pages == 0 || (map_.Release(run) && map_.Reclaim(run))
             ? Status()
             : Wrong("were given back, though they are not in use", run);
}

Status Space::Release(const PageRun& run) {
  current_.push_back(run);
  if (!map_.Release(run)) {
    current_.pop_back();
    return Wrong("are named by the registry, but the space map says that they are free", run);
  }
  return {};
}

Status Space::TakeBackReleases(size_t count) {
  for (; current_.size() > count; current_.pop_back()) {
    if (!map_.Restore(current_.back())) {
      return Wrong("were taken back, though they were not released", current_.back());
    }
  }
  return {};
}

void Space::EndGeneration(const GenerationPin& ending) {
  waiting_.push_back(Batch{ending, std::exchange(current_, {})});
}

Status Space::Reclaim() {
  for (; !waiting_.empty() && waiting_.front().pin.expired(); waiting_.pop_front()) {
    for (const PageRun& run : waiting_.front().runs) {
      if (!map_.Reclaim(run)) {
        return Wrong("were released, but are not any more", run);
      }
    }
  }
  return {};
}

}  // namespace spillway::blockfile
