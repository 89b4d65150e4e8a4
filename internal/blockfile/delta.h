// What the registry's tree does not know yet: by name, the versions of each block that was changed
// since the last checkpoint, whether they wait in memory or stand in the file already.
//
// Versions form a chain, newest first, as long as a snapshot or a group on its way into the file
// needs the older ones. Not thread-safe: its owner's mutex guards it, except that a version whose
// group is sealed does not change until the writer publishes it. Memory comes from a pool that is
// the delta's own, so changing the same blocks again and again allocates nothing.
#pragma once

#include <cstdint>
#include <iterator>
#include <map>
#include <memory>
#include <memory_resource>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "internal/blockfile/entry.h"
#include "internal/blockfile/image.h"
#include "internal/blockfile/recycler.h"

namespace spillway::blockfile {

struct Group;

// A stretch of a payload: in the file, in the image (the extent's page counts from its begin), or
// (in a transaction only) anywhere in memory.
struct Part {
  Extent extent;
  bool in_image = false;
  bool fresh = false;  // in the file, but nothing there names it yet
  const uint8_t* memory = nullptr;
  uint64_t room_pages = 0;  // of the image that are its own; 0: as many as it needs
  bool in_file() const { return !in_image && memory == nullptr; }
};

// One state of one block.
struct Version {
  explicit Version(std::pmr::memory_resource* memory)
      : tag(memory), bytes(memory), parts(memory), digests(memory), entry(memory) {}

  const std::pmr::string* name = nullptr;
  Version** newest = nullptr;  // of that name; the delta's
  Version* older = nullptr;
  uint64_t commit = 0;   // when it became visible
  uint64_t version = 0;  // what users call its version
  bool removes = false;
  Group* group = nullptr;  // in which it waits; null: it is in the file
  size_t place = 0;        // in the group's list

  // Of one that waits. If it inherits, id, time of creation and tag are those of what it replaces,
  // if that exists.
  bool inherits = true;
  bool is_inline = false;  // the payload is `bytes`
  uint64_t block_id = 0;   // 0: a new one
  int64_t created_ns = 0;
  int64_t modified_ns = 0;
  uint64_t length = 0;
  std::pmr::vector<uint8_t> tag;
  std::pmr::vector<uint8_t> bytes;
  std::pmr::vector<Part> parts;
  std::pmr::vector<Digest> digests;  // of the parts in the file, one after another
  std::shared_ptr<const Image> image;

  // Of one that is in the file.
  std::pmr::vector<uint8_t> entry;
};

// Changes that go into the file together: one frame of the journal. Open, it takes changes; sealed,
// it is the writer's.
struct Group {
  Group(uint64_t page_bytes, const std::shared_ptr<PieceStore>& store, size_t pieces_most)
      : image(std::make_shared<Image>(page_bytes, store, pieces_most)) {}

  std::shared_ptr<Image> image;
  std::vector<Version*> versions;  // one per name
  uint64_t last_commit = 0;
  uint64_t list_pages =
      0;                 // that the writer will add to the image, for blocks that are in the file
  uint64_t filling = 0;  // places in the image that are being filled
};

class Delta {
 public:
  Delta() : names_(&pool_) {}
  ~Delta();
  Delta(const Delta&) = delete;
  Delta& operator=(const Delta&) = delete;

  using Names = std::pmr::map<std::pmr::string, Version*, std::less<>>;
  // Null: nothing is known of that name.
  Version* Newest(std::string_view name) const;
  // The newest that was visible then.
  static Version* VisibleAt(Version* newest, uint64_t commit);

  // A version that is in no chain yet. Nothing is visible until Link.
  Version* Make(std::string_view name);
  void Discard(Version* version) noexcept;
  // Puts it at the head of its name's chain. In place: for the newest, which goes.
  void Link(Version* version) noexcept;
  void LinkInPlace(Version* version) noexcept;
  // Drops the version behind that one.
  void DropOlder(Version* version) noexcept;

  // Drops the versions of a name that are not wanted (asked newest first), and the name with its
  // last; gives the next name.
  template <class Wanted>
  Names::const_iterator Prune(Names::const_iterator name, Wanted&& wanted) noexcept {
    const auto found = names_.erase(name, name);  // not const any more
    Version** link = &found->second;
    while (*link != nullptr) {
      if (wanted(**link)) {
        link = &(*link)->older;
      } else {
        Discard(std::exchange(*link, (*link)->older));
      }
    }
    return found->second == nullptr ? names_.erase(found) : std::next(found);
  }

  // In order. A name may have no version: something failed once.
  const Names& names() const { return names_; }
  size_t size() const { return names_.size(); }

 private:
  Recycler pool_;
  Names names_;
};

}  // namespace spillway::blockfile
