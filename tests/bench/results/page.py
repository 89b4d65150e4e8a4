#!/usr/bin/env python3
"""page.py --results FOLDER --html FILE --markdown FILE: what `make bench` left in the folder as one page.

The page is one file that needs no network and no script. The stores' table also goes to the terminal
and to a file as Markdown. Ends with 1 if there are no results, and says what is missing from them.
"""
import argparse
import pathlib
import re
import sys
from dataclasses import dataclass
from html import escape

import charts
import summary
from charts import Series, number

HERE = pathlib.Path(__file__).resolve().parent


@dataclass
class Store:
    """One of those that the charts put side by side: a run, its name, and how it is drawn."""
    run: str
    label: str
    style: str


# The others bound their memory in their own way, so they stand in the workload with a cap.
STORES = [
    Store("W1_ingest/spillway_memory/memory", "Spillway, memory only", "memory ours"),
    Store("W1_ingest/spillway/D0", "Spillway, hybrid, no cap", "hybrid ours"),
    Store("W2_capped/spillway/b5000", "Spillway, hybrid, capped", "capped ours"),
    Store("W2_capped/spillway_sqlite/b5000", "Spillway on SQLite, capped", "tier ours"),
    Store("W2_capped/sqlite_row/b5000", "SQLite", "sqlite"),
    Store("W2_capped/sqlite_row_bulk/b5000", "SQLite, bulk load", "sqlite dashed"),
    Store("W2_capped/lmdb/b5000", "LMDB", "lmdb"),
    Store("W2_capped/leveldb/b5000", "LevelDB", "leveldb"),
    Store("W2_capped/rocksdb/b5000", "RocksDB", "rocksdb"),
    Store("W2_capped/rocksdb_sorted/b5000", "RocksDB, sorted file", "rocksdb dashed"),
    Store("W2_capped/file_direct/b5000", "file, O_DIRECT", "direct"),
    Store("W2_capped/file/b5000", "file, plain append", "file dashed"),
]
# The contestants of the other charts, in their order.
RECORDS = ["spillway_memory", "spillway", "spillway_sqlite", "sqlite_row", "sqlite_row_bulk", "sqlite_blob_bulk",
           "lmdb", "leveldb", "rocksdb", "rocksdb_sorted", "file_direct", "file", "arena_huge"]
BLOCKS = ["spillway", "spillway_txn", "sqlite", "lmdb", "leveldb", "rocksdb", "raw", "raw_cow", "raw_cow_used"]
LABELS = {store.run.split("/")[1]: store.label.removesuffix(", capped") for store in STORES} | {
    "spillway": "Spillway", "arena_huge": "arena in memory", "sqlite_blob_bulk": "SQLite, batches as blobs",
    "spillway_txn": "Spillway, transaction", "sqlite": "SQLite", "raw": "file, in place", "raw_cow": "file, copy on write",
    "raw_cow_used": "file, copy on write, reused", "files": "folder of files"}
STYLES = {store.run.split("/")[1]: store.style for store in STORES} | {
    "spillway": "capped ours", "spillway_txn": "hybrid ours", "sqlite": "sqlite", "raw": "direct"}
BATCH = 5000  # records
PERCENTILES = [("batch_p50_ms", "p50"), ("batch_p99_ms", "p99"), ("batch_p999_ms", "p99.9"), ("batch_max_ms", "max")]
PARTS = [("add_ms", "adding", "add"), ("wait_ms", "waiting for room", "wait"),
         ("close_ms", "flush and close", "close"), ("read_back_ms", "reading all back", "read")]


class Results:
    """The runs of a folder, by "workload/contestant/variant", with what was not there or failed."""

    def __init__(self, folder):
        self.runs, self.failures, self.context, self.tables = {}, [], {}, []
        self.missing = []
        for name in ("bench.json", "block_bench.json"):
            self._read(folder / name)
        self.promises = [line.rstrip() for name in ("gate.txt", "block_gate.txt") if (folder / name).exists()
                         for line in (folder / name).read_text(encoding="utf-8").splitlines()]
        for store in STORES:
            if self.runs and store.run not in self.runs:
                self.missing.append(f"{store.label}: no run {store.run} (not installed, left out by a filter, or failed)")

    def _read(self, path):
        parsed, why = summary.load(path)
        if not parsed:
            self.missing.append(f"{path}: {why}")
            return
        results, failures = summary.medians(parsed["benchmarks"])
        self.failures += failures
        for key, value in parsed["context"].items():
            self.context.setdefault(key, value)
        self.tables += summary.tables(results)
        for workload, variants in results.items():
            for contestants in variants.values():
                for run in contestants.values():
                    self.runs[summary.strip(run["run_name"])] = run

    def stores(self):
        return [(store, self.runs[store.run]) for store in STORES if store.run in self.runs]

    def value(self, run, metric):
        return self.runs.get(run, {}).get(metric)

    def named(self, workload, variant, metric, order):
        """Series of one workload's variant, in the order of the stores."""
        found = []
        for contestant in order:
            run = self.runs.get(f"{workload}/{contestant}/{variant}", {})
            if metric in run:
                found.append(Series(f"{workload}/{contestant}/{variant}", LABELS[contestant],
                                    STYLES.get(contestant, "file"), [run[metric]]))
        return found


def windows(run):
    """The mean time of a batch, window after window: [(batches so far, ms)]."""
    found = sorted((int(match[1]), run[key]) for key in run if (match := re.fullmatch(r"window_(\d+)_ms", key)))
    return [(run["window_batches"], value) for _, value in found]


def over_records(run, records):
    """[(records so far, ms so far, times the first window)]; the last window may be a smaller one."""
    points, batches, millis = [], 0, 0.0
    means = windows(run)
    for size, mean in means:
        count = min(size, -(-records // BATCH) - batches)
        batches += count
        millis += count * mean
        points.append((min(batches * BATCH, records), millis, mean / means[0][1]))
    return points


def figure(drawing, caption):
    title = re.search(r"<title[^>]*>(.*?)</title>", drawing)[1]
    return f"<figure><h3>{title}</h3>{drawing}<figcaption>{escape(caption)}</figcaption></figure>"


def section(name, title, *parts):
    parts = [part for part in parts if part]
    return f'<section id="{name}"><h2>{escape(title)}</h2>{"".join(parts)}</section>' if parts else ""


def paragraph(content):
    return f"<p>{escape(content)}</p>"


def tile(value, what, run="", metric=""):
    marked = f' data-run="{run}" data-key="{metric}"' if run else ""
    return f"<li><b{marked}>{escape(value)}</b><span>{escape(what)}</span></li>"


def glance(results):
    """The capped store against the limit and the fastest of the peers, whoever wins."""
    ours = results.runs.get("W2_capped/spillway/b5000")
    if not ours:
        return ""
    batches = -(-int(results.context["records"]) // BATCH)
    most = "999 of 1,000" if batches >= 1000 else f"all {batches:,}"
    tiles = [tile(f"{number(ours['Mrec_s'])} M/s", "records a second with a third of them allowed in memory, durable, "
                                                   "close included", "W2_capped/spillway/b5000", "Mrec_s"),
             tile(f"{number(ours['batch_p999_ms'])} ms", f"{most} batches of 5,000 records take no longer",
                  "W2_capped/spillway/b5000", "batch_p999_ms")]
    direct = results.value("W2_capped/file_direct/b5000", "Mrec_s")
    if direct:
        tiles.append(tile(f"{number(direct / ours['Mrec_s'])} ×", "the time of a file written with O_DIRECT, the limit"))
    peers = [(run["Mrec_s"], store.label) for store, run in results.stores()
             if not store.label.startswith(("Spillway", "file"))]
    if peers:
        rate, label = max(peers)
        tiles.append(tile(f"{number(ours['Mrec_s'] / rate)} ×",
                          f"the speed of {label}, the fastest of the other engines here: "
                          + ("ahead" if ours["Mrec_s"] >= rate else "behind")))
    return f'<ul class="tiles">{"".join(tiles)}</ul>'


def writing(results):
    stores = results.stores()
    if not stores:
        return ""
    records = int(results.context["records"])
    curves, slowdowns, totals, parts, ends = [], [], [], [], []
    for store, run in stores:
        points = over_records(run, records)
        named = (store.run, store.label, store.style)
        if points:
            total = points[-1][1]
            curves.append(Series(*named, [(x, y) for x, y, _ in points]))
            slowdowns.append(Series(*named, [(x, times) for x, _, times in points]))
            ends.append(Series(*named, [run["slowdown"]], f"{number(run['slowdown'])} ×"))
        total = run["add_ms"] + run["close_ms"]
        totals.append(Series(*named, [total], f"{number(total)} ms"))
        wait = run.get("wait_ms")
        # What waited is part of the adds' time; only Spillway tells how much that is.
        parts.append(Series(*named, [run["add_ms"] - (wait or 0), wait, run["close_ms"], run["read_back_ms"]]))
    return section(
        "writing", "Writing",
        figure(charts.bars("totals", "Total time to write all records", "total_ms", "milliseconds, close included", totals),
               "All records added and durable on the device (in memory only: added). Shorter is better."),
        figure(charts.lines("over", "Write time over records", "time_ms", "records written",
                            "milliseconds so far (logarithmic)", curves),
               "Time spent in adding, close not included. On this scale the same distance is the same ratio."),
        figure(charts.lines("slowdown", "Slowdown while the store fills", "times_first", "records written",
                            "times the first ten batches (logarithmic)", slowdowns, reference=1),
               "Mean time of ten batches (more in long runs) as a multiple of the first ten. 1: as fast as at first."),
        figure(charts.bars("ends", "The last ten batches against the first ten", "slowdown", "times as long", ends),
               "1: a full store takes a batch as fast as an empty one. Below 1: the beginning was slower."),
        figure(charts.stacked("parts", "Where the time goes", "milliseconds", PARTS, parts),
               "The numbers behind each bar are its parts in this order. Only Spillway tells how long adds waited for "
               "room (?: part of adding). Reading back opens the store and hashes every record; the totals are without."))


def latencies(results):
    def rows(variants):
        found = []
        for store, name in variants:
            run = results.runs.get(name)
            if run:
                found.append(Series(name, store.label, store.style, [run[metric] for metric, _ in PERCENTILES]))
        return found

    large = rows((store, store.run) for store in STORES)
    small = rows((store, f"W2_capped/{store.run.split('/')[1]}/b500") for store in STORES[2:])
    return section(
        "latency", "Latency of a batch",
        large and figure(charts.ranges("latency-large", "Latency of batches of 5,000 records", "milliseconds",
                                       PERCENTILES, large),
                        "Each call that adds 5,000 records. Of fewer than 1,000 batches the slowest is p99.9, too."),
        small and figure(charts.ranges("latency-small", "Latency of batches of 500 records", "milliseconds",
                                       PERCENTILES, small),
                         "The same records in batches of 500, where what a spill costs shows most."))


def reading(results):
    parts = []
    for variant, what in (("warm", "page cache warm"), ("cold", "page cache emptied before"), ("hot", "in memory")):
        series = results.named("W3_scan", variant, "Mrec_s", RECORDS)
        if series:
            parts.append(figure(charts.bars(f"scan-{variant}", f"Scan of all records, {what}", "Mrec_s",
                                            "million records a second", series),
                                "In order, every byte hashed. " + ("" if variant == "hot" else "Open and close included. ")
                                + "Longer is better."))
    for spread in ("uniform", "zipfian"):
        for way in ("single", "gather"):
            metric = "record_p50_us"
            series = (results.named("W4_points", f"hot/{spread}/{way}", metric, RECORDS)
                      + results.named("W4_points", f"tier/{spread}/{way}", metric, RECORDS))
            for one in series:
                one.label += ", in memory" if "/hot/" in one.key and "memory" not in one.label else ""
            if series:
                unit = "microseconds a record" + ("" if way == "gather" else ", median")
                title = f"{'One record by its position' if way == 'single' else '1,000 records in one call'}, {spread}"
                parts.append(figure(charts.bars(f"points-{spread}-{way}", title, metric, unit, series),
                                    "Page cache warm. Shorter is better."))
    return section("reading", "Reading", *parts)


def blocks(results):
    sizes_of = {"4k": "4 KiB", "64k": "64 KiB", "10k_blobs": "about 10 KB"}
    ways = {"read": "one a call", "batch": "many a call", "view": "pinned and not copied"}
    groups = {"one_group": "one durable group", "10_groups": "10 durable groups", "each": "a sync after each"}
    parts = []
    for size in ("4k", "64k"):
        for group, what in groups.items():
            series = results.named("W5_updates", f"{size}/{group}", "ms", BLOCKS)
            folder = results.value(f"W5_updates/files/{size}/{group}", "ms")
            if series:
                parts.append(figure(
                    charts.bars(f"updates-{size}-{group}", f"500 of 1,000 blocks of {sizes_of[size]} updated, {what}", "ms",
                                "milliseconds", series),
                    "In random order, final sync included. Shorter is better."
                    + (f" A folder of files, beyond this scale: {number(folder)} ms." if folder else "")))
    variants = sorted({run.split("/", 2)[2] for run in results.runs if run.startswith("W6_reads/")})
    for variant in variants:
        series = results.named("W6_reads", variant, "Mrec_s", [*BLOCKS, "files"])
        size, _, way = variant.partition("/")
        if series:
            parts.append(figure(
                charts.bars(f"block-reads-{variant.replace('/', '-')}",
                            f"Random reads of blocks of {sizes_of.get(size, size)}, {ways.get(way, way)}", "Mrec_s",
                            "million reads a second", series),
                "Page cache warm. Longer is better."))
    return section("blocks", "The block file", *parts)


def cell(run, metric, form):
    if metric not in run:
        return "<td>–</td>"
    return (f'<td data-run="{escape(summary.strip(run["run_name"]))}" data-key="{metric}">'
            f"{form.format(run[metric])}</td>")


def table_of(title, columns, contestants):
    used = summary.used_columns(columns, contestants)
    rows = []
    for name, run, verdict in summary.rows(contestants):
        style = "ours" if name.startswith("spillway") else "limit" if name in summary.LIMITS else ""
        cells = "".join(cell(run, key, form) for _, key, form in used)
        rows.append(f'<tr class="{style}"><th scope="row">{escape(name)}</th>{cells}'
                    f'<td class="verdict">{escape(verdict)}</td></tr>')
    heads = "".join(f'<th scope="col">{escape(label)}</th>' for label, _, _ in used)
    return (f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(title)}"><table>'
            f'<caption>{escape(title)}</caption><thead><tr><th scope="col">contestant</th>{heads}<th scope="col">Spillway is</th></tr></thead><tbody>{"".join(rows)}</tbody></table></div>')


def all_numbers(results):
    return section(
        "numbers", "All numbers",
        paragraph("Medians of the repetitions. Limits (in italics) are no stores: copies into memory, frames in a plain file. "
                  "D0: durable once, at the end. D1: durable after each batch."),
        *(table_of(*table) for table in results.tables))


def promises(results):
    rows = []
    for line in results.promises:
        verdict = line[:4] if line.startswith(("PASS", "FAIL")) else ""
        style = {"PASS": "passed", "FAIL": "failed"}.get(verdict, "note")
        rows.append(f'<li class="{style}"><strong>{verdict}</strong> {escape(line[4:] if verdict else line)}</li>')
    return section("promises", "Promises, measured",
                   rows and paragraph("What the gates said when they last ran (make bench), at sizes of their own."),
                   rows and f'<ul class="lines">{"".join(rows)}</ul>')


def sizes(results):
    context = results.context
    if "records" not in context:
        return "no record-store results"
    records, payload = int(context["records"]), int(context["payload_bytes"])
    repetitions = max((run.get("repetitions", 1) for run in results.runs.values()), default=1)
    often = f"medians of {repetitions} interleaved runs" if repetitions > 1 else "one run of each"
    return (f"{records:,} records ({payload / 1e6:,.0f} MB, {context['source']}) in batches of 5,000; capped: at most "
            f"{max(records // 3, 1):,} in memory, never more than 130 % of that; {often}; "
            f"{context['num_cpus']} CPUs, {context['file_system']}, load {context['load_avg'][0]:.1f}")


def settings(results):
    context = results.context
    listed = [(key.removeprefix("options "), context[key]) for key in sorted(context) if key.startswith("options ")]
    listed += [(key.replace("_", " "), context[key])
               for key in ("memory", "cold_page_cache", "transparent_huge_pages") if key in context]
    return section(
        "method", "How it was measured",
        paragraph("Every contestant gets the same batches, built before. Repetitions of all contestants are interleaved at "
                  "random. The time of a durable run ends when close has returned and everything is on the device. Then "
                  "it is read back and its hash compared; a run that differs counts as failed. Times drift with the "
                  "machine: read ratios."),
        "<details><summary>Settings of each contestant</summary><dl>"
        + "".join(f"<dt>{escape(key)}</dt><dd>{escape(str(value))}</dd>" for key, value in listed) + "</dl></details>",
        "<pre>make bench                                # quick: all workloads, then the gates\n"
        "make bench-report                         # this page from what it left\n"
        "make bench-report RECORDS=3000000         # measure the record store at another size first</pre>")


def page(results):
    style = (HERE / "page.css").read_text(encoding="utf-8")
    lacks = [*results.missing, *(f"FAILED: {summary.strip(name)}: {message}" for name, message in results.failures)]
    notice = lacks and ('<div class="missing" role="note"><strong>Missing from this page</strong><ul>'
                        + "".join(f"<li>{escape(line)}</li>" for line in lacks) + "</ul></div>")
    sections = [writing(results), latencies(results), reading(results), blocks(results), promises(results),
                all_numbers(results), settings(results)]
    links = re.findall(r'<section id="([^"]+)"><h2>([^<]+)</h2>', "".join(sections))
    nav = "".join(f'<li><a href="#{name}">{title}</a></li>' for name, title in links)
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; style-src \'unsafe-inline\'; img-src data:">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">'
        f"<title>Spillway benchmarks</title><style>{style}</style></head><body><header><h1>Spillway beside other stores</h1>"
        f'<p class="lead">{escape(sizes(results))}.</p><nav aria-label="Sections"><ul>{nav}</ul></nav></header><main>'
        f'{notice or ""}{glance(results)}{"".join(sections)}</main>'
        f'<footer>Measured {escape(str(results.context.get("date", "")))}. This page is one file and loads nothing.</footer>'
        "</body></html>\n")


def markdown(results):
    """The stores side by side, for the README."""
    lines = [sizes(results) + ".", "",
             "| store | M records/s | batch p50 / p99 / p99.9 / max, ms | last ten / first ten | add + close + read back, ms "
             "| CPU s | peak MB | disk MB |", "|---|---|---|---|---|---|---|---|"]
    for store, run in results.stores():
        spread = " / ".join(number(run[metric]) for metric, _ in PERCENTILES)
        parts = " + ".join(number(run[metric]) for metric in ("add_ms", "close_ms", "read_back_ms"))
        lines.append(f"| {store.label} | {number(run['Mrec_s'])} | {spread} | {number(run.get('slowdown'))} | {parts} "
                     f"| {number(run['cpu_s'])} | {number(run['rss_peak_MB'])} | {number(run['disk_MB'])} |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--results", type=pathlib.Path, required=True)
    parser.add_argument("--html", type=pathlib.Path, required=True)
    parser.add_argument("--markdown", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    results = Results(arguments.results)
    if not results.stores():
        print("bench-report: nothing to report; missing:", *results.missing, sep="\n  ", file=sys.stderr)
        print("Run `make bench` first, or `make bench-report RECORDS=400000`, which measures now.", file=sys.stderr)
        return 1
    arguments.html.write_text(page(results), encoding="utf-8")
    table = markdown(results)
    arguments.markdown.write_text(table, encoding="utf-8")
    print(table)
    for line in results.missing:
        print(f"missing: {line}")
    print(f"page: {arguments.html}\ntable: {arguments.markdown}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
