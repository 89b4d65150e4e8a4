// spillway: block files and record stores from the command line. What each verb does is told by
// --help; where it stands here, by verbs.h.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <iterator>
#include <string_view>
#include <vector>

#include "interrupt.h"
#include "verbs.h"

namespace spillway::cli {
namespace {

// So that a file that is opened later cannot stand where output goes to. Opened the wrong way
// round: using one that was closed stays an error.
void FillStandardDescriptors() {
  for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; ++descriptor) {
    if (fcntl(descriptor, F_GETFD) < 0) {
      open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY);
    }
  }
}

void Say(const std::string& text) {
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, text.data(), text.size());
}

ExitCode TellFailure(const Failure& failure, bool json) {
  Say(json ? failure.AsJson() : failure.Text());
  return failure.exit_code();
}

void AddVerbs(CLI::App& app, Command& command) {
  app.require_subcommand(1);
  app.set_help_flag("-h,--help", "this text");
  app.set_version_flag("--version", std::string("spillway ") + spw_version(),
                       "the version of the library");
  app.footer(
      "Examples:\n"
      "  echo Hello | spillway put --create doc.blocks greeting\n"
      "  spillway ls -l doc.blocks\n"
      "  spillway verify doc.blocks\n\n" +
      ExitCodes({kExitOk, kExitFailed, kExitUsage, kExitDamage, kExitBusy, kExitDiskFull,
                 kExitCondition, kExitInterrupted, kExitOutputClosed}) +
      "\n\nSizes may end in K, M, G or T (powers of 1024). A name that begins with - comes after "
      "--.\n"
      "`spillway VERB --help` tells more of each.");
  AddInfo(app, command);
  AddLs(app, command);
  AddGet(app, command);
  AddPut(app, command);
  AddRm(app, command);
  AddMv(app, command);
  AddVerify(app, command);
  AddVacuum(app, command);
  AddCopy(app, command);
  AddImport(app, command);
  AddExport(app, command);
  AddStreams(app, command);
  AddStats(app, command);
  AddTrim(app, command);
  AddClear(app, command);
}

// CLI11 takes "[a,b]" for a list of two where several arguments may stand. A 0 byte at its end,
// which no argument can have, keeps it as it is until the option gets it.
std::vector<std::string> Guarded(int argc, char** argv) {
  std::vector<std::string> arguments(std::make_reverse_iterator(argv + argc),
                                     std::make_reverse_iterator(argv + 1));
  for (std::string& argument : arguments) {
    if (!argument.empty() && argument.front() == '[' && argument.back() == ']') {
      argument += '\0';
    }
  }
  return arguments;
}

void Unguard(CLI::App& app) {
  const CLI::Validator unguard(
      [](std::string& argument) {
        if (!argument.empty() && argument.back() == '\0') {
          argument.pop_back();
        }
        return std::string();
      },
      "");
  for (CLI::App* const verb : app.get_subcommands({})) {
    for (CLI::Option* const option : verb->get_options()) {
      option->transform(unguard);
    }
  }
}

ExitCode TellWrongUsage(const CLI::App& app, const CLI::ParseError& error, bool json) {
  Failure failure = Failure::OfUsage(error.what());
  std::string help = "spillway";
  for (const CLI::App* const verb : app.get_subcommands()) {
    help += " " + verb->get_name();
  }
  help += " --help tells how it is used";
  failure.Add("hint", help + ".", help);
  return TellFailure(failure, json);
}

ExitCode RunVerb(const Command& command) {
  interrupt::Install();
  Session session(command.path, command.json);
  try {
    const ExitCode code = command.run(session);
    session.CloseIfOpen();
    session.out().Flush();
    return code;
  } catch (Failure& failure) {
    session.progress().End();
    session.CloseIfOpen();
    session.out().FlushIfPossible();
    if (failure.status() == SPW_CORRUPT && command.verb != "verify") {
      const std::string hint = "spillway verify tells what is damaged";
      failure.Add("hint", hint + ".", hint);
    }
    return TellFailure(failure, command.json);
  }
}

ExitCode Main(int argc, char** argv) {
  FillStandardDescriptors();
  CLI::App app(
      "Block files, many named blocks in one crash-safe file, and the record stores in them.",
      "spillway");
  Command command;
  AddVerbs(app, command);
  Unguard(app);
  try {
    app.parse(Guarded(argc, argv));
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) {  // --help, --version
      app.exit(error);
      return kExitOk;
    }
    const bool json = std::find(argv, argv + argc, std::string_view("--json")) != argv + argc;
    return TellWrongUsage(app, error, json);
  }
  return RunVerb(command);
}

}  // namespace
}  // namespace spillway::cli

int main(int argc, char** argv) {
  using namespace spillway::cli;
  try {
    return Main(argc, argv);
  } catch (const OutputClosed&) {
    return kExitOutputClosed;
  } catch (const Failure& failure) {
    return TellFailure(failure, false);
  } catch (const std::bad_alloc&) {
    Say("spillway: out of memory\n");
  } catch (const std::exception& error) {
    Say(std::string("spillway: ") + error.what() + "\n");
  }
  return kExitFailed;
}
