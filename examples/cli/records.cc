// streams, stats, trim, clear: record stores.
#include <sys/stat.h>

#include <charconv>
#include <memory>

#include "store.h"
#include "text.h"
#include "verbs.h"

namespace spillway::cli {
namespace {

ExitCode Streams(Session& session) {
  const std::vector<StreamSeen> streams = StreamsOf(OpenRecords(session));
  session.CloseStore();
  if (session.json()) {
    for (const StreamSeen& stream : streams) {
      session.out().WriteJson(AsJson(stream));
    }
  } else {
    session.out().Write(AsTable(streams));
  }
  return kExitOk;
}

// What the library says of a store beyond its streams, that is not of this process alone.
ExitCode Stats(Session& session) {
  spw_store* const store = OpenRecords(session);
  const std::vector<StreamSeen> streams = StreamsOf(store);
  spw_stats stats{};
  stats.struct_size = sizeof stats;
  Call(spw_store_stats, store, &stats);
  session.CloseStore();
  const char* const health = spw_status_name(static_cast<spw_status>(stats.health));
  if (session.json()) {
    session.out().WriteJson({{"file", Printable(session.path())},
                             {"streams_count", stats.streams},
                             {"records_live", stats.records_live},
                             {"records_cold", stats.records_cold},
                             {"cold_file_bytes", stats.cold_file_bytes},
                             {"checksum_errors", stats.checksum_errors},
                             {"health", health},
                             {"streams", AsJson(streams)}});
    return kExitOk;
  }
  session.out().Write(Printable(session.path()) + "\n  streams    " + Grouped(stats.streams) +
                      "\n  records    " + Grouped(stats.records_live) + "\n  on disk    " +
                      Grouped(stats.records_cold) + " records, files of " +
                      SizeExactly(stats.cold_file_bytes) + "\n  health     " + health + "\n" +
                      AsTable(streams));
  return kExitOk;
}

struct TrimSettings {
  std::string stream;
  uint64_t before_seq = SPW_SEQ_NONE;
  int64_t before_time = 0;
  bool by_time = false;
  uint64_t bytes_most = SPW_NO_LIMIT;
  bool by_bytes = false;
};

uint64_t DiskBytes(const std::string& path) {
  struct stat found = {};
  return stat(path.c_str(), &found) == 0 ? static_cast<uint64_t>(found.st_blocks) * 512 : 0;
}

uint32_t FindStream(spw_store* store, const std::string& name) {
  uint32_t id = SPW_ALL;
  Telling([&] { Call(spw_store_stream, store, name.data(), name.size(), nullptr, 0U, &id); },
          [&](Failure& failure) {
            failure.AboutBlock(name);
            if (failure.status() == SPW_NOT_FOUND) {
              const std::string hint = "spillway streams shows which there are";
              failure.Add("hint", hint + ".", hint);
            }
          });
  return id;
}

// `drop` drops some of the oldest records of the stream; they are gone for good when this returns.
template <class Drop>
ExitCode Drops(Session& session, const std::string& name, Drop drop) {
  spw_store* const store = OpenRecords(session);
  const uint64_t disk_before = DiskBytes(session.path());
  const uint32_t id = FindStream(store, name);
  const StreamSeen before = SeeStream(store, id);
  session.progress().Begin("dropping");
  Telling([&] { drop(store, id); },
          [&](Failure& failure) {
            failure.AboutBlock(name);
            failure.Add("dropped", "Nothing was dropped.", 0);
          });
  Call(spw_store_flush, store, SPW_FLUSH_DEVICE, SPW_WAIT_FOREVER, session.op());
  session.progress().End();
  const StreamSeen after = SeeStream(store, id);
  session.CloseStore();
  const uint64_t disk_after = DiskBytes(session.path());
  const uint64_t dropped = after.stats.begin_seq - before.stats.begin_seq;
  Json document = {{"dropped", dropped}};
  document.update(AsJson(after));
  document.update({{"disk_bytes_before", disk_before}, {"disk_bytes_after", disk_after}});
  session.Tell(Shown(name) + ": " + Counted(dropped, "record") + " dropped, " +
                   Counted(after.records(), "record") + " left from " +
                   Grouped(after.stats.begin_seq) + " on\non disk: " + SizeExactly(disk_before) +
                   ", now " + SizeExactly(disk_after),
               document);
  return kExitOk;
}

ExitCode Trim(Session& session, const TrimSettings& settings) {
  return Drops(session, settings.stream, [&](spw_store* store, uint32_t id) {
    if (settings.by_time) {
      Call(spw_store_trim_time, store, id, settings.before_time, nullptr);
    } else if (settings.by_bytes) {
      Call(spw_store_trim_bytes, store, id, settings.bytes_most, nullptr);
    } else {
      Call(spw_store_trim, store, id, settings.before_seq);
    }
  });
}

CLI::Validator IsTime() {
  return {[](std::string& text) {
            int64_t number = 0;
            const char* const end = text.data() + text.size();
            const auto [rest, error] = std::from_chars(text.data(), end, number);
            if (error != std::errc() || rest != end) {
              return "\"" + text + "\" is not a time, a whole number";
            }
            text = std::to_string(number);
            return std::string();
          },
          ""};
}

constexpr std::initializer_list<ExitCode> kReadingCodes = {
    kExitOk, kExitFailed, kExitUsage, kExitDamage, kExitBusy, kExitInterrupted, kExitOutputClosed};
constexpr std::initializer_list<ExitCode> kChangingCodes = {
    kExitOk, kExitFailed, kExitUsage, kExitDamage, kExitBusy, kExitDiskFull, kExitInterrupted};

void AddStream(CLI::App& verb, std::string& stream) {
  verb.add_option("STREAM", stream, "the stream's name")->required()->type_name("");
}

}  // namespace

void AddStreams(CLI::App& app, Command& command) {
  CLI::App& verb = AddVerb(
      app, command, "streams", "the streams of a record store",
      "  spillway streams log.spw\n"
      "  spillway streams --json log.spw | jq .records\n\n"
      "A line for each stream: records, sequence number of the first and behind the last, whether\n"
      "its records have times, name. --json: a document per line.\n",
      kReadingCodes);
  verb.callback([&command] { command.run = Streams; });
}

void AddStats(CLI::App& app, Command& command) {
  CLI::App& verb = AddVerb(app, command, "stats", "what a record store says of itself",
                           "  spillway stats log.spw\n"
                           "  spillway stats --json log.spw | jq .cold_file_bytes\n",
                           kReadingCodes);
  verb.callback([&command] { command.run = Stats; });
}

void AddTrim(CLI::App& app, Command& command) {
  CLI::App& verb = AddVerb(
      app, command, "trim", "drops the oldest records of a stream",
      "  spillway trim log.spw requests --before-seq 100000\n"
      "  spillway trim log.spw requests --before-time 1767225600000000000\n"
      "  spillway trim log.spw requests --bytes-most 1G\n\n"
      "Sequence numbers of the others stay as they are. A time is what the records have,\n"
      "nanoseconds since 1970 by convention. What was dropped is gone for good when the command\n"
      "ends; of a block file, spillway vacuum gives the rest of its space back.\n",
      kChangingCodes);
  auto settings = std::make_shared<TrimSettings>();
  AddStream(verb, settings->stream);
  CLI::Option* const by_seq =
      verb.add_option("--before-seq", settings->before_seq, "drops those below this number")
          ->transform(IsNumber())
          ->type_name("N");
  CLI::Option* const by_time =
      verb.add_option("--before-time", settings->before_time,
                      "drops those in front of the first whose time is not below it")
          ->transform(IsTime())
          ->type_name("T");
  CLI::Option* const by_bytes =
      AddBytes(verb, "--bytes-most", settings->bytes_most,
               "drops as few as leave at most so much payload; 64K, 1M, 2G");
  by_time->excludes(by_seq)->excludes(by_bytes);
  by_seq->excludes(by_bytes);
  verb.callback([&command, settings, by_seq, by_time, by_bytes] {
    if (by_seq->empty() && by_time->empty() && by_bytes->empty()) {
      throw CLI::RequiredError("one of --before-seq, --before-time and --bytes-most");
    }
    settings->by_time = !by_time->empty();
    settings->by_bytes = !by_bytes->empty();
    command.run = [settings](Session& session) { return Trim(session, *settings); };
  });
}

void AddClear(CLI::App& app, Command& command) {
  CLI::App& verb = AddVerb(app, command, "clear", "drops all records of a stream",
                           "  spillway clear log.spw requests\n\n"
                           "The stream stays, and its sequence numbers go on.\n",
                           kChangingCodes);
  auto stream = std::make_shared<std::string>();
  AddStream(verb, *stream);
  verb.callback([&command, stream] {
    command.run = [stream](Session& session) {
      return Drops(session, *stream,
                   [](spw_store* store, uint32_t id) { Call(spw_store_clear, store, id); });
    };
  });
}

}  // namespace spillway::cli
