#include "internal/blockfile/page_store.h"

#include <algorithm>
#include <string>
#include <utility>

namespace spillway::blockfile {

using base::MutexLock;
using base::Status;

static constexpr uint64_t kRunPages = 64;

Status PageStore::Read(const PageRef& ref, PageBuffer* page) {
  if (cache_.Find(ref, page)) {
    return {};
  }
  {
    MutexLock lock(mu_);
    if (const auto found = unwritten_.find(ref.page); found != unwritten_.end()) {
      *page = found->second;
      return {};
    }
  }
  SPW_RETURN_IF_ERROR(ReadUncached(ref, page));
  cache_.Keep(*page);
  return {};
}

Status PageStore::ReadUncached(const PageRef& ref, PageBuffer* page) {
  std::span<uint8_t> bytes;
  PageBuffer buffer = PageBuffer::New(ref, page_bytes(), &bytes);
  size_t bytes_read = 0;
  SPW_RETURN_IF_ERROR(file_->ReadAt(ref.page * page_bytes(), bytes, &bytes_read));
  if (bytes_read < bytes.size() || !(digester_.OfPage(bytes) == ref.digest)) {
    return base::Corrupt(
        file_->path() + ": page " + std::to_string(ref.page) + " at offset " +
        std::to_string(ref.page * page_bytes()) +
        (bytes_read < page_bytes() ? ": the file ends before it" : ": not what the registry says"));
  }
  *page = std::move(buffer);
  return {};
}

void PageStore::Begin() {
  taken_.clear();
  releases_before_ = space_->releases();
}

Status PageStore::Write(std::span<const uint8_t> page, PageRef* ref) {
  if (run_.pages == 0) {
    SPW_RETURN_IF_ERROR(WriteOut());
    taken_.reserve(taken_.size() + 1);  // else nobody would give the run back
    SPW_RETURN_IF_ERROR(space_->HoldUpTo(kRunPages, Space::Need::kUrgent, &run_));
    SPW_RETURN_IF_ERROR(space_->Keep(run_));
    taken_.push_back(run_);
  }
  *ref = {run_.first, digester_.OfPage(page)};
  buffer_.insert(buffer_.end(), page.begin(), page.end());
  PageBuffer copy = PageBuffer::CopyOf(*ref, page);
  MutexLock lock(mu_);
  unwritten_[ref->page] = std::move(copy);
  ++run_.first;
  --run_.pages;
  return {};
}

Status PageStore::Release(const PageRef& ref) { return space_->Release({ref.page, 1}); }

// What was written comes into the cache, for it is likely to be read next.
Status PageStore::WriteOut() {
  if (buffer_.empty()) {
    return {};
  }
  const uint64_t first = run_.first - buffer_.size() / page_bytes();
  SPW_RETURN_IF_ERROR(file_->WriteAt(first * page_bytes(), buffer_));
  buffer_.clear();
  std::unordered_map<uint64_t, PageBuffer> written;
  {
    MutexLock lock(mu_);
    written.swap(unwritten_);
  }
  for (const auto& [number, page] : written) {
    cache_.Keep(page);
  }
  return {};
}

Status PageStore::End() {
  SPW_RETURN_IF_ERROR(WriteOut());
  const PageRun left = std::exchange(run_, PageRun());
  if (left.pages > 0) {
    taken_.back().pages -= left.pages;
  }
  return space_->GiveBack(left);
}

Status PageStore::Abort() {
  {
    MutexLock lock(mu_);
    unwritten_.clear();
  }
  buffer_.clear();
  run_ = {};
  SPW_RETURN_IF_ERROR(space_->TakeBackReleases(releases_before_));
  for (const PageRun& run : taken_) {
    SPW_RETURN_IF_ERROR(space_->GiveBack(run));
  }
  taken_.clear();
  return {};
}

}  // namespace spillway::blockfile
