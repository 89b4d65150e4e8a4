#include "tests/support/block_model.h"

#include <algorithm>
#include <functional>

namespace spillway::test {

using base::Code;
using base::Status;
using blockfile::AsBytes;
using blockfile::BlockInfo;
using blockfile::kAnyVersion;
using blockfile::kNoVersion;

// ---- the map ----

const ModelBlock* BlockModel::Find(const std::string& name) const {
  const auto found = blocks_.find(name);
  return found == blocks_.end() ? nullptr : found->second.get();
}

uint64_t BlockModel::SumOf(const std::string& name, const ModelBlock& block) {
  const std::hash<std::string> hash;
  uint64_t sum = hash(name);
  for (const uint64_t part :
       {uint64_t{hash(block.payload)}, uint64_t{hash(block.tag)}, block.version,
        static_cast<uint64_t>(block.created_ns), static_cast<uint64_t>(block.modified_ns)}) {
    sum = Prng(sum ^ part).Next();
  }
  return sum;
}

void BlockModel::Set(const std::string& name, ModelBlock block) {
  Erase(name);
  sum_ ^= SumOf(name, block);
  blocks_[name] = std::make_shared<const ModelBlock>(std::move(block));
}

void BlockModel::Erase(const std::string& name) {
  const auto found = blocks_.find(name);
  if (found != blocks_.end()) {
    sum_ ^= SumOf(name, *found->second);
    blocks_.erase(found);
  }
}

uint64_t BlockModel::payload_bytes() const {
  uint64_t bytes = 0;
  for (const auto& [name, block] : blocks_) {
    bytes += block->payload.size();
  }
  return bytes;
}

// ---- random changes ----

std::string RandomBytes(Prng* random, uint64_t size) {
  std::string bytes(size, '\0');
  size_t i = 0;
  for (; i + 8 <= bytes.size(); i += 8) {
    const uint64_t word = random->Next();
    std::copy_n(reinterpret_cast<const char*>(&word), 8, bytes.data() + i);
  }
  for (; i < bytes.size(); ++i) {
    bytes[i] = static_cast<char>(random->Next());
  }
  return bytes;
}

std::string RandomName(Prng* random, const OpStyle& style) {
  const uint64_t number = random->Below(random->OneIn(2) ? style.names_few : style.names_many);
  const std::string name = "block " + std::to_string(number);
  return number % 9 == 0 ? name + std::string(number % 80, 'n') : name;
}

namespace {

constexpr uint64_t kChunk = blockfile::kChunkBytes;

uint64_t RandomSize(Prng* random, const OpStyle& style) {
  const uint64_t small[] = {0,   1,   100,  127,  128,  129,  511,
                            512, 513, 1024, 1025, 3000, 5000, 12'000};
  const uint64_t large[] = {kChunk - 1, kChunk, kChunk + 1, 2 * kChunk, 100'000, 140'000, 200'000};
  const uint64_t size = random->OneIn(style.large_one_in) ? large[random->Below(std::size(large))]
                                                          : small[random->Below(std::size(small))];
  return std::min(size, style.bytes_most);
}

// Mostly the borders of chunks.
uint64_t RandomOffset(Prng* random, uint64_t length) {
  const uint64_t borders[] = {0,          1,          512,        4096,
                              kChunk - 1, kChunk,     kChunk + 1, 2 * kChunk,
                              length / 2, length - 1, length,     random->Below(length + 1)};
  return std::min(length, borders[random->Below(std::size(borders))]);
}

uint64_t RandomExpected(Prng* random, const OpStyle& style, const ModelBlock* block) {
  if (!style.with_versions || !random->OneIn(5)) {
    return kAnyVersion;
  }
  const uint64_t version = block == nullptr ? 7 : block->version;
  const uint64_t choices[] = {kNoVersion, version, version, version + 1};
  return choices[random->Below(4)];
}

}  // namespace

BlockOp RandomOp(Prng* random, const OpStyle& style, const BlockModel& model) {
  using Kind = BlockOp::Kind;
  constexpr Kind kKinds[] = {Kind::kPut,    Kind::kPut,    Kind::kPut,    Kind::kAppend,
                             Kind::kAppend, Kind::kAppend, Kind::kPatch,  Kind::kPatch,
                             Kind::kPatch,  Kind::kRemove, Kind::kRename, Kind::kSetTag,
                             Kind::kStream, Kind::kStream};
  BlockOp op;
  op.kind = kKinds[random->Below(std::size(kKinds))];
  BlockOp::Item item;
  item.name = RandomName(random, style);
  const ModelBlock* const block = model.Find(item.name);
  const uint64_t length = block == nullptr ? 0 : block->payload.size();
  uint64_t size = RandomSize(random, style);
  if (op.kind == Kind::kAppend) {
    size = length + size > style.bytes_most ? random->Below(50) : size;
  } else if (op.kind == Kind::kPatch) {
    op.offset = RandomOffset(random, length);
    // Sometimes too long by a byte.
    size = std::min(size, length - op.offset + (random->OneIn(20) ? 1 : 0));
  } else if (op.kind == Kind::kSetTag) {
    size = random->Below(blockfile::kTagBytesMost + (random->OneIn(10) ? 2 : 1));
  }
  item.payload = RandomBytes(random, op.kind == Kind::kRemove ? 0 : size);
  op.piece = 1 + random->Below(size + 1);
  if (op.kind == Kind::kPut || op.kind == Kind::kStream || op.kind == Kind::kRemove) {
    item.expected = RandomExpected(random, style, block);
  }
  op.items.push_back(item);
  op.to = random->OneIn(10) ? item.name : RandomName(random, style);
  op.replace = random->OneIn(2);
  const uint64_t more = op.kind == Kind::kPut && random->OneIn(6) ? random->Below(12) : 0;
  for (uint64_t i = 0; i < more; ++i) {
    const std::string name = random->OneIn(5) ? item.name : RandomName(random, style);
    const uint64_t expected = random->OneIn(9) && name != item.name
                                  ? RandomExpected(random, style, model.Find(name))
                                  : kAnyVersion;
    op.items.push_back({name, RandomBytes(random, RandomSize(random, style)), expected});
  }
  return op;
}

std::vector<std::string> BlockOp::names() const {
  std::vector<std::string> all;
  for (const Item& item : items) {
    all.push_back(item.name);
  }
  if (kind == Kind::kRename) {
    all.push_back(to);
  }
  return all;
}

std::string BlockOp::Describe() const {
  constexpr const char* kNames[] = {"put",    "append",  "patch", "remove",
                                    "rename", "set tag", "stream"};
  std::string text = kNames[static_cast<size_t>(kind)];
  for (const Item& item : items) {
    text += " '" + item.name + "' " + std::to_string(item.payload.size());
  }
  return kind == Kind::kRename  ? text + " to '" + to + (replace ? "' replacing" : "'")
         : kind == Kind::kPatch ? text + " at " + std::to_string(offset)
                                : text;
}

// ---- made to the map ----

namespace {

Code Expect(const ModelBlock* block, uint64_t expected) {
  if (expected == kAnyVersion) {
    return Code::kOk;
  }
  if (expected == kNoVersion) {
    return block == nullptr ? Code::kOk : Code::kAlreadyExists;
  }
  return block == nullptr             ? Code::kNotFound
         : block->version == expected ? Code::kOk
                                      : Code::kConflict;
}

Code PutTo(BlockModel* model, const BlockOp& op) {
  for (const BlockOp::Item& item : op.items) {
    if (const Code code = Expect(model->Find(item.name), item.expected); code != Code::kOk) {
      return code;
    }
  }
  for (const BlockOp::Item& item : op.items) {
    const ModelBlock* const before = model->Find(item.name);
    ModelBlock block = before == nullptr ? ModelBlock() : *before;
    block.payload = item.payload;
    model->Set(item.name, std::move(block));
  }
  return Code::kOk;
}

Code RenameTo(BlockModel* model, const BlockOp& op) {
  const ModelBlock* const block = model->Find(op.name());
  if (block == nullptr) {
    return Code::kNotFound;
  }
  if (op.to == op.name()) {
    return Code::kOk;
  }
  if (model->Find(op.to) != nullptr && !op.replace) {
    return Code::kAlreadyExists;
  }
  ModelBlock moved = *block;
  model->Erase(op.name());
  model->Set(op.to, std::move(moved));
  return Code::kOk;
}

}  // namespace

Code ApplyTo(BlockModel* model, const BlockOp& op) {
  using Kind = BlockOp::Kind;
  if (op.kind == Kind::kPut || op.kind == Kind::kStream) {
    return PutTo(model, op);
  }
  if (op.kind == Kind::kRename) {
    return RenameTo(model, op);
  }
  const BlockOp::Item& item = op.items[0];
  if (op.kind == Kind::kSetTag && item.payload.size() > blockfile::kTagBytesMost) {
    return Code::kTooBig;
  }
  const ModelBlock* const before = model->Find(item.name);
  if (before == nullptr && op.kind != Kind::kAppend) {
    return Code::kNotFound;
  }
  if (op.kind == Kind::kRemove) {
    const Code code = Expect(before, item.expected);
    if (code == Code::kOk) {
      model->Erase(item.name);
    }
    return code;
  }
  ModelBlock block = before == nullptr ? ModelBlock() : *before;
  if (op.kind == Kind::kAppend) {
    block.payload += item.payload;
  } else if (op.kind == Kind::kSetTag) {
    block.tag = item.payload;
  } else {
    if (op.offset + item.payload.size() > block.payload.size()) {
      return Code::kInvalidArgument;
    }
    block.payload.replace(op.offset, item.payload.size(), item.payload);
  }
  model->Set(item.name, std::move(block));
  return Code::kOk;
}

// ---- made to the file ----

Status ApplyTo(Blocks* file, blockfile::Transaction* txn, const BlockOp& op) {
  using Kind = BlockOp::Kind;
  const BlockOp::Item& item = op.items[0];
  blockfile::BlockFile* const to = file->get();
  switch (op.kind) {
    case Kind::kPut: {
      std::vector<blockfile::PutItem> items;
      for (const BlockOp::Item& each : op.items) {
        items.push_back({each.name, AsBytes(each.payload), each.expected});
      }
      return to->Put(txn, items);
    }
    case Kind::kAppend: {
      uint64_t length = 0;
      return to->Append(txn, item.name, AsBytes(item.payload), &length);
    }
    case Kind::kPatch:
      return to->Patch(txn, item.name, op.offset, AsBytes(item.payload));
    case Kind::kRemove:
      return to->Remove(txn, item.name, item.expected);
    case Kind::kRename:
      return to->Rename(txn, item.name, op.to, op.replace);
    case Kind::kSetTag:
      return to->SetTag(txn, item.name, AsBytes(item.payload));
    case Kind::kStream:
      return file->Stream(txn, item.name, item.payload, op.piece, item.expected);
  }
  return Status(Code::kInternal);
}

// ---- looking ----

Status LearnMeta(Blocks* file, blockfile::Transaction* txn, const std::vector<std::string>& names,
                 BlockModel* model, uint64_t* version_most) {
  uint64_t highest = *version_most;
  for (const std::string& name : names) {
    const ModelBlock* const before = model->Find(name);
    BlockInfo info;
    const Status status = file->get()->Stat(txn, name, &info);
    if (status.code() == Code::kNotFound && before == nullptr) {
      continue;
    }
    SPW_RETURN_IF_ERROR(status);
    const auto wrong = [&](const std::string& what) {
      return Status(Code::kInternal, name + ": " + what);
    };
    if (before == nullptr || info.length != before->payload.size()) {
      return wrong("length " + std::to_string(info.length));
    }
    if (info.version == before->version && txn == nullptr) {
      continue;  // it has not changed
    }
    if (txn == nullptr && info.version <= *version_most) {
      return wrong("version " + std::to_string(info.version) + " is not a new one");
    }
    if (before->created_ns >= 0 ? info.created_ns != before->created_ns
                                : info.created_ns != info.modified_ns) {
      return wrong("created " + std::to_string(info.created_ns));
    }
    if (info.modified_ns < before->modified_ns) {
      return wrong("modified runs backwards");
    }
    ModelBlock block = *before;
    block.version = info.version;
    block.created_ns = info.created_ns;
    block.modified_ns = info.modified_ns;
    model->Set(name, std::move(block));
    highest = std::max(highest, info.version);
  }
  *version_most = highest;
  return {};
}

Status ReadAll(Blocks* file, blockfile::Transaction* txn, Meta meta, BlockModel* found) {
  std::unique_ptr<blockfile::Lister> lister;
  SPW_RETURN_IF_ERROR(file->get()->List(txn, "", false, &lister));
  for (blockfile::BlockPage page;;) {
    SPW_RETURN_IF_ERROR(lister->Next(5 + found->blocks().size() % 7, &page));
    if (page.count == 0) {
      return {};
    }
    for (uint64_t i = 0; i < page.count; ++i) {
      const std::string name(page.names, page.name_offsets[i],
                             page.name_offsets[i + 1] - page.name_offsets[i]);
      const BlockInfo& info = page.infos[i];
      ModelBlock block;
      // Some by themselves, others as a stream.
      const uint64_t piece = info.length % 3 == 0 ? 0 : 1 + info.length / (1 + info.length % 7);
      SPW_RETURN_IF_ERROR(piece == 0 ? file->Read(txn, name, &block.payload)
                                     : file->ReadStream(txn, name, piece, &block.payload));
      block.tag.assign(info.tag.begin(), info.tag.begin() + info.tag_bytes);
      if (info.length != block.payload.size()) {
        return {Code::kInternal, name + ": the list tells of another length"};
      }
      if (meta == Meta::kYes) {
        block.version = info.version;
        block.created_ns = info.created_ns;
        block.modified_ns = info.modified_ns;
      }
      found->Set(name, std::move(block));
    }
  }
}

std::string Difference(const BlockModel& wanted, const BlockModel& found) {
  for (const auto& [name, block] : wanted.blocks()) {
    const ModelBlock* const other = found.Find(name);
    if (other == nullptr) {
      return "'" + name + "' is missing";
    }
    if (block->payload != other->payload) {
      const size_t at =
          static_cast<size_t>(std::mismatch(block->payload.begin(), block->payload.end(),
                                            other->payload.begin(), other->payload.end())
                                  .first -
                              block->payload.begin());
      return "'" + name + "' of " + std::to_string(other->payload.size()) + " bytes instead of " +
             std::to_string(block->payload.size()) + " differs at " + std::to_string(at);
    }
    if (block->tag != other->tag) {
      return "'" + name + "' has another tag";
    }
    if (block->version != other->version) {
      return "'" + name + "' has version " + std::to_string(other->version) + " instead of " +
             std::to_string(block->version);
    }
    if (block->created_ns != other->created_ns || block->modified_ns != other->modified_ns) {
      return "'" + name + "' has other times";
    }
  }
  for (const auto& [name, block] : found.blocks()) {
    if (wanted.Find(name) == nullptr) {
      return "'" + name + "' should not be there";
    }
  }
  return {};
}

}  // namespace spillway::test
