// The verbs: each adds itself to the command line, with its options and its help, and leaves in the
// command what is to be done if it is the one.
#ifndef SPILLWAY_CLI_VERBS_H
#define SPILLWAY_CLI_VERBS_H

#include <CLI/CLI.hpp>
#include <functional>
#include <initializer_list>
#include <string>

#include "failure.h"
#include "session.h"

namespace spillway::cli {

struct Command {
  std::string path;  // of the block file
  bool json = false;
  std::string verb;
  std::function<ExitCode(Session&)> run;
};

// A verb with what all have: the file, --json, --help that ends with examples and exit codes.
CLI::App& AddVerb(CLI::App& app, Command& command, const std::string& name,
                  const std::string& description, const std::string& examples,
                  std::initializer_list<ExitCode> codes);

// What a code means, for --help.
std::string ExitCodes(std::initializer_list<ExitCode> codes);

// Options that take bytes (4096, 64K, 1M, 2G: powers of 1024), and plain numbers. What CLI11 has
// for them takes -1 for a very large number and 010 for 8.
CLI::Option* AddBytes(CLI::App& verb, const std::string& name, uint64_t& bytes,
                      const std::string& description);
CLI::Validator IsNumber();

// What a verb does if there is no file yet.
struct Creation {
  bool wanted = false;
  int64_t checksum = 0;  // SPW_CHECKSUM_*; 0: the library's choice
};
// --create, and --checksum for a file that it makes.
void AddCreate(CLI::App& verb, Creation& creation);
// Opens the session's file for a verb that has --create; a failure for want of it says so.
spw_file* OpenToWrite(Session& session, const Creation& creation, const std::string& verb);

void AddInfo(CLI::App& app, Command& command);
void AddLs(CLI::App& app, Command& command);
void AddGet(CLI::App& app, Command& command);
void AddPut(CLI::App& app, Command& command);
void AddRm(CLI::App& app, Command& command);
void AddMv(CLI::App& app, Command& command);
void AddVerify(CLI::App& app, Command& command);
void AddVacuum(CLI::App& app, Command& command);
void AddCopy(CLI::App& app, Command& command);
void AddImport(CLI::App& app, Command& command);
void AddExport(CLI::App& app, Command& command);
void AddStreams(CLI::App& app, Command& command);
void AddStats(CLI::App& app, Command& command);
void AddTrim(CLI::App& app, Command& command);
void AddClear(CLI::App& app, Command& command);

}  // namespace spillway::cli

#endif  // SPILLWAY_CLI_VERBS_H
