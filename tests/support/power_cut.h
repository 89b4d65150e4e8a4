// What may be in a folder after the power failed: images made from the log of a SimDisk.
//
// The model of the device, chosen anew for each image by its seed:
// - What was synced is there. Of what was not, each piece of 64, 512 or 4096 bytes holds what stood
// in
//   it after some prefix of the writes that touched it, whatever happened to other pieces: kept,
//   lost, torn, and later writes without earlier ones. With garbage, the sectors of 512 bytes
//   around a piece in flight may hold anything.
// - A file has the size it had after some prefix of its changes, or one between two sizes while it
// grew.
//   What lies behind a truncation that survived is gone; stale bytes never come back.
// - Names (creations, renames, removals) since the last sync of their folder are all lost (strict),
//   a prefix of them survived (ordered), or a prefix of each folder's.
// - What was not synced when a sync failed is lost for good or made it, piece by piece; no later
// sync
//   brings it back.
// Not thread-safe. Borrows the disk's log, which must not grow meanwhile.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/support/prng.h"
#include "tests/support/sim_disk.h"

namespace spillway::test {

class PowerCut {
 public:
  enum class Garbage { kNo, kYes };

  explicit PowerCut(const SimDisk& disk, Garbage garbage = Garbage::kNo);

  // The power fails before the change at `position` of the log; positions only go up.
  void AdvanceTo(size_t position);
  // Writes the image of this seed into `folder`, which must exist and is emptied first.
  void WriteImage(uint64_t seed, const std::string& folder) const;
  // A file as it would be if all that waits to be written were, without what failed syncs lost.
  std::vector<uint8_t> WithAllPending(uint64_t node) const;

 private:
  using Bytes = std::vector<uint8_t>;
  struct Node {
    Bytes durable;
    std::vector<const Change*> pending;  // writes and truncations since the last sync
  };

  std::map<std::string, uint64_t> NamesOf(Prng* random) const;
  Bytes ImageOf(const Node& node, Prng* random) const;
  void Settle(Node* node, bool sync_failed);
  static void ApplyAll(const std::vector<const Change*>& changes, Bytes* bytes);

  const SimDisk& disk_;
  const Garbage garbage_;
  size_t position_ = 0;
  std::vector<Node> nodes_;
  std::map<std::string, uint64_t> durable_names_;
  std::vector<const Change*> pending_names_;
};

}  // namespace spillway::test
