// vacuum, copy: the space that a file takes.
#include <sys/stat.h>

#include <memory>

#include "text.h"
#include "verbs.h"

namespace spillway::cli {
namespace {

struct VacuumSettings {
  bool full = false;
  bool dry_run = false;
  uint64_t max_bytes = SPW_NO_LIMIT;
};

Json AsJson(const spw_vacuum_result& result) {
  return {{"bytes_moved", result.bytes_moved},   {"bytes_needed", result.bytes_needed},
          {"bytes_before", result.bytes_before}, {"bytes_after", result.bytes_after},
          {"bytes_file", result.bytes_file},     {"done", result.done == 1}};
}

spw_vacuum_result Plan(Session& session, spw_file* file) {
  spw_vacuum_result plan{};
  plan.struct_size = sizeof plan;
  Call(spw_file_vacuum, file, SPW_VACUUM_FULL | SPW_VACUUM_DRY_RUN, SPW_NO_LIMIT, session.op(),
       &plan);
  return plan;
}

ExitCode Vacuum(Session& session, const VacuumSettings& settings) {
  spw_file* const file = session.Open({.open = SPW_OPEN_EXISTING});
  session.progress().Begin("vacuum, planning");
  const spw_vacuum_result plan = Plan(session, file);
  session.progress().End();
  if (!session.json()) {
    session.out().Write("needs up to " + SizeExactly(plan.bytes_needed) +
                        " of free disk space while it runs\na full one moves " +
                        SizeExactly(plan.bytes_moved) +
                        "; on disk: " + SizeExactly(plan.bytes_before) + ", then about " +
                        SizeExactly(plan.bytes_after) + "\n");
    session.out().Flush();  // to be read before the work begins
  }
  if (settings.dry_run) {
    session.Close();
    if (session.json()) {
      session.out().WriteJson({{"plan", AsJson(plan)}});
    }
    return kExitOk;
  }
  spw_vacuum_result result{};
  result.struct_size = sizeof result;
  session.progress().Begin("vacuum");
  Telling(
      [&] {
        Call(spw_file_vacuum, file, settings.full ? SPW_VACUUM_FULL : 0U, settings.max_bytes,
             session.op(), &result);
      },
      [&](Failure& failure) {
        uint64_t done = 0;
        spw_op_progress(session.op(), &done, nullptr);
        failure.Add("bytes_moved",
                    SizeExactly(done) + " moved, which stays so; every block is as it was.", done);
      });
  session.progress().End();
  session.Close();
  // Without the reserve that an open file holds.
  struct stat closed = {};
  if (stat(session.path().c_str(), &closed) == 0) {
    result.bytes_after = static_cast<uint64_t>(closed.st_blocks) * 512;
    result.bytes_file = static_cast<uint64_t>(closed.st_size);
  }
  session.Tell(SizeExactly(result.bytes_moved) + " moved; on disk: " +
                   SizeExactly(result.bytes_before) + ", now " + SizeExactly(result.bytes_after) +
                   (result.done == 1 ? "" : "\nmore can be gained: call it again"),
               {{"plan", AsJson(plan)}, {"result", AsJson(result)}});
  return kExitOk;
}

ExitCode Copy(Session& session, const std::string& to) {
  spw_file* const file = session.Open();
  spw_block_stats stats{};
  stats.struct_size = sizeof stats;
  Call(spw_file_stats, file, &stats);
  session.progress().Begin("copy");
  Telling([&] { Call(spw_file_copy, file, nullptr, to.data(), to.size(), session.op()); },
          [&](Failure& failure) {
            failure.Add("copied", "There is no copy; the file is as it was.", false);
            if (failure.status() == SPW_CORRUPT) {
              const std::string hint = "spillway export writes every block that is good";
              failure.Add("hint", hint + ".", hint);
            }
          });
  session.progress().End();
  session.Tell(
      Counted(stats.blocks, "block") + ", " + SizeExactly(stats.payload_bytes) + ", copied to " +
          Printable(to),
      {{"copy", Printable(to)}, {"blocks", stats.blocks}, {"payload_bytes", stats.payload_bytes}});
  return kExitOk;
}

}  // namespace

void AddVacuum(CLI::App& app, Command& command) {
  CLI::App& verb = AddVerb(
      app, command, "vacuum", "gives free space back to the disk",
      "  spillway vacuum --dry-run doc.blocks\n"
      "  spillway vacuum --full doc.blocks\n"
      "  spillway vacuum --max-bytes 100M doc.blocks\n\n"
      "Says first what space it needs meanwhile. May be interrupted: what was moved stays moved, "
      "and\n"
      "every block is as it was.\n",
      {kExitOk, kExitFailed, kExitUsage, kExitDamage, kExitBusy, kExitDiskFull, kExitInterrupted});
  auto settings = std::make_shared<VacuumSettings>();
  verb.add_flag("--full", settings->full, "goes on until nothing more is to be gained");
  AddBytes(verb, "--max-bytes", settings->max_bytes, "moves at most about that; 64K, 1M, 2G");
  verb.add_flag("--dry-run", settings->dry_run, "only says what it would do");
  verb.callback([&command, settings] {
    command.run = [settings](Session& session) { return Vacuum(session, *settings); };
  });
}

void AddCopy(CLI::App& app, Command& command) {
  CLI::App& verb = AddVerb(app, command, "copy", "writes all blocks into a new file without gaps",
                           "  spillway copy doc.blocks backup.blocks\n\n"
                           "Every byte is proved meanwhile. The copy appears when it is whole and "
                           "durable, or not at all.\n",
                           {kExitOk, kExitFailed, kExitUsage, kExitDamage, kExitBusy, kExitDiskFull,
                            kExitCondition, kExitInterrupted});
  auto to = std::make_shared<std::string>();
  verb.add_option("DEST", *to, "the new file; must not be there")->required()->type_name("");
  verb.callback(
      [&command, to] { command.run = [to](Session& session) { return Copy(session, *to); }; });
}

}  // namespace spillway::cli
