// Pages as the tree sees them: read by reference and proved against it, written to fresh places.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "internal/base/status.h"
#include "internal/blockfile/digest.h"

namespace spillway::blockfile {

// Where a page is and what it must hold. Page 0 holds a superblock, so it says "none".
struct PageRef {
  uint64_t page = 0;
  Digest digest;
  bool empty() const { return page == 0; }
  friend bool operator==(const PageRef&, const PageRef&) = default;
};

// A page that passed its digest; immutable.
using PageBuffer = std::shared_ptr<const uint8_t[]>;

class PageSource {
 public:
  virtual ~PageSource() = default;
  virtual uint64_t page_bytes() const = 0;
  virtual uint64_t digest_bytes() const = 0;
  // kCorrupt, with the place, if it is not what the reference says.
  virtual base::Status Read(const PageRef& ref, PageBuffer* page) = 0;
};

class PageSink {
 public:
  virtual ~PageSink() = default;
  // Puts the page in a free place; the source can read it from now on.
  virtual base::Status Write(std::span<const uint8_t> page, PageRef* ref) = 0;
  // Nothing will refer to that page any more.
  virtual base::Status Release(const PageRef& ref) = 0;
};

}  // namespace spillway::blockfile
