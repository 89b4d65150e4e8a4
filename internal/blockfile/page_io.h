// Pages as the tree sees them: read by reference and proved against it, written to fresh places.
#pragma once

#include <cstdint>
#include <span>

#include "internal/base/status.h"
#include "internal/blockfile/page_buffer.h"

namespace spillway::blockfile {

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
