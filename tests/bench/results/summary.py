#!/usr/bin/env python3
"""summary.py file.json...: the medians of a run as tables, Spillway beside the limits and the peers."""
import json
import pathlib
import re
import sys
from collections import defaultdict

LIMITS = {"memcpy", "arena_huge", "arena_4k", "file", "file_direct",
          "raw", "raw_cow", "raw_cow_used"}
RATE = ("Mrec/s", "Mrec_s", "{:.2f}")
INGEST = [RATE, ("CPU s", "cpu_s", "{:.2f}"), ("peak MB", "rss_peak_MB", "{:.0f}"),
          ("disk MB", "disk_MB", "{:.0f}"), ("written MB", "written_MB", "{:.0f}"),
          ("p50 ms", "batch_p50_ms", "{:.3f}"), ("p99 ms", "batch_p99_ms", "{:.3f}"),
          ("p99.9 ms", "batch_p999_ms", "{:.3f}"), ("max ms", "batch_max_ms", "{:.3f}")]
CAPPED = INGEST + [("resident", "resident_peak_records", "{:.0f}"),
                   ("resident MB", "resident_peak_MB", "{:.0f}")]
SCAN = [RATE, ("CPU s", "cpu_s", "{:.2f}"), ("peak MB", "rss_peak_MB", "{:.0f}"),
        ("in cache", "cached_fraction", "{:.2f}")]
POINTS = [RATE, ("p50 us", "record_p50_us", "{:.3f}"), ("p99 us", "record_p99_us", "{:.3f}"),
          ("p99.9 us", "record_p999_us", "{:.3f}"), ("max us", "record_max_us", "{:.1f}"),
          ("CPU s", "cpu_s", "{:.2f}")]
UPDATES = [("ms", "ms", "{:.2f}"), ("x raw", "times_raw", "{:.2f}"),
           ("close ms", "close_ms", "{:.2f}"), ("all, x raw", "total_times_raw", "{:.2f}"),
           ("x payload", "written_per_payload", "{:.3f}"), ("own", "own_per_payload", "{:.3f}"),
           ("CPU s", "cpu_s", "{:.3f}"), ("peak MB", "rss_peak_MB", "{:.0f}"),
           ("disk MB", "disk_MB", "{:.0f}"), ("p50 ms", "group_p50_ms", "{:.3f}"),
           ("p99 ms", "group_p99_ms", "{:.3f}"), ("max ms", "group_max_ms", "{:.3f}")]
NEUTRAL = [("all ms", "ms", "{:.2f}"), ("insert ms", "insert_ms", "{:.2f}"),
           ("update ms", "update_ms", "{:.2f}"), ("read ms", "read_ms", "{:.2f}"),
           ("delete ms", "delete_ms", "{:.2f}"), ("CPU s", "cpu_s", "{:.3f}"),
           ("disk MB", "disk_MB", "{:.1f}")]
MIXED = [("M calls/s", "Mrec_s", "{:.3f}"), ("close ms", "close_ms", "{:.1f}"),
         ("read p50 us", "read_p50_us", "{:.2f}"), ("read p99", "read_p99_us", "{:.1f}"),
         ("put p50", "put_p50_us", "{:.2f}"), ("put p99", "put_p99_us", "{:.1f}"),
         ("put max", "put_max_us", "{:.0f}"), ("delete p99", "delete_p99_us", "{:.1f}"),
         ("CPU s", "cpu_s", "{:.2f}")]
READS = [("M reads/s", "Mrec_s", "{:.3f}"), ("p50 us", "read_p50_us", "{:.2f}"),
         ("p99 us", "read_p99_us", "{:.2f}"), ("max us", "read_max_us", "{:.1f}"),
         ("peak MB", "rss_peak_MB", "{:.0f}")]
OPEN = [("M names/s", "Mrec_s", "{:.2f}"), ("open ms", "open_ms", "{:.2f}"),
        ("open MB", "open_rss_MB", "{:.1f}"), ("anonymous", "open_anonymous_MB", "{:.1f}")]
TABLES = [
    ("W1_ingest", "W1 ingest, no cap", INGEST),
    ("W2_capped", "W2 ingest, a third of the records in memory, D0", CAPPED),
    ("W3_scan", "W3 scan in order, every byte hashed", SCAN),
    ("W4_points", "W4 point reads (gather: per record of 1,000)", POINTS),
    ("W5_updates", "W5 500 of 1,000 blocks updated, durable", UPDATES),
    ("W5_neutral", "W5 neutral, a durable batch per kind", NEUTRAL),
    ("W5_mixed", "W5 mixed, 60 % reads, 30 % puts, 10 % deletes, durable at the end", MIXED),
    ("W6_reads", "W6 1,000 random reads, warm (raw_cow: pread and XXH3)", READS),
    ("W6_open", "W6 open a million blocks, list 100,000 names", OPEN),
]


def medians(runs):
    """{workload: {variant: {contestant: counters}}}; one run counts as its own median."""
    result = defaultdict(lambda: defaultdict(dict))
    failures = []
    for run in runs:
        if run.get("error_occurred"):
            failures.append((run["name"], run.get("error_message", "")))
        elif run.get("aggregate_name") == "median" or (
                run.get("run_type") == "iteration" and run.get("repetitions", 1) == 1):
            workload, contestant, variant = strip(run["run_name"]).split("/", 2)
            result[workload][group(workload, variant)][contestant] = run
    return result, failures


def registered(contestants):
    """When the program named the variant for the first time; they run in random order."""
    return min(run["family_index"] for run in contestants.values())


def strip(name):
    return re.sub(r"/(iterations:1|repeats:\d+|manual_time)(?=/|$)", "", name)


def group(workload, variant):
    """Who is in memory and who is on disk stand side by side in point reads."""
    return variant.split("/", 1)[1] if workload == "W4_points" else variant


def compare_with_raw(contestants):
    """Times as multiples of pwrite in place."""
    raw = contestants.get("raw", {})
    for key, times in (("ms", "times_raw"), ("total_ms", "total_times_raw")):
        for counters in contestants.values():
            if raw.get(key) and key in counters:
                counters[times] = counters[key] / raw[key]


def tables(results):
    """[(title, columns, {contestant: counters})], in the order of the workloads."""
    found = []
    for workload, title, columns in TABLES:
        variants = results.get(workload, {})
        for variant in sorted(variants, key=lambda name: registered(variants[name])):
            compare_with_raw(variants[variant])
            found.append((f"{title}: {variant}", columns, variants[variant]))
    return found


def used_columns(columns, contestants):
    return [c for c in columns if any(c[1] in counters for counters in contestants.values())]


def rows(contestants):
    """[(contestant, counters, what Spillway is against it)], the fastest first."""
    ours = [counters for name, counters in contestants.items() if name.startswith("spillway")]
    ordered = sorted(contestants.items(), key=lambda item: -item[1].get("Mrec_s", 0))
    return [(name, counters, compare(name, counters, ours)) for name, counters in ordered]


def print_table(title, columns, contestants):
    print(f"\n{title}")
    used = used_columns(columns, contestants)
    print(f"  {'':18}" + "".join(f"{label:>12}" for label, _, _ in used) + "   Spillway is")
    for name, counters, verdict in rows(contestants):
        cells = "".join(
            f"{form.format(counters[key]) if key in counters else '-':>12}" for _, key, form in used)
        print(f"  {name:18}{cells}   {verdict}")


def compare(name, counters, ours):
    """How many times its rate the best of ours has."""
    if not ours or name.startswith("spillway") or not counters.get("Mrec_s"):
        return ""
    times = max(our["Mrec_s"] for our in ours) / counters["Mrec_s"]
    kind = "of the limit" if name in LIMITS else "of it" if times >= 1 else "of it: behind"
    return f"{times:5.2f} x {kind}"


def load(path):
    """What a program left in a JSON file, or None and why there is nothing."""
    try:
        text = pathlib.Path(path).read_text(encoding="utf-8")
        return (json.loads(text), "") if text else (None, "empty, a filter let nothing through")
    except FileNotFoundError:
        return None, "not there"
    except json.JSONDecodeError as error:
        return None, f"cut off in line {error.lineno}, the run did not end"


def main():
    for path in sys.argv[1:]:
        run, why = load(path)
        if run:
            print_run(run)
        else:
            print(f"\n{path}: {why}")


def print_run(run):
    context = run["context"]
    print("\nmedians; " + "; ".join(
        f"{key} {context[key]}" for key in
        ("records", "seed", "file_system", "transparent_huge_pages", "load_avg") if key in context))
    results, failures = medians(run["benchmarks"])
    for table in tables(results):
        print_table(*table)
    for name, message in failures:
        print(f"\nFAILED: {name}: {message}")


if __name__ == "__main__":
    main()
