#include "internal/blockfile/page_buffer.h"

#include <algorithm>
#include <new>

namespace spillway::blockfile {

PageBuffer PageBuffer::New(const PageRef& ref, uint64_t page_bytes, std::span<uint8_t>* bytes) {
  PageBuffer buffer;
  void* const memory = ::operator new(sizeof(Page) + OwnBytes(page_bytes) + page_bytes);
  buffer.page_ = new (memory) Page;
  buffer.page_->ref = ref;
  buffer.page_->bytes = static_cast<uint32_t>(page_bytes);
  *bytes = {buffer.own() + OwnBytes(page_bytes), page_bytes};
  return buffer;
}

PageBuffer PageBuffer::CopyOf(const PageRef& ref, std::span<const uint8_t> bytes) {
  std::span<uint8_t> to;
  PageBuffer buffer = New(ref, bytes.size(), &to);
  std::ranges::copy(bytes, to.begin());
  return buffer;
}

void PageBuffer::Free(Page* page) {
  page->~Page();
  ::operator delete(page);
}

}  // namespace spillway::blockfile
