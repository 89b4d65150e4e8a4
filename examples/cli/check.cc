// verify: is everything as it was written?
#include <memory>

#include "text.h"
#include "verbs.h"

namespace spillway::cli {
namespace {

struct VerifySettings {
  bool quick = false;
  bool full = false;
  uint64_t rate = SPW_NO_LIMIT;
};

spw_problem Problem(const Report& report, uint64_t index) {
  spw_problem problem{};
  problem.struct_size = sizeof problem;
  Call(spw_report_problem, report.get(), index, &problem);
  return problem;
}

std::string WhatIsDamaged(const spw_problem& problem) {
  const std::string_view message(problem.message, problem.message_len);
  const std::string what = problem.name == nullptr
                               ? "structure of the file"
                               : "block " + Shown({problem.name, problem.name_len});
  return "damaged: " + what + "\n         " + Printable(message) + "\n";
}

Json ProblemAsJson(const spw_problem& problem) {
  Json json = {{"code", spw_status_name(problem.code)}, {"name", nullptr}};
  if (problem.name != nullptr) {
    json.update(NameAsJson({problem.name, problem.name_len}));
  }
  json["message"] = Printable({problem.message, problem.message_len});
  return json;
}

void TellJson(Session& session, const VerifySettings& settings, const Report& report,
              const spw_verify_summary& summary, uint64_t kept) {
  Json problems = Json::array();
  for (uint64_t i = 0; i < kept; ++i) {
    problems.push_back(ProblemAsJson(Problem(report, i)));
  }
  session.out().WriteJson({{"file", Printable(session.path())},
                           {"full", !settings.quick},
                           {"blocks", summary.blocks},
                           {"blocks_good", summary.blocks - summary.blocks_damaged},
                           {"blocks_damaged", summary.blocks_damaged},
                           {"bytes_read", summary.bytes},
                           {"problems_found", summary.problems},
                           {"problems", problems}});
}

void TellText(Session& session, const VerifySettings& settings, const Report& report,
              const spw_verify_summary& summary, uint64_t kept) {
  Output& out = session.out();
  bool structures = false;
  for (uint64_t i = 0; i < kept; ++i) {
    const spw_problem problem = Problem(report, i);
    structures = structures || problem.name == nullptr;
    out.Write(WhatIsDamaged(problem));
  }
  if (kept < summary.problems) {
    out.Write("and " + Grouped(summary.problems - kept) + " more\n");
  }
  const std::string read = SizeExactly(summary.bytes) + " read" +
                           (settings.quick ? ", structures only: payload was not looked at" : "");
  if (summary.problems == 0) {
    out.Write("no damage: " + Counted(summary.blocks, "block") + " good, " + read + "\n");
    return;
  }
  out.Write(Counted(summary.blocks - summary.blocks_damaged, "block") + " good, " +
            Grouped(summary.blocks_damaged) + " damaged, " + read + "\n");
  if (structures) {
    out.Write(
        "Some damage is not that of one block: there may be blocks that could not be counted.\n");
  }
  out.Write("Nothing was changed. Every good block can be written out:\n  spillway export " +
            Printable(session.path()) + " FOLDER\n");
}

ExitCode Verify(Session& session, const VerifySettings& settings) {
  spw_file* const file = session.Open();
  spw_report* raw_report = nullptr;
  session.progress().Begin("verify");
  Telling(
      [&] {
        Call(spw_file_verify, file, settings.quick ? 0U : SPW_VERIFY_FULL, settings.rate,
             session.op(), &raw_report);
      },
      [&](Failure& failure) {
        uint64_t done = 0;
        spw_op_progress(session.op(), &done, nullptr);
        failure.Add("bytes_read",
                    "Not finished: " + SizeExactly(done) + " read; nothing was changed.", done);
      });
  session.progress().End();
  const Report report(raw_report);
  spw_verify_summary summary{};
  summary.struct_size = sizeof summary;
  Call(spw_report_summary, raw_report, &summary);
  constexpr uint64_t kKeptMost = 1000;
  const uint64_t kept = std::min(summary.problems, kKeptMost);
  (session.json() ? TellJson : TellText)(session, settings, report, summary, kept);
  return summary.problems == 0 ? kExitOk : kExitDamage;
}

}  // namespace

void AddVerify(CLI::App& app, Command& command) {
  CLI::App& verb =
      AddVerb(app, command, "verify", "proves every checksum, and that each page is used once",
              "  spillway verify doc.blocks\n"
              "  spillway verify --quick doc.blocks\n"
              "  spillway verify --rate 20M doc.blocks\n\n"
              "Says of each damage which block or structure it hit, and where; what else is good; "
              "and how to\n"
              "get that out. Changes nothing.\n",
              {kExitOk, kExitFailed, kExitUsage, kExitDamage, kExitBusy, kExitInterrupted});
  auto settings = std::make_shared<VerifySettings>();
  CLI::Option* const full =
      verb.add_flag("--full", settings->full, "every byte of payload too (the default)");
  verb.add_flag("--quick", settings->quick, "structures only")->excludes(full);
  AddBytes(verb, "--rate", settings->rate, "bytes per second at the most; 4096, 64K, 1M, 2G");
  verb.callback([&command, settings] {
    command.run = [settings](Session& session) { return Verify(session, *settings); };
  });
}

}  // namespace spillway::cli
