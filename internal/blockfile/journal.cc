#include "internal/blockfile/journal.h"

#include <algorithm>

namespace spillway::blockfile {

using base::Status;

void Journal::Start(const PageRun& region, uint64_t salt) {
  region_ = region;
  next_page_ = region.first;
  salt_ = salt;
  frames_ = acknowledged_ = last_sum_ = pages_written_ = 0;
  unmarked_pages_ = kUnmarkedPagesMost;  // a generation's first mark tells of its superblock, too
  frame_pages_.clear();
}

Status Journal::StartAt(uint64_t page, uint64_t salt) {
  uint64_t pages = 0;
  while (pages < region_pages_ && space_->map().IsFree(page + pages)) {
    ++pages;
  }
  if (pages == 0 || !space_->map().HoldAt({page, pages})) {
    return base::Corrupt("block file: the journal begins in a page that is in use");
  }
  Start({page, pages}, salt);
  return {};
}

void Journal::Adopt(std::vector<PageRun> frames) {
  Start({frames.back().end(), 0}, 0);
  frame_pages_ = std::move(frames);
}

// Of the usual size; of a shorter one, the frame that leads on is a small part.
static constexpr uint64_t kShortRegion = 64;

Status Journal::HoldNext(bool closing, PageRun* region) {
  const uint64_t pages = closing ? 1 : region_pages_;
  const uint64_t least = std::max<uint64_t>(1, pages / kShortRegion);
  const Status held = space_->HoldRegion(least, pages, Space::Need::kUsual, region);
  return held.code() == base::Code::kFull ? space_->Hold(1, Space::Need::kUrgent, region) : held;
}

Status Journal::Reserve(uint64_t frame_pages, uint64_t data_pages, Space::Need need, Place* place) {
  const uint64_t pages = frame_pages + data_pages;
  *place = {};
  if (pages < region_.end() - next_page_) {  // and one more, for the frame that follows
    place->frame_page = next_page_;
    return {};
  }
  // What is urgent takes no more than it needs; else there is room for a few groups of that size.
  constexpr uint64_t kGroups = 4;
  const bool urgent = need == Space::Need::kUrgent;
  const uint64_t wanted = urgent ? pages + 1 : std::max(pages + 1, region_pages_);
  const uint64_t least =
      urgent ? wanted
             : std::max({pages + 1, std::min(kGroups * pages, region_pages_ / kGroups),
                         region_pages_ / kShortRegion});
  Status held = space_->HoldRegion(least, wanted, need, &place->fresh_region);
  if (held.code() == base::Code::kFull && wanted > pages + 1) {  // a short one does as well
    held = space_->Hold(pages + 1, need, &place->fresh_region);
  }
  SPW_RETURN_IF_ERROR(held);
  place->frame_page = place->fresh_region.first;
  frame_pages_.reserve(frame_pages_.size() + 2);  // for Advance
  return {};
}

Status Journal::WriteFrame(const Place& place, const std::vector<TreeChange>& changes,
                           uint64_t frame_pages, uint64_t data_pages, Bytes data) {
  pending_ = {};
  pending_.salt = salt_;
  pending_.number = frames_ + 1;
  pending_.previous_sum = last_sum_;
  pending_.acknowledged = acknowledged_;
  if (place.fresh_region.pages > 0) {
    pending_.next_page = place.frame_page;
    buffer_.clear();
    EncodeFrame({}, space_->page_bytes(), digester_, &pending_, &buffer_);
    SPW_RETURN_IF_ERROR(file_->WriteAt(next_page_ * space_->page_bytes(), buffer_));
    pending_.previous_sum = pending_.sum;
    ++pending_.number;
  }
  pending_.next_page = place.frame_page + frame_pages + data_pages;
  buffer_.clear();
  EncodeFrame(changes, space_->page_bytes(), digester_, &pending_, &buffer_);
  SPW_CHECK(buffer_.size() == frame_pages * space_->page_bytes());
  frame_pages_.reserve(frame_pages_.size() + 2);  // for Advance
  buffer_.insert(buffer_.end(), data.begin(), data.end());
  return file_->WriteAt(place.frame_page * space_->page_bytes(), buffer_);
}

Status Journal::Advance(const Place& place, uint64_t frame_pages, uint64_t data_pages) {
  PageRun rest;
  if (place.fresh_region.pages > 0) {
    frame_pages_.push_back({next_page_, 1});
    rest = {next_page_ + 1, region_.end() - next_page_ - 1};
    region_ = place.fresh_region;
    ++pages_written_;
    unmarked_pages_ = kUnmarkedPagesMost;  // nothing that follows stands near
  }
  frame_pages_.push_back({place.frame_page, frame_pages});
  next_page_ = place.frame_page + frame_pages + data_pages;
  pages_written_ += frame_pages + data_pages;
  unmarked_pages_ += frame_pages + data_pages;
  frames_ = pending_.number;
  last_sum_ = pending_.sum;
  return space_->GiveBack(rest);
}

bool Journal::Acknowledge() {
  acknowledged_ = frames_;
  return unmarked_pages_ > kUnmarkedPagesMost;
}

PageRun Journal::CutRegion() {
  const PageRun rest = {next_page_ + 1, region_.end() - next_page_ - 1};
  region_.pages -= rest.pages;
  return rest;
}

std::vector<PageRun> Journal::held() const {
  std::vector<PageRun> runs = frame_pages_;
  if (next_page_ < region_.end()) {
    runs.push_back({next_page_, region_.end() - next_page_});
  }
  return runs;
}

}  // namespace spillway::blockfile
