#include "internal/blockfile/delta.h"

#include <tuple>
#include <utility>

namespace spillway::blockfile {

Delta::~Delta() {
  for (auto& [name, newest] : names_) {
    while (newest != nullptr) {
      Discard(std::exchange(newest, newest->older));
    }
  }
}

Version* Delta::Newest(std::string_view name) const {
  const auto found = names_.find(name);
  return found == names_.end() ? nullptr : found->second;
}

Version* Delta::VisibleAt(Version* newest, uint64_t commit) {
  while (newest != nullptr && newest->commit > commit) {
    newest = newest->older;
  }
  return newest;
}

Version* Delta::Make(std::string_view name) {
  auto found = names_.lower_bound(name);
  if (found == names_.end() || found->first != name) {
    found = names_.emplace_hint(found, std::piecewise_construct, std::forward_as_tuple(name),
                                std::forward_as_tuple(nullptr));
  }
  std::pmr::polymorphic_allocator<> allocator(&pool_);
  auto* const version = allocator.new_object<Version>(&pool_);
  version->name = &found->first;
  version->newest = &found->second;
  return version;
}

void Delta::Discard(Version* version) noexcept {
  std::pmr::polymorphic_allocator<>(&pool_).delete_object(version);
}

void Delta::Link(Version* version) noexcept {
  version->older = std::exchange(*version->newest, version);
}

void Delta::LinkInPlace(Version* version) noexcept {
  Version* const replaced = std::exchange(*version->newest, version);
  version->older = replaced->older;
  Discard(replaced);
}

void Delta::DropOlder(Version* version) noexcept {
  Version* const dropped = version->older;
  version->older = dropped->older;
  Discard(dropped);
}

}  // namespace spillway::blockfile
