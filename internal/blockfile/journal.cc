#include "internal/blockfile/journal.h"

#include <algorithm>

namespace spillway::blockfile {

using base::Status;

void Journal::Start(const PageRun& region, uint64_t salt) {
  region_ = region;
  next_page_ = region.first;
  salt_ = salt;
  frames_ = last_sum_ = pages_written_ = 0;
  frame_pages_.clear();
}

Status Journal::StartAt(uint64_t page, uint64_t salt) {
  uint64_t pages = 0;
  while (pages < region_pages_ && space_->map().IsFree(page + pages)) {
    ++pages;
  }
  if (pages == 0 || !space_->map().AllocateAt({page, pages})) {
    return base::Corrupt("block file: the journal begins in a page that is in use");
  }
  Start({page, pages}, salt);
  return {};
}

Status Journal::Reserve(uint64_t frame_pages, uint64_t data_pages, Place* place) {
  const uint64_t pages = frame_pages + data_pages;
  *place = {};
  if (pages < region_.end() - next_page_) {  // and one more, for the frame that follows
    place->frame_page = next_page_;
    return {};
  }
  SPW_RETURN_IF_ERROR(space_->Allocate(std::max(pages + 1, region_pages_), &place->fresh_region));
  place->frame_page = place->fresh_region.first;
  return {};
}

Status Journal::Cancel(const Place& place) { return space_->GiveBack(place.fresh_region); }

Status Journal::WriteFrame(const Place& place, const std::vector<TreeChange>& changes,
                           uint64_t frame_pages, uint64_t data_pages) {
  pending_ = {};
  pending_.salt = salt_;
  pending_.number = frames_ + 1;
  pending_.previous_sum = last_sum_;
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
  return file_->WriteAt(place.frame_page * space_->page_bytes(), buffer_);
}

void Journal::Advance(const Place& place, uint64_t frame_pages, uint64_t data_pages) {
  if (place.fresh_region.pages > 0) {
    frame_pages_.push_back({next_page_, 1});
    const Status status = space_->GiveBack({next_page_ + 1, region_.end() - next_page_ - 1});
    SPW_CHECK(status.ok());
    region_ = place.fresh_region;
    ++pages_written_;
  }
  frame_pages_.push_back({place.frame_page, frame_pages});
  next_page_ = place.frame_page + frame_pages + data_pages;
  pages_written_ += frame_pages + data_pages;
  frames_ = pending_.number;
  last_sum_ = pending_.sum;
}

}  // namespace spillway::blockfile
