// info, ls: what is in a file.
#include <memory>
#include <optional>

#include "store.h"
#include "text.h"
#include "verbs.h"

namespace spillway::cli {
namespace {

// The interface does not tell the kind, but refuses the wrong one.
const char* OpenTellingChecksum(Session& session) {
  constexpr std::pair<int64_t, const char*> kKinds[] = {{SPW_CHECKSUM_XXH3, "xxh3"},
                                                        {SPW_CHECKSUM_SHA256, "sha256"}};
  for (const auto& [kind, name] : kKinds) {
    try {
      session.Open({.checksum = kind});
      return name;
    } catch (const Failure& failure) {
      if (failure.status() != SPW_INVALID_ARGUMENT) {
        throw;
      }
    }
  }
  session.Open();
  return "unknown";
}

struct StoreSeen {
  uint64_t blocks = 0;  // of a block file, that the store takes
  uint64_t bytes = 0;   // of them, or of a SQLite database
  std::vector<StreamSeen> streams;
};

// What begins so is the library's: the records and what describes them.
void CountStoreBlocks(spw_file* file, StoreSeen* seen) {
  constexpr std::string_view kPrefix = ".spillway/";
  spw_list* raw_list = nullptr;
  Call(spw_list_open, file, nullptr, kPrefix.data(), kPrefix.size(), 0U, &raw_list);
  const List list(raw_list);
  spw_block_view view{};
  view.struct_size = sizeof view;
  do {
    Call(spw_list_next, raw_list, uint64_t{1024}, &view);
    for (uint64_t i = 0; i < view.count; ++i) {
      seen->bytes += view.infos[i].length;
    }
    seen->blocks += view.count;
  } while (view.count > 0);
}

StoreSeen SeeStore(Session& session, Holds holds) {
  StoreSeen seen;
  if (holds == Holds::kRecordsInBlockFile) {
    CountStoreBlocks(session.Open(), &seen);
  }
  spw_store* const store = session.OpenStore();
  seen.streams = StreamsOf(store);
  if (holds == Holds::kRecordsInSqlite) {
    spw_stats stats{};
    stats.struct_size = sizeof stats;
    Call(spw_store_stats, store, &stats);
    seen.bytes = stats.cold_file_bytes;
  }
  session.CloseStore();
  return seen;
}

Json AsJson(Holds holds, const StoreSeen& seen) {
  Json json = {{"tier", TierName(holds)}, {"records", RecordsIn(seen.streams)}};
  if (holds == Holds::kRecordsInBlockFile) {
    json["blocks"] = seen.blocks;
  }
  json["bytes"] = seen.bytes;
  json["streams"] = AsJson(seen.streams);
  return json;
}

std::string AsText(Holds holds, const StoreSeen& seen) {
  return "  records    " + Grouped(RecordsIn(seen.streams)) + " in " +
         Counted(seen.streams.size(), "stream") + ", in " +
         (holds == Holds::kRecordsInSqlite ? "a SQLite database of"
                                           : Grouped(seen.blocks) + " of the blocks, which take") +
         " " + SizeExactly(seen.bytes) + "\n" + AsTable(seen.streams);
}

ExitCode InfoOfSqlite(Session& session) {
  const StoreSeen seen = SeeStore(session, Holds::kRecordsInSqlite);
  if (session.json()) {
    session.out().WriteJson(
        {{"file", Printable(session.path())}, {"store", AsJson(Holds::kRecordsInSqlite, seen)}});
  } else {
    session.out().Write(Printable(session.path()) + "\n" + AsText(Holds::kRecordsInSqlite, seen));
  }
  return kExitOk;
}

ExitCode Info(Session& session) {
  const Holds holds = WhatIsIn(session);
  if (holds == Holds::kRecordsInSqlite) {
    return InfoOfSqlite(session);
  }
  const std::string checksum = OpenTellingChecksum(session);
  spw_block_stats stats{};
  stats.struct_size = sizeof stats;
  Call(spw_file_stats, session.Open(), &stats);
  std::optional<StoreSeen> store;
  if (holds == Holds::kRecordsInBlockFile) {
    store = SeeStore(session, holds);
  } else {
    session.Close();
  }
  if (session.json()) {
    Json document = {{"file", Printable(session.path())},
                     {"blocks", stats.blocks},
                     {"payload_bytes", stats.payload_bytes},
                     {"file_bytes", stats.bytes_file},
                     {"disk_bytes", stats.bytes_disk},
                     {"used_bytes", stats.bytes_used},
                     {"held_bytes", stats.bytes_held},
                     {"free_bytes", stats.bytes_free},
                     {"checksum", checksum},
                     {"journal_blocks", stats.blocks_dirty}};
    if (store.has_value()) {
      document["store"] = AsJson(holds, *store);
    }
    session.out().WriteJson(document);
    return kExitOk;
  }
  const std::string journal = stats.blocks_dirty == 0 ? "nothing to replay"
                                                      : Counted(stats.blocks_dirty, "change") +
                                                            " that the next writer replays";
  session.out().Write(
      Printable(session.path()) + "\n  blocks     " + Grouped(stats.blocks) + "\n  payload    " +
      SizeExactly(stats.payload_bytes) + "\n  file       " + SizeExactly(stats.bytes_file) +
      "\n  on disk    " + SizeExactly(stats.bytes_disk) + "\n  used       " +
      SizeExactly(stats.bytes_used) + "\n  held       " + SizeExactly(stats.bytes_held) +
      "\n  free       " + SizeExactly(stats.bytes_free) + "\n  checksum   " + checksum +
      "\n  journal    " + journal + "\n" + (store.has_value() ? AsText(holds, *store) : ""));
  return kExitOk;
}

struct LsSettings {
  std::string prefix;
  bool is_long = false;
  bool null = false;
};

std::string AsLine(const LsSettings& settings, std::string_view name, const spw_block_info* info) {
  std::string line;
  if (settings.is_long) {
    const std::string length = std::to_string(info->length);
    const std::string version = std::to_string(info->version);
    line += std::string(length.size() < 12 ? 12 - length.size() : 0, ' ') + length + " ";
    line += std::string(version.size() < 8 ? 8 - version.size() : 0, ' ') + version + " ";
    line += Time(info->modified_ns) + " ";
  }
  if (settings.null) {
    line += name;
    line += '\0';
  } else {
    line += Shown(name) + "\n";
  }
  return line;
}

Json AsJson(std::string_view name, const spw_block_info& info) {
  Json line = NameAsJson(name);
  line["length"] = info.length;
  line["version"] = info.version;
  line["created_ns"] = info.created_ns;
  line["modified_ns"] = info.modified_ns;
  line["tag_hex"] = Hex({reinterpret_cast<const char*>(info.tag), info.tag_len});
  return line;
}

ExitCode Ls(Session& session, const LsSettings& settings) {
  constexpr uint64_t kPageBlocks = 1024;
  const bool as_json = session.json();
  const bool with_infos = settings.is_long || as_json;
  spw_list* raw_list = nullptr;
  Call(spw_list_open, session.Open(), nullptr, settings.prefix.data(), settings.prefix.size(),
       with_infos ? 0U : SPW_LIST_NAMES_ONLY, &raw_list);
  const List list(raw_list);
  spw_block_view view{};
  view.struct_size = sizeof view;
  for (;;) {
    Call(spw_list_next, raw_list, kPageBlocks, &view);
    if (view.count == 0) {
      return kExitOk;
    }
    for (uint64_t i = 0; i < view.count; ++i) {
      const std::string_view name(view.names + view.name_offsets[i],
                                  view.name_offsets[i + 1] - view.name_offsets[i]);
      const spw_block_info* const info = with_infos ? &view.infos[i] : nullptr;
      if (as_json) {
        session.out().WriteJson(AsJson(name, *info));
      } else {
        session.out().Write(AsLine(settings, name, info));
      }
    }
  }
}

}  // namespace

void AddInfo(CLI::App& app, Command& command) {
  CLI::App& verb =
      AddVerb(app, command, "info", "how much is in a file, blocks and records, and what it takes",
              "  spillway info doc.blocks\n"
              "  spillway info --json doc.blocks | jq .free_bytes\n",
              {kExitOk, kExitFailed, kExitUsage, kExitDamage, kExitBusy, kExitInterrupted});
  verb.callback([&command] { command.run = Info; });
}

void AddLs(CLI::App& app, Command& command) {
  CLI::App& verb = AddVerb(
      app, command, "ls", "the names of the blocks, in their order",
      "  spillway ls doc.blocks\n"
      "  spillway ls -l doc.blocks chapter/\n"
      "  spillway ls -0 doc.blocks | xargs -0 -n 1 spillway get doc.blocks\n\n"
      "A line is a name; control bytes, what is no UTF-8, and backslashes are escaped (\\n, "
      "\\xff,\n"
      "\\\\); -0 gives names as they are. -l: bytes, version, last change (UTC), name. --json: a\n"
      "document per line; a name that is no UTF-8 is escaped there, and has a \"name_hex\" beside "
      "it.\n",
      {kExitOk, kExitFailed, kExitUsage, kExitDamage, kExitBusy, kExitInterrupted,
       kExitOutputClosed});
  auto settings = std::make_shared<LsSettings>();
  verb.add_option("PREFIX", settings->prefix, "only names that begin so")->type_name("");
  verb.add_flag("-l,--long", settings->is_long, "bytes, version and time beside the name");
  verb.add_flag("-0,--null", settings->null, "names as they are, with a 0 byte after each")
      ->excludes("--json");
  verb.callback([&command, settings] {
    command.run = [settings](Session& session) { return Ls(session, *settings); };
  });
}

}  // namespace spillway::cli
