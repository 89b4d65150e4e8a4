// What a store of blocks should hold, put there and compared.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/bench/blocks/block_store.h"

namespace spillway::bench {

constexpr uint32_t kGone = UINT32_MAX;

// The version of every block of a set; kGone where there is none.
using Versions = std::vector<uint32_t>;

void SetVersions(Versions* versions, const BlockBatch& batch, uint32_t version);

// Fills an empty folder with the first `count` blocks in version 0, in an order that is not that of
// their names, and closes the store. Durable.
void Preload(BlockStore* store, const BlockSet& set, size_t count, const std::string& folder);

// Reads all blocks of an open store; a second aim is that they are in its caches then.
bool HoldsExactly(BlockStore* store, const BlockSet& set, const Versions& versions);

// Writes out what is dirty under the folder's file system: no contestant pays for what another one
// left there.
void Settle(const std::string& folder);

}  // namespace spillway::bench
