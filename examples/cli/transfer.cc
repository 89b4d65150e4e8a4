// get, put: the bytes of one block out and in, in pieces, however large it is.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>
#include <vector>

#include "interrupt.h"
#include "text.h"
#include "verbs.h"

namespace spillway::cli {
namespace {

constexpr size_t kPieceBytes = size_t{3} << 18;  // a multiple of 3, for Base64

struct GetSettings {
  std::string name;
  std::string output;  // empty: standard output
  uint64_t offset = 0;
  uint64_t length = SPW_NO_LIMIT;
};

// Hands the range over piece by piece.
template <class Take>
void ReadRange(Session& session, spw_reader* reader, const std::string& name, uint64_t offset,
               uint64_t length, Take take) {
  std::vector<char> piece(std::min<uint64_t>(length, kPieceBytes));
  Call(spw_reader_seek, reader, offset);
  session.progress().Begin("get");
  for (uint64_t done = 0; done < length;) {
    if (interrupt::Requested()) {
      throw Failure::OfInterrupt();
    }
    uint64_t got = 0;
    Telling(
        [&] {
          Call(spw_reader_read, reader, piece.data(),
               std::min<uint64_t>(length - done, piece.size()), &got);
        },
        [&](Failure& failure) { failure.AboutBlock(name); });
    if (got == 0) {
      break;
    }
    take(std::string_view(piece.data(), got));
    session.progress().Count(done += got, length);
  }
  session.progress().End();
}

ExitCode Get(Session& session, const GetSettings& settings) {
  spw_file* const file = session.Open();
  spw_reader* raw_reader = nullptr;
  Telling(
      [&] {
        Call(spw_reader_open, file, nullptr, settings.name.data(), settings.name.size(),
             &raw_reader);
      },
      [&](Failure& failure) { failure.AboutBlock(settings.name); });
  const Reader reader(raw_reader);
  spw_block_info info{};
  info.struct_size = sizeof info;
  Call(spw_reader_stat, raw_reader, &info);
  const uint64_t offset = std::min(settings.offset, info.length);
  const uint64_t length = std::min(settings.length, info.length - offset);
  Json document = NameAsJson(settings.name);
  document.update(
      {{"length", info.length}, {"version", info.version}, {"offset", offset}, {"bytes", length}});

  if (!settings.output.empty()) {
    OutputFile whole(settings.output);
    ReadRange(session, raw_reader, settings.name, offset, length,
              [&](std::string_view piece) { whole.output().Write(piece); });
    whole.Finish();
    if (session.json()) {
      document["output"] = Printable(settings.output);
      session.out().WriteJson(document);
    }
  } else if (session.json()) {
    std::string begin = document.dump();
    begin.pop_back();
    session.out().Write(begin + ",\"data_base64\":\"");
    ReadRange(session, raw_reader, settings.name, offset, length,
              [&](std::string_view piece) { session.out().Write(Base64(piece)); });
    session.out().Write("\"}\n");
  } else {
    ReadRange(session, raw_reader, settings.name, offset, length,
              [&](std::string_view piece) { session.out().Write(piece); });
  }
  return kExitOk;
}

// A file, a pipe, or standard input.
class Input {
 public:
  explicit Input(const std::string& path) {
    if (path == "-") {
      name_ = "standard input";
      descriptor_ = STDIN_FILENO;
      return;
    }
    name_ = path;
    descriptor_ = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor_ < 0) {
      Fail();
    }
  }
  ~Input() {
    if (descriptor_ > STDERR_FILENO) {
      close(descriptor_);
    }
  }
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;

  // 0: the end.
  size_t Read(std::vector<char>& piece) {
    for (;;) {
      interrupt::WaitReadable(descriptor_);
      const ssize_t got = read(descriptor_, piece.data(), piece.size());
      if (got >= 0) {
        return static_cast<size_t>(got);
      }
      if (errno != EINTR) {
        Fail();
      }
    }
  }

 private:
  [[noreturn]] void Fail() const {
    const Failure failure = Failure::OfErrno("cannot read " + name_);
    throw interrupt::Requested() ? Failure::OfInterrupt() : failure;
  }

  std::string name_;
  int descriptor_;
};

struct PutSettings {
  std::string name;
  std::string source = "-";
  bool if_absent = false;
  std::optional<uint64_t> if_version;
  Creation creation;
};

ExitCode Put(Session& session, const PutSettings& settings) {
  Input input(settings.source);  // before a file is made for it
  const uint64_t expected = settings.if_absent
                                ? SPW_BLOCK_VERSION_NONE
                                : settings.if_version.value_or(SPW_BLOCK_VERSION_ANY);
  spw_file* const file = OpenToWrite(session, settings.creation, "put");
  uint64_t bytes = 0;
  uint64_t version = 0;
  Telling(
      [&] {
        spw_writer* raw_writer = nullptr;
        Call(spw_writer_open, file, nullptr, settings.name.data(), settings.name.size(), expected,
             &raw_writer);
        const Writer writer(raw_writer);
        std::vector<char> piece(kPieceBytes);
        session.progress().Begin("put");
        for (size_t got = 0; (got = input.Read(piece)) > 0;) {
          Call(spw_writer_write, raw_writer, piece.data(), got);
          session.progress().Count(bytes += got, 0);
        }
        Call(spw_writer_commit, raw_writer, &version);
        session.progress().End();
      },
      [&](Failure& failure) {
        failure.AboutBlock(settings.name);
        failure.Add("stored", "Nothing was stored; the block is as it was.", false);
      });
  session.Close();
  Json document = NameAsJson(settings.name);
  document.update({{"length", bytes}, {"version", version}});
  session.Tell(
      Shown(settings.name) + ": " + SizeExactly(bytes) + ", version " + std::to_string(version),
      document);
  return kExitOk;
}

}  // namespace

void AddGet(CLI::App& app, Command& command) {
  CLI::App& verb = AddVerb(
      app, command, "get", "the bytes of a block, or a range of them",
      "  spillway get doc.blocks chapter/1 > chapter-1.txt\n"
      "  spillway get doc.blocks film -o film.mkv\n"
      "  spillway get doc.blocks film --offset 1M --length 64K | xxd\n\n"
      "With -o the output file appears when it is whole. With --json and without -o the bytes are\n"
      "\"data_base64\".\n",
      {kExitOk, kExitFailed, kExitUsage, kExitDamage, kExitBusy, kExitDiskFull, kExitInterrupted,
       kExitOutputClosed});
  auto settings = std::make_shared<GetSettings>();
  verb.add_option("NAME", settings->name, "of the block")->required()->type_name("");
  verb.add_option("-o,--output", settings->output, "where to; standard output without it")
      ->type_name("PATH");
  AddBytes(verb, "--offset", settings->offset, "the first byte; 4096, 64K, 1M, 2G");
  AddBytes(verb, "--length", settings->length, "how many at the most");
  verb.callback([&command, settings] {
    command.run = [settings](Session& session) { return Get(session, *settings); };
  });
}

void AddPut(CLI::App& app, Command& command) {
  CLI::App& verb =
      AddVerb(app, command, "put", "makes a block of a file or of standard input, or replaces one",
              "  spillway put --create doc.blocks chapter/1 chapter-1.txt\n"
              "  tar c folder | spillway put doc.blocks backup.tar\n"
              "  spillway put doc.blocks settings --if-version 12 settings.json\n\n"
              "The block appears whole and durable, or stays as it was, also after a crash.\n",
              {kExitOk, kExitFailed, kExitUsage, kExitDamage, kExitBusy, kExitDiskFull,
               kExitCondition, kExitInterrupted});
  auto settings = std::make_shared<PutSettings>();
  verb.add_option("NAME", settings->name, "of the block")->required()->type_name("");
  verb.add_option("SOURCE", settings->source, "its bytes; - or nothing: standard input")
      ->type_name("");
  CLI::Option* const absent =
      verb.add_flag("--if-absent", settings->if_absent, "only if there is no such block yet");
  verb.add_option("--if-version", settings->if_version, "only if it has this version (see ls -l)")
      ->transform(IsNumber())
      ->check(CLI::Range(uint64_t{1}, uint64_t{1} << 62))
      ->type_name("N")
      ->excludes(absent);
  AddCreate(verb, settings->creation);
  verb.callback([&command, settings] {
    command.run = [settings](Session& session) { return Put(session, *settings); };
  });
}

}  // namespace spillway::cli
