#include "verbs.h"

#include <cctype>
#include <charconv>
#include <string_view>

namespace spillway::cli {
namespace {

const char* Meaning(ExitCode code) {
  switch (code) {
    case kExitOk:
      return "done";
    case kExitFailed:
      return "not found, or another failure";
    case kExitUsage:
      return "wrong usage; nothing was done";
    case kExitDamage:
      return "damage found";
    case kExitBusy:
      return "another process has the file open";
    case kExitDiskFull:
      return "the disk is full";
    case kExitCondition:
      return "it exists already, or has another version";
    case kExitInterrupted:
      return "interrupted by Ctrl-C";
    case kExitOutputClosed:
      return "whoever read the output went away";
  }
  return "";
}

// How many characters the number takes that `text` begins with; 0: none, or too large.
size_t ParseDigits(const std::string& text, uint64_t* number) {
  const char* const begin = text.data();
  const auto [end, error] = std::from_chars(begin, begin + text.size(), *number);
  return error == std::errc() ? static_cast<size_t>(end - begin) : 0;
}

// As CLI11 wants it: replaces the text by the number, returns what is wrong with it.
std::string ParseBytes(std::string& text) {
  constexpr std::string_view kUnits = "KMGT";
  uint64_t number = 0;
  const size_t digits = ParseDigits(text, &number);
  const std::string_view unit = std::string_view(text).substr(digits);
  const size_t power =
      unit.size() == 1 ? kUnits.find(static_cast<char>(std::toupper(unit[0]))) + 1 : 0;
  const uint64_t limit = UINT64_MAX >> (10 * power);
  if (digits == 0 || (!unit.empty() && power == 0) || number > limit) {
    return "\"" + text + "\" is not a number of bytes, such as 4096, 64K, 1M, 2G or 1T";
  }
  text = std::to_string(number << (10 * power));
  return {};
}

}  // namespace

std::string ExitCodes(std::initializer_list<ExitCode> codes) {
  std::string text = "Exit codes:\n";
  for (const ExitCode code : codes) {
    const std::string number = std::to_string(code);
    text += "  " + std::string(3 - number.size(), ' ') + number + "  " + Meaning(code) + "\n";
  }
  text.pop_back();
  return text;
}

CLI::App& AddVerb(CLI::App& app, Command& command, const std::string& name,
                  const std::string& description, const std::string& examples,
                  std::initializer_list<ExitCode> codes) {
  CLI::App& verb = *app.add_subcommand(name, description);
  verb.add_option("FILE", command.path, "the block file, or record store")
      ->required()
      ->type_name("");
  verb.add_flag("--json", command.json, "the result, and errors on standard error, as JSON");
  verb.set_help_flag("-h,--help", "this text");
  verb.footer("Examples:\n" + examples + "\n" + ExitCodes(codes));
  verb.parse_complete_callback([&command, name] { command.verb = name; });
  return verb;
}

CLI::Option* AddBytes(CLI::App& verb, const std::string& name, uint64_t& bytes,
                      const std::string& description) {
  return verb.add_option(name, bytes, description)
      ->transform(CLI::Validator(ParseBytes, ""))
      ->type_name("BYTES");
}

CLI::Validator IsNumber() {
  return {[](std::string& text) {
            uint64_t number = 0;
            if (ParseDigits(text, &number) != text.size()) {
              return "\"" + text + "\" is not a number";
            }
            text = std::to_string(number);
            return std::string();
          },
          ""};
}

void AddCreate(CLI::App& verb, Creation& creation) {
  CLI::Option* const create =
      verb.add_flag("--create", creation.wanted, "makes the block file if there is none");
  verb.add_option_function<std::string>(
          "--checksum",
          [&creation](const std::string& kind) {
            creation.checksum = kind == "sha256" ? SPW_CHECKSUM_SHA256 : SPW_CHECKSUM_XXH3;
          },
          "of a file that is made: xxh3 (the default) or sha256")
      ->check(CLI::IsMember({"xxh3", "sha256"}))
      ->type_name("KIND")
      ->needs(create);
}

spw_file* OpenToWrite(Session& session, const Creation& creation, const std::string& verb) {
  spw_file* file = nullptr;
  Telling(
      [&] {
        file = session.Open({.open = creation.wanted ? SPW_OPEN_CREATE : SPW_OPEN_EXISTING,
                             .checksum = creation.checksum});
      },
      [&](Failure& failure) {
        if (failure.status() == SPW_NOT_FOUND && !creation.wanted) {
          const std::string hint = verb + " --create makes the file";
          failure.Add("hint", hint + ".", hint);
        }
      });
  return file;
}

}  // namespace spillway::cli
