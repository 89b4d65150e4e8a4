// What a commit's drafts were made for: the blocks are what their makers found. Looked up without
// the mutex, and compared once more under it before they become visible.
#include <algorithm>
#include <string>
#include <utility>

#include "internal/blockfile/engine.h"
#include "internal/blockfile/engine_commitment.h"

namespace spillway::blockfile {

using base::Code;
using base::MutexLock;
using base::Status;

namespace {

Status About(Status status, size_t index) {
  return std::move(status).WithRecord(static_cast<int64_t>(index));
}

}  // namespace

// Looks up what conditions speak of, and notes what they were found on.
Status Engine::CheckConditions(Commitment* commitment) {
  if (commitment->since != nullptr) {
    MutexLock lock(mu_);
    commitment->checked_at = commit_;
    commitment->checked_in = view_;
  }
  for (size_t i = 0; i < commitment->drafts.size(); ++i) {
    Draft& draft = commitment->drafts[i];
    Commitment::Place& place = commitment->places[i];
    if (commitment->since != nullptr) {
      SPW_RETURN_IF_ERROR(CheckUnchanged(commitment, i));
    }
    if (draft.on != nullptr) {
      place.conditional = true;
      place.newest = draft.on->newest;
      place.newest_commit = draft.on->newest_commit;
      place.view = draft.on->view;
    }
    if (draft.expected == kAnyVersion && !draft.must_exist) {
      continue;
    }
    Block found;
    SPW_RETURN_IF_ERROR(Find(nullptr, draft.name, false, &found));
    if (draft.must_exist && !found.exists) {
      return About({Code::kNotFound, "no such block"}, i);
    }
    if (const Status met = CheckExpected(found, draft.expected); !met.ok()) {
      return About(met, i);
    }
    if (draft.on == nullptr) {
      place.conditional = true;
      place.newest = found.newest;
      place.newest_commit = found.newest_commit;
      place.view = found.view;
    }
  }
  return {};
}

// The block is what it was at the snapshot.
Status Engine::CheckUnchanged(Commitment* commitment, size_t index) {
  const Draft& draft = commitment->drafts[index];
  Commitment::Place& place = commitment->places[index];
  place.conditional = true;
  bool changed = false;
  {
    MutexLock lock(mu_);
    place.view = view_;
    place.newest = delta_.Newest(draft.name);
    place.newest_commit = place.newest == nullptr ? 0 : place.newest->commit;
    changed = place.newest_commit > commitment->since->commit;
  }
  // A block that was only moved is what it was, and a checkpoint may have taken a change out of the
  // delta.
  if (changed || place.view != commitment->since->view) {
    Block now;
    Block then;
    SPW_RETURN_IF_ERROR(Find(nullptr, draft.name, false, &now));
    SPW_RETURN_IF_ERROR(Find(commitment->since, draft.name, false, &then));
    changed = then.exists != now.exists || then.version != now.version;
  }
  return changed ? About({Code::kConflict, "somebody else has changed the block"}, index)
                 : Status();
}

// A transaction names what it leaves of a block by its place, which is another's once the block was
// moved and the transaction is over: then it comes along as bytes.
Status Engine::BringAlong(Commitment* commitment) {
  constexpr uint64_t kBytesMost = uint64_t{64} << 20;
  const Snapshot* const since = commitment->since;
  if (since == nullptr) {
    return {};
  }
  {
    MutexLock lock(mu_);
    commitment->moves = moves_;
  }
  if (commitment->moves == since->moves) {
    return {};
  }
  Aside* const aside = &commitment->aside;
  uint64_t bytes = 0;
  for (size_t i = 0; i < commitment->drafts.size(); ++i) {
    Draft& draft = commitment->drafts[i];
    const auto stays = [](const DraftPart& part) { return part.memory.empty() && !part.fresh; };
    if (std::none_of(draft.parts.begin(), draft.parts.end(), stays)) {
      continue;
    }
    auto parts = std::make_unique<std::vector<DraftPart>>(draft.parts.begin(), draft.parts.end());
    auto digests = std::make_unique<std::vector<Digest>>();
    const Digest* known = draft.digests.data();
    for (DraftPart& part : *parts) {
      const uint64_t chunks = part.memory.empty() ? part.extent.chunks() : 0;
      if (part.fresh) {
        digests->insert(digests->end(), known, known + chunks);
      } else if (part.memory.empty()) {
        bytes += part.extent.bytes;
        if (bytes > kBytesMost) {
          return About({Code::kConflict, "the block was moved while much of it was to stay"}, i);
        }
        std::vector<uint8_t>& brought = aside->brought.emplace_back(part.extent.bytes);
        SPW_RETURN_IF_ERROR(ReadStored(part.extent, draft.block_id, known, 0, brought));
        part = {.memory = brought, .extent = {}};
      }
      known += chunks;
    }
    draft.parts = *parts;
    draft.digests = *digests;
    aside->parts.push_back(std::move(parts));
    aside->digests.push_back(std::move(digests));
  }
  return {};
}

// Whether what the conditions were found on still is.
bool Engine::StillSo(const Commitment& commitment) const {
  if (commitment.since != nullptr && commitment.moves != moves_) {
    return false;
  }
  if (commitment.since != nullptr && commitment.checked_at == commit_ &&
      commitment.checked_in == view_ && open_->versions.empty()) {
    return true;
  }
  for (size_t i = 0; i < commitment.drafts.size(); ++i) {
    const Commitment::Place& place = commitment.places[i];
    if (snapshots_.empty() && !place.conditional) {
      continue;  // whatever it is
    }
    const Version* const newest = delta_.Newest(commitment.drafts[i].name);
    if (IsWantedOpen(newest)) {
      return false;  // a snapshot was taken meanwhile
    }
    const Block* const on = commitment.drafts[i].on;
    if (on != nullptr && on->waits_open && (newest == nullptr || newest->group != open_.get())) {
      return false;  // it builds on an image that is closed
    }
    if (place.conditional && (place.view != view_ || place.newest != newest ||
                              (newest != nullptr && newest->commit != place.newest_commit))) {
      return false;
    }
  }
  return true;
}

}  // namespace spillway::blockfile
