#include "tests/bench/blocks/listing.h"

#include <array>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string_view>

#include "tests/bench/blocks/contents.h"
#include "tests/bench/judge.h"
#include "tests/bench/measure.h"

namespace spillway::bench {
namespace {

constexpr std::string_view kFlag = "--list-blocks";
constexpr const char* kLine = "listing %lf %" SCNu64 " %" SCNu64 " %lf %" SCNu64 " %d";
constexpr std::string_view kPrefix = "f4";  // ten of the hundred folders
constexpr size_t kPasses = 5;

Listing Measure(const BlockContestant& contestant, const std::string& folder) {
  const BlockSet none({.count = 0, .bytes_min = kListedBytes, .bytes_max = kListedBytes});
  const std::unique_ptr<BlockStore> store = contestant.make(none);
  Listing listing;
  const uint64_t resident = ResidentBytes();
  const uint64_t anonymous = AnonymousBytes();
  const Stopwatch watch;
  store->Open(folder, Durability::kEachBatch);
  listing.open_seconds = watch.seconds();
  const uint64_t resident_now = ResidentBytes();
  const uint64_t anonymous_now = AnonymousBytes();
  listing.open_resident_bytes = resident_now > resident ? resident_now - resident : 0;
  listing.open_anonymous_bytes = anonymous_now > anonymous ? anonymous_now - anonymous : 0;
  listing.in_order = true;
  std::vector<double> seconds;
  for (size_t pass = 0; pass < kPasses; ++pass) {
    NameList names;
    const Stopwatch pass_watch;
    store->List(kPrefix, &names);
    seconds.push_back(pass_watch.seconds());
    listing.names = names.count();
    listing.in_order = listing.in_order && names.in_order();
  }
  listing.names_per_second = static_cast<double>(listing.names) / Median(seconds);
  store->Close();
  return listing;
}

// As a word of the shell.
std::string Quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) {
    quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  return quoted + "'";
}

}  // namespace

ListingBench::ListingBench(const BlockContestant& contestant, size_t blocks)
    : contestant_(contestant), blocks_(blocks) {
  const BlockSet set({.count = blocks, .bytes_min = kListedBytes, .bytes_max = kListedBytes});
  const std::unique_ptr<BlockStore> store = contestant.make(set);
  Preload(store.get(), set, set.count(), folder_.path());
  store->Open(folder_.path(), Durability::kEachBatch);  // may have a log to replay
  store->Close();
}

Listing ListingBench::Run() const {
  WarmFolder(folder_.path());
  Settle(folder_.path());
  const std::string command = Quoted(std::filesystem::read_symlink("/proc/self/exe").string()) +
                              " " + std::string(kFlag) + " " + Quoted(contestant_.name) + " " +
                              Quoted(folder_.path());
  std::fflush(stdout);
  FILE* output = popen(command.c_str(), "r");
  if (output == nullptr) {
    DieErrno("popen");
  }
  std::array<char, 256> line = {};
  Listing listing;
  int in_order = 0;
  const bool got = std::fgets(line.data(), line.size(), output) != nullptr &&
                   std::sscanf(line.data(), kLine, &listing.open_seconds,
                               &listing.open_resident_bytes, &listing.open_anonymous_bytes,
                               &listing.names_per_second, &listing.names, &in_order) == 6;
  if (pclose(output) != 0 || !got) {
    Die("no answer from: " + command);
  }
  listing.in_order = in_order == 1;
  return listing;
}

void ListIfAsked(int argc, char** argv) {
  if (argc != 4 || argv[1] != kFlag) {
    return;
  }
  const BlockContestant* contestant = FindBlockContestant(argv[2]);
  if (contestant == nullptr) {
    Die(std::string("no contestant ") + argv[2]);
  }
  const Listing listing = Measure(*contestant, argv[3]);
  std::printf("listing %.9f %" PRIu64 " %" PRIu64 " %.1f %" PRIu64 " %d\n", listing.open_seconds,
              listing.open_resident_bytes, listing.open_anonymous_bytes, listing.names_per_second,
              listing.names, listing.in_order ? 1 : 0);
  std::fflush(stdout);
  std::exit(0);
}

}  // namespace spillway::bench
