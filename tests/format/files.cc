// Block files for the reader in Python to read, and what it has to find in them.
//
// format_files make FOLDER    writes files of all kinds, each NAME.blocks with NAME.list beside it
// format_files list FILE...   what the library itself finds in each, opened for reading
// format_files hashes         XXH3 of made-up bytes: length, seed and hash a line
//
// A list has a line for each block: length, tag (hex), SHA-256, name; as reader.py prints them.
#include <cinttypes>
#include <cstdio>
#include <fstream>
#include <map>
#include <string>
#include <string_view>

#include "internal/base/checksum.h"
#include "internal/base/status.h"
#include "tests/support/block_bytes.h"
#include "tests/support/blocks.h"
#include "tests/support/prng.h"

namespace spillway::test {
namespace {

using base::Status;
using blockfile::AsBytes;
using blockfile::Bytes;
using blockfile::Level;
using blockfile::OpenMode;

struct Content {
  std::string payload;
  std::string tag;
};
using Model = std::map<std::string, Content>;

std::string Hex(Bytes bytes) {
  std::string text;
  for (const uint8_t byte : bytes) {
    char digits[3];
    std::snprintf(digits, sizeof digits, "%02x", byte);
    text += digits;
  }
  return text;
}

// As Python shows bytes; the names here have neither quotes nor backslashes.
std::string Printable(std::string_view name) {
  std::string text;
  for (const char c : name) {
    const bool plain = c >= ' ' && c <= '~';
    text += plain ? std::string(1, c) : "\\x" + Hex(AsBytes({&c, 1}));
  }
  return text;
}

std::string Line(const std::string& name, const Content& content) {
  return std::to_string(content.payload.size()) + " " +
         (content.tag.empty() ? "-" : Hex(AsBytes(content.tag))) + " " +
         Hex(base::Sha256({}, AsBytes(content.payload))) + " " + Printable(name) + "\n";
}

class Maker {
 public:
  Maker(Blocks* file, Prng* random) : file_(file), random_(random) {}
  // In the same file, opened anew.
  void GoOn(Blocks* file) { file_ = file; }

  // The first thing that went wrong.
  Status Put(const std::string& name, uint64_t size) {
    std::string bytes = RandomBytes(size, random_);
    SPW_RETURN_IF_ERROR(file_->Put(name, bytes));
    model_[name].payload = std::move(bytes);
    return {};
  }
  Status Run(int changes) {
    for (int i = 0; i < changes; ++i) {
      SPW_RETURN_IF_ERROR(Change());
      if (random_->OneIn(10)) {
        SPW_RETURN_IF_ERROR(file_->Flush());
      }
    }
    return {};
  }
  const Model& model() const { return model_; }

 private:
  std::string Name() {
    const uint64_t number = random_->Below(40);
    return number % 10 == 0
               ? "\xc3\xa4\xe2\x82\xac " + std::string(80, 'n') + std::to_string(number)
               : "block " + std::to_string(number);
  }
  uint64_t Size() {
    // Each way of XXH3, payloads within entries and outside.
    constexpr uint64_t kSizes[] = {0, 1, 3, 4, 8, 9, 16, 17, 100, 128, 129, 240, 241, 1000, 5000};
    constexpr uint64_t kLarge[] = {65'535, 65'536, 65'537, 140'000};
    return random_->OneIn(30) ? kLarge[random_->Below(std::size(kLarge))]
                              : kSizes[random_->Below(std::size(kSizes))];
  }

  Status Change() {
    const std::string name = Name();
    const auto found = model_.find(name);
    const uint64_t what = random_->Below(10);
    if (found == model_.end() || what < 4) {
      return Put(name, Size());
    }
    Content& content = found->second;
    if (what < 6) {
      const std::string bytes = RandomBytes(random_->Between(1, 6000), random_);
      uint64_t length = 0;
      SPW_RETURN_IF_ERROR((*file_)->Append(nullptr, name, AsBytes(bytes), &length));
      content.payload += bytes;
    } else if (what == 6 && !content.payload.empty()) {
      const uint64_t at = random_->Below(content.payload.size());
      const std::string bytes = RandomBytes(
          random_->Between(1, std::min<uint64_t>(9000, content.payload.size() - at)), random_);
      SPW_RETURN_IF_ERROR((*file_)->Patch(nullptr, name, at, AsBytes(bytes)));
      content.payload.replace(at, bytes.size(), bytes);
    } else if (what == 7) {
      const std::string tag = RandomBytes(random_->Below(129), random_);
      SPW_RETURN_IF_ERROR((*file_)->SetTag(nullptr, name, AsBytes(tag)));
      content.tag = tag;
    } else if (what == 8) {
      SPW_RETURN_IF_ERROR(file_->Remove(name));
      model_.erase(found);
    } else if (what == 9) {
      const std::string to = Name();
      SPW_RETURN_IF_ERROR((*file_)->Rename(nullptr, name, to, true));
      const Content moved = content;
      model_.erase(found);
      model_[to] = moved;
    }
    return {};
  }

  Blocks* file_;
  Prng* const random_;
  Model model_;
};

enum class End {
  kClosed,
  kKilled,    // the last frames are in the file, and nobody was told so
  kReopened,  // closed, and killed with a first frame behind that
};

Status MakeOne(const std::string& stem, uint64_t seed, const blockfile::Settings& settings,
               End end) {
  Prng random(seed);
  auto opened = Blocks::Open(io::PosixFileSystem(), stem + ".blocks", OpenMode::kNew, settings);
  SPW_RETURN_IF_ERROR(opened.status());
  Maker maker(opened.value().get(), &random);
  // Its list is too long for an entry: more than an eighth of a page.
  const uint64_t digest_bytes = blockfile::DigestBytes(settings.checksum);
  const uint64_t chunks = settings.page_bytes / 8 / digest_bytes;
  SPW_RETURN_IF_ERROR(maker.Put("large", chunks * blockfile::kChunkBytes + 1));
  SPW_RETURN_IF_ERROR(maker.Run(100));
  SPW_RETURN_IF_ERROR(opened.value()->Checkpoint());
  SPW_RETURN_IF_ERROR(maker.Run(50));
  if (end == End::kKilled) {
    SPW_RETURN_IF_ERROR((*opened.value())->Flush(Level::kKernel));
  } else {
    SPW_RETURN_IF_ERROR(opened.value()->Close());
  }
  if (end == End::kReopened) {
    opened = Blocks::Open(io::PosixFileSystem(), stem + ".blocks", OpenMode::kExisting, settings);
    SPW_RETURN_IF_ERROR(opened.status());
    maker.GoOn(opened.value().get());
    SPW_RETURN_IF_ERROR(maker.Put("behind the end", 1000));
    SPW_RETURN_IF_ERROR((*opened.value())->Flush(Level::kKernel));
  }
  std::ofstream list(stem + ".list");
  for (const auto& [name, content] : maker.model()) {
    list << Line(name, content);
  }
  return list.flush() ? Status() : Status(base::Code::kIo);
}

Status Make(const std::string& folder) {
  constexpr const char* kEnds[] = {"-closed", "-killed", "-reopened"};
  for (uint64_t i = 0; i < 18; ++i) {
    const uint64_t end = i % 3;
    const bool is_sha256 = i / 3 % 2 == 1;
    blockfile::Settings settings;
    settings.page_bytes = i / 6 == 0 ? 4096 : 512;
    settings.checksum =
        is_sha256 ? blockfile::ChecksumKind::kSha256 : blockfile::ChecksumKind::kXxh3;
    settings.growth_bytes = uint64_t{1} << 18;
    settings.region_pages = i / 6 == 2 ? 5 : 256;
    settings.direct_bytes = i / 6 == 1 ? 100'000 : uint64_t{8} << 20;
    settings.background = false;
    const std::string stem = folder + "/" + std::to_string(settings.page_bytes) +
                             (is_sha256 ? "-sha256" : "-xxh3") + kEnds[end] +
                             (i / 6 == 2 ? "-regions" : "");
    SPW_RETURN_IF_ERROR(MakeOne(stem, i + 1, settings, static_cast<End>(end)));
  }
  return {};
}

void List(const char* path) {
  std::printf("= %s\n", path);
  auto opened = Blocks::Open(io::PosixFileSystem(), path, OpenMode::kReadOnly, {});
  std::vector<std::string> names;
  Status status = opened.status();
  if (status.ok()) {
    status = opened.value()->ListNames(&names);
  }
  if (!status.ok()) {
    std::printf("%s\n", std::string(status.message()).c_str());
    return;
  }
  for (const std::string& name : names) {
    Content content;
    blockfile::BlockInfo info;
    const Status stat = (*opened.value())->Stat(nullptr, name, &info);
    if (!stat.ok() || !opened.value()->Read(name, &content.payload).ok()) {
      std::printf("- - DAMAGED %s\n", Printable(name).c_str());
      continue;
    }
    content.tag.assign(reinterpret_cast<const char*>(info.tag.data()), info.tag_bytes);
    std::printf("%s", Line(name, content).c_str());
  }
}

void Hashes() {
  Prng random(1);
  const std::string bytes = RandomBytes(5000, &random);
  for (uint64_t size = 0; size <= bytes.size(); size += size < 300 ? 1 : 97) {
    const uint64_t seed = random.Next();
    std::printf("%" PRIu64 " %" PRIu64 " %" PRIu64 " %s\n", size, seed,
                base::Hash64(AsBytes(bytes).first(size), seed),
                size == 0 ? "-" : Hex(AsBytes(bytes).first(size)).c_str());
  }
}

}  // namespace
}  // namespace spillway::test

int main(int argc, char** argv) {
  const std::string_view verb = argc > 1 ? argv[1] : "";
  if (verb == "make" && argc == 3) {
    const spillway::base::Status made = spillway::test::Make(argv[2]);
    if (!made.ok()) {
      std::fprintf(stderr, "%s\n", std::string(made.message()).c_str());
    }
    return made.ok() ? 0 : 1;
  }
  for (int i = 2; verb == "list" && i < argc; ++i) {
    spillway::test::List(argv[i]);
  }
  if (verb == "hashes") {
    spillway::test::Hashes();
  }
  return 0;
}
