// import, export: blocks from files of a folder, and back.
#include <memory>

#include "text.h"
#include "verbs.h"

namespace spillway::cli {
namespace {

struct FolderSettings {
  std::string folder;
  std::string prefix;
  Creation creation;
};

Json AsJson(const spw_transfer& transfer) {
  return {{"blocks", transfer.blocks},
          {"bytes", transfer.bytes},
          {"equal", transfer.equal},
          {"ignored", transfer.ignored}};
}

std::string AsText(const spw_transfer& transfer) {
  std::string text = Counted(transfer.blocks, "block") + " (" + SizeExactly(transfer.bytes) +
                     ") moved, " + Grouped(transfer.equal) + " equal already";
  if (transfer.ignored > 0) {
    text += ", " + Grouped(transfer.ignored) + " ignored (links, devices and the like)";
  }
  return text;
}

// Both directions say the same of what they did, also when they did not finish.
template <class Transfer>
ExitCode Run(Session& session, const std::string& label, Transfer run) {
  spw_transfer transfer{};
  transfer.struct_size = sizeof transfer;
  session.progress().Begin(label);
  Telling([&] { run(&transfer); },
          [&](Failure& failure) {
            const bool skipped_damage = failure.status() == SPW_CORRUPT && label == "export";
            failure.Add("transfer",
                        AsText(transfer) +
                            (skipped_damage ? ": every block that is good."
                                            : ", until then; the same command goes on from there."),
                        AsJson(transfer));
          });
  session.progress().End();
  session.Close();
  session.Tell(AsText(transfer), AsJson(transfer));
  return kExitOk;
}

ExitCode Import(Session& session, const FolderSettings& settings) {
  spw_file* const file = OpenToWrite(session, settings.creation, "import");
  return Run(session, "import", [&](spw_transfer* transfer) {
    Call(spw_file_import, file, settings.folder.data(), settings.folder.size(),
         settings.prefix.data(), settings.prefix.size(), session.op(), transfer);
  });
}

ExitCode Export(Session& session, const FolderSettings& settings) {
  spw_file* const file = session.Open();
  return Run(session, "export", [&](spw_transfer* transfer) {
    Call(spw_file_export, file, nullptr, settings.prefix.data(), settings.prefix.size(),
         settings.folder.data(), settings.folder.size(), session.op(), transfer);
  });
}

}  // namespace

void AddImport(CLI::App& app, Command& command) {
  CLI::App& verb = AddVerb(
      app, command, "import", "puts every file below a folder into a block",
      "  spillway import --create doc.blocks folder\n"
      "  spillway import doc.blocks folder --prefix assets/\n\n"
      "A block is called like its file: the prefix, and the path from the folder. What is equal\n"
      "already is not written again, so that the same command goes on after an interruption.\n",
      {kExitOk, kExitFailed, kExitUsage, kExitDamage, kExitBusy, kExitDiskFull, kExitCondition,
       kExitInterrupted});
  auto settings = std::make_shared<FolderSettings>();
  verb.add_option("FOLDER", settings->folder, "where the files are")->required()->type_name("");
  verb.add_option("--prefix", settings->prefix, "what all names begin with")->type_name("TEXT");
  AddCreate(verb, settings->creation);
  verb.callback([&command, settings] {
    command.run = [settings](Session& session) { return Import(session, *settings); };
  });
}

void AddExport(CLI::App& app, Command& command) {
  CLI::App& verb = AddVerb(
      app, command, "export", "writes every block into a file of its own",
      "  spillway export doc.blocks folder\n"
      "  spillway export doc.blocks folder --prefix chapter/\n\n"
      "A damaged block is left out, and everything else is written; the exit code then tells of "
      "it.\n"
      "Files that are equal already are left alone.\n",
      {kExitOk, kExitFailed, kExitUsage, kExitDamage, kExitBusy, kExitDiskFull, kExitInterrupted});
  auto settings = std::make_shared<FolderSettings>();
  verb.add_option("FOLDER", settings->folder, "where to; is made if it is not there")
      ->required()
      ->type_name("");
  verb.add_option("--prefix", settings->prefix,
                  "only names that begin so; files are called without it")
      ->type_name("TEXT");
  verb.callback([&command, settings] {
    command.run = [settings](Session& session) { return Export(session, *settings); };
  });
}

}  // namespace spillway::cli
