// verify: is everything as it was written?
#include <memory>
#include <optional>
#include <vector>

#include "store.h"
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

Json AsJson(Session& session, const VerifySettings& settings, const Report& report,
            const spw_verify_summary& summary, uint64_t kept) {
  Json problems = Json::array();
  for (uint64_t i = 0; i < kept; ++i) {
    problems.push_back(ProblemAsJson(Problem(report, i)));
  }
  return {{"file", Printable(session.path())},
          {"full", !settings.quick},
          {"blocks", summary.blocks},
          {"blocks_good", summary.blocks - summary.blocks_damaged},
          {"blocks_damaged", summary.blocks_damaged},
          {"bytes_read", summary.bytes},
          {"problems_found", summary.problems},
          {"problems", problems}};
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

constexpr uint64_t kKeptMost = 1000;  // by the library, of what it found

// Runs `verify`; `unit` is what its progress counts.
template <class Verify>
Report Verifying(Session& session, const char* label, const char* key,
                 std::string (*shown)(uint64_t), Verify verify) {
  spw_report* report = nullptr;
  session.progress().Begin(label);
  Telling([&] { verify(&report); },
          [&](Failure& failure) {
            uint64_t done = 0;
            spw_op_progress(session.op(), &done, nullptr);
            failure.Add(key, "Not finished: " + shown(done) + " read; nothing was changed.", done);
          });
  session.progress().End();
  return Report(report);
}

struct FileChecked {
  Report report;
  spw_verify_summary summary{};
};

FileChecked CheckFile(Session& session, spw_file* file, const VerifySettings& settings) {
  FileChecked checked;
  checked.report =
      Verifying(session, "verify", "bytes_read", SizeExactly, [&](spw_report** report) {
        Call(spw_file_verify, file, settings.quick ? 0U : SPW_VERIFY_FULL, settings.rate,
             session.op(), report);
      });
  checked.summary.struct_size = sizeof checked.summary;
  Call(spw_report_summary, checked.report.get(), &checked.summary);
  return checked;
}

// ---- Records

struct RecordsChecked {
  Report report;
  spw_record_summary summary{};
  std::vector<spw_record_range> ranges;  // point into the report
  std::vector<StreamSeen> streams;

  std::string StreamName(uint32_t id) const {
    for (const StreamSeen& stream : streams) {
      if (stream.id == id) {
        return stream.name;
      }
    }
    return std::to_string(id);
  }
};

std::string ShownRecords(uint64_t records) { return Counted(records, "record"); }

RecordsChecked CheckRecords(Session& session, spw_store* store, const VerifySettings& settings) {
  RecordsChecked checked;
  checked.streams = StreamsOf(store);
  checked.report =
      Verifying(session, "verify, records", "records_read", ShownRecords, [&](spw_report** report) {
        Call(spw_store_verify, store, SPW_ALL, 0U, settings.rate, session.op(), report);
      });
  checked.summary.struct_size = sizeof checked.summary;
  Call(spw_report_records, checked.report.get(), &checked.summary);
  for (uint64_t i = 0; i < std::min(checked.summary.ranges, kKeptMost); ++i) {
    spw_record_range range{};
    range.struct_size = sizeof range;
    Call(spw_report_range, checked.report.get(), i, &range);
    checked.ranges.push_back(range);
  }
  return checked;
}

Json AsJson(const RecordsChecked& checked) {
  Json ranges = Json::array();
  for (const spw_record_range& range : checked.ranges) {
    Json json = {{"code", spw_status_name(range.code)}, {"stream", range.stream}};
    json.update(NameAsJson(checked.StreamName(range.stream)));
    json.update({{"begin_seq", range.begin_seq},
                 {"end_seq", range.end_seq},
                 {"message", Printable({range.message, range.message_len})}});
    ranges.push_back(json);
  }
  const spw_record_summary& summary = checked.summary;
  return {{"streams", summary.streams},
          {"records", summary.records},
          {"records_good", summary.records - summary.records_damaged},
          {"records_damaged", summary.records_damaged},
          {"payload_bytes_good", summary.bytes},
          {"ranges_found", summary.ranges},
          {"ranges", ranges}};
}

std::string AsText(const RecordsChecked& checked) {
  std::string text;
  for (const spw_record_range& range : checked.ranges) {
    text += "damaged: stream " + Shown(checked.StreamName(range.stream)) + ", " +
            Counted(range.end_seq - range.begin_seq, "record") + " from " +
            Grouped(range.begin_seq) + " to " + Grouped(range.end_seq - 1) + "\n         " +
            Printable({range.message, range.message_len}) + "\n";
  }
  const spw_record_summary& summary = checked.summary;
  if (checked.ranges.size() < summary.ranges) {
    text += "and " + Grouped(summary.ranges - checked.ranges.size()) + " more\n";
  }
  const std::string good = Counted(summary.records - summary.records_damaged, "record") +
                           " good in " + Counted(summary.streams, "stream") + ", ";
  return text +
         (summary.ranges == 0
              ? "no damage: " + good
              : good + Grouped(summary.records_damaged) + " damaged, every other can be read, ") +
         SizeExactly(summary.bytes) + " of payload read\n";
}

ExitCode VerifySqlite(Session& session, const VerifySettings& settings) {
  if (settings.quick) {
    throw Failure::OfUsage("of a store in a SQLite database every byte is read");
  }
  spw_store* const store = session.OpenStore();
  const RecordsChecked records = CheckRecords(session, store, settings);
  session.CloseStore();
  if (session.json()) {
    session.out().WriteJson({{"file", Printable(session.path())}, {"store", AsJson(records)}});
  } else {
    session.out().Write(AsText(records));
  }
  return records.summary.ranges == 0 ? kExitOk : kExitDamage;
}

bool HoldsRecords(Session& session) {
  try {
    return WhatIsIn(session) == Holds::kRecordsInBlockFile;
  } catch (const Failure& failure) {
    if (failure.status() != SPW_CORRUPT) {
      throw;
    }
    return false;  // the registry is damaged where it would say so, which has been told
  }
}

// nullopt, and *why_not: the store cannot be opened, because it is damaged or nothing can be
// written.
std::optional<RecordsChecked> CheckStore(Session& session, const VerifySettings& settings,
                                         std::string* why_not) {
  spw_store* store = nullptr;
  try {
    store = session.OpenStore();
  } catch (const Failure& failure) {
    session.progress().End();
    if (failure.status() != SPW_CORRUPT && failure.status() != SPW_READONLY) {
      throw;
    }
    *why_not = failure.what();
    return std::nullopt;
  }
  RecordsChecked checked = CheckRecords(session, store, settings);
  session.CloseStore();
  return checked;
}

// The file first, which needs no store: that may be too damaged to be opened.
ExitCode Verify(Session& session, const VerifySettings& settings) {
  if (IsSqlite(session.path())) {
    return VerifySqlite(session, settings);
  }
  const FileChecked file = CheckFile(session, session.Open(), settings);
  const spw_verify_summary& summary = file.summary;
  const uint64_t kept = std::min(summary.problems, kKeptMost);
  std::string why_not;
  std::optional<RecordsChecked> records;
  if (!settings.quick && HoldsRecords(session)) {
    records = CheckStore(session, settings, &why_not);
  }
  if (session.json()) {
    Json document = AsJson(session, settings, file.report, summary, kept);
    if (records.has_value()) {
      document["store"] = AsJson(*records);
    } else if (!why_not.empty()) {
      document["store_error"] = Printable(why_not);
    }
    session.out().WriteJson(document);
  } else {
    TellText(session, settings, file.report, summary, kept);
    if (records.has_value()) {
      session.out().Write(AsText(*records));
    } else if (!why_not.empty()) {
      session.out().Write("The store in it cannot be opened: " + Printable(why_not) + "\n");
    }
  }
  return summary.problems == 0 && (!records.has_value() || records->summary.ranges == 0)
             ? kExitOk
             : kExitDamage;
}

}  // namespace

void AddVerify(CLI::App& app, Command& command) {
  CLI::App& verb = AddVerb(
      app, command, "verify", "proves every checksum, and that each page is used once",
      "  spillway verify doc.blocks\n"
      "  spillway verify --quick doc.blocks\n"
      "  spillway verify --rate 20M doc.blocks\n\n"
      "Says of each damage which block or structure it hit, and where; what else is good; "
      "and how to\n"
      "get that out. Changes nothing. Of a record store it says which records of which "
      "stream are\n"
      "damaged; all others can be read. A store that was not closed is recovered first, as by "
      "any open.\n",
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
