// rm, mv: changes that move no bytes.
#include <memory>
#include <vector>

#include "interrupt.h"
#include "text.h"
#include "verbs.h"

namespace spillway::cli {
namespace {

constexpr OpenHow kToWrite = {.open = SPW_OPEN_EXISTING};

struct RmSettings {
  std::vector<std::string> names;
  std::string prefix;
  bool all = false;
};

Transaction Begin(spw_file* file) {
  spw_txn* transaction = nullptr;
  Call(spw_txn_begin, file, 0U, &transaction);
  return Transaction(transaction);
}

void Delete(spw_file* file, spw_txn* transaction, std::string_view name) {
  Telling(
      [&] {
        Call(spw_block_delete, file, transaction, name.data(), name.size(), SPW_BLOCK_VERSION_ANY);
      },
      [&](Failure& failure) { failure.AboutBlock(name); });
}

// In steps, so that neither memory nor the journal has to take them all at once.
void RemovePrefix(spw_file* file, const std::string& prefix, uint64_t* removed) {
  constexpr uint64_t kStepBlocks = 1024;
  spw_list* raw_list = nullptr;
  Call(spw_list_open, file, nullptr, prefix.data(), prefix.size(), SPW_LIST_NAMES_ONLY, &raw_list);
  const List list(raw_list);
  spw_block_view view{};
  view.struct_size = sizeof view;
  for (;;) {
    if (interrupt::Requested()) {
      throw Failure::OfInterrupt();
    }
    Call(spw_list_next, raw_list, kStepBlocks, &view);
    if (view.count == 0) {
      return;
    }
    const Transaction step = Begin(file);
    for (uint64_t i = 0; i < view.count; ++i) {
      Delete(file, step.get(),
             {view.names + view.name_offsets[i], view.name_offsets[i + 1] - view.name_offsets[i]});
    }
    Call(spw_txn_commit, step.get(), SPW_COMMIT_RELAXED);
    *removed += view.count;
  }
}

ExitCode Rm(Session& session, const RmSettings& settings) {
  spw_file* const file = session.Open(kToWrite);
  uint64_t removed = 0;
  Telling(
      [&] {
        if (!settings.names.empty()) {
          const Transaction all = Begin(file);
          for (const std::string& name : settings.names) {
            Delete(file, all.get(), name);
          }
          Call(spw_txn_commit, all.get(), SPW_FLUSH_DEVICE);
          removed = settings.names.size();
        }
        if (settings.all || !settings.prefix.empty()) {
          RemovePrefix(file, settings.prefix, &removed);
        }
      },
      [&](Failure& failure) {
        failure.Add("removed", Counted(removed, "block") + " removed.", removed);
      });
  session.Close();
  session.Tell(Counted(removed, "block") + " removed", {{"removed", removed}});
  return kExitOk;
}

struct MvSettings {
  std::string from;
  std::string to;
  bool replace = false;
};

ExitCode Mv(Session& session, const MvSettings& settings) {
  spw_file* const file = session.Open(kToWrite);
  Telling(
      [&] {
        Call(spw_block_rename, file, nullptr, settings.from.data(), settings.from.size(),
             settings.to.data(), settings.to.size(), settings.replace ? SPW_RENAME_REPLACE : 0U);
      },
      [&](Failure& failure) {
        const bool about_new = failure.status() == SPW_ALREADY_EXISTS;
        failure.AboutBlock(about_new ? settings.to : settings.from);
      });
  session.Close();
  session.Tell(Shown(settings.from) + " is now " + Shown(settings.to),
               {{"from", NameAsJson(settings.from)}, {"to", NameAsJson(settings.to)}});
  return kExitOk;
}

}  // namespace

void AddRm(CLI::App& app, Command& command) {
  CLI::App& verb = AddVerb(
      app, command, "rm", "removes blocks",
      "  spillway rm doc.blocks chapter/1 chapter/2\n"
      "  spillway rm doc.blocks --prefix chapter/\n\n"
      "The named ones go together: if one is not there, none is removed. --prefix and --all work "
      "in\n"
      "steps; interrupted, they say how many are gone. The file shrinks with `spillway vacuum`.\n",
      {kExitOk, kExitFailed, kExitUsage, kExitDamage, kExitBusy, kExitInterrupted});
  auto settings = std::make_shared<RmSettings>();
  verb.add_option("NAME", settings->names, "of the blocks")->type_name("");
  verb.add_option("--prefix", settings->prefix, "all blocks whose names begin so")
      ->type_name("TEXT");
  verb.add_flag("--all", settings->all, "all blocks");
  verb.callback([&command, settings, &verb] {
    if (settings->names.empty() && settings->prefix.empty() && !settings->all) {
      throw CLI::ValidationError(verb.get_name(), verb.count("--prefix") > 0
                                                      ? "an empty prefix means all: say --all"
                                                      : "needs a NAME, --prefix or --all");
    }
    command.run = [settings](Session& session) { return Rm(session, *settings); };
  });
}

void AddMv(CLI::App& app, Command& command) {
  CLI::App& verb = AddVerb(
      app, command, "mv", "gives a block another name",
      "  spillway mv doc.blocks draft chapter/7\n"
      "  spillway mv doc.blocks --replace draft chapter/7\n",
      {kExitOk, kExitFailed, kExitUsage, kExitDamage, kExitBusy, kExitCondition, kExitInterrupted});
  auto settings = std::make_shared<MvSettings>();
  verb.add_option("FROM", settings->from, "its name")->required()->type_name("");
  verb.add_option("TO", settings->to, "its new name")->required()->type_name("");
  verb.add_flag("--replace", settings->replace, "a block that has the new name is replaced");
  verb.callback([&command, settings] {
    command.run = [settings](Session& session) { return Mv(session, *settings); };
  });
}

}  // namespace spillway::cli
