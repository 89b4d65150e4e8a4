// Where frames and the data they name are put: one after another in regions of held pages, each
// group (frame, then its data) in one piece, so that a commit is one run of writes and one barrier.
//
// A region that has no room for the next group ends with a frame without changes that says where
// the next region is. Pages of frames stay held until a checkpoint makes them needless. The
// writer's.
#pragma once

#include <cstdint>
#include <vector>

#include "internal/base/status.h"
#include "internal/blockfile/codec.h"
#include "internal/blockfile/frame.h"
#include "internal/blockfile/space.h"

namespace spillway::blockfile {

class Journal {
 public:
  Journal(io::File* file, const Digester& digester, Space* space, uint64_t region_pages)
      : file_(file), digester_(digester), space_(space), region_pages_(region_pages) {}

  // How large regions are from the next on.
  void SetRegion(uint64_t pages) { region_pages_ = pages; }

  // Starts a generation in a region that is held for it. The one before is the caller's from now
  // on: what of() said.
  void Start(const PageRun& region, uint64_t salt);
  // Takes up a generation without frames where a superblock says.
  base::Status StartAt(uint64_t page, uint64_t salt);
  // Holds frames that were replayed; there must be a checkpoint before the next group.
  void Adopt(std::vector<PageRun> frames);
  // Holds a region for the next generation, one page if the file is being closed.
  base::Status HoldNext(bool closing, PageRun* region);

  // A place for a group of so many pages of frame and data, held. Nothing is written, and Cancel
  // undoes it.
  struct Place {
    uint64_t frame_page = 0;  // and right behind the frame its data
    PageRun fresh_region;     // empty: it fits the one there is
  };
  base::Status Reserve(uint64_t frame_pages, uint64_t data_pages, Space::Need need, Place* place);
  base::Status Cancel(const Place& place) { return space_->GiveBack(place.fresh_region); }
  // Writes the frame (and one before it that leads to a fresh region), and right behind it what
  // `data` holds: all of its pages, or none if the caller writes them.
  base::Status WriteFrame(const Place& place, const std::vector<TreeChange>& changes,
                          uint64_t frame_pages, uint64_t data_pages, Bytes data);
  // The group is written: the next goes behind it.
  base::Status Advance(const Place& place, uint64_t frame_pages, uint64_t data_pages);

  // All frames are on the device: those that follow say so. True if a mark has to say it, too,
  // because the next frame may be far from what it would tell of.
  bool Acknowledge();
  void NoteMark() { unmarked_pages_ = 0; }

  // Keeps one page of the region; the rest is the caller's.
  PageRun CutRegion();

  uint64_t frames() const { return frames_; }
  uint64_t pages_written() const { return pages_written_; }
  // All pages that it holds: of frames, which nobody needs once a checkpoint has what they say, and
  // what no frame has taken yet of the region.
  std::vector<PageRun> held() const;

 private:
  io::File* const file_;
  const Digester& digester_;
  Space* const space_;
  uint64_t region_pages_;
  PageRun region_;
  uint64_t next_page_ = 0;  // in region_
  uint64_t salt_ = 0;
  uint64_t frames_ = 0;
  uint64_t acknowledged_ = 0;    // of the frames
  uint64_t unmarked_pages_ = 0;  // from the first frame on that no mark tells of
  uint64_t last_sum_ = 0;
  FrameHeader pending_;  // as WriteFrame wrote it
  uint64_t pages_written_ = 0;
  std::vector<PageRun> frame_pages_;
  std::vector<uint8_t> buffer_;
};

}  // namespace spillway::blockfile
