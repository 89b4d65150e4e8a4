#!/usr/bin/env python3
"""summary.py bench.json: the medians of a run as tables, Spillway beside the limits and the peers."""
import json
import sys
from collections import defaultdict

LIMITS = {"memcpy", "arena_huge", "arena_4k", "file", "file_direct"}
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
TABLES = [
    ("W1_ingest", "W1 ingest, no cap", INGEST),
    ("W2_capped", "W2 ingest, a third of the records in memory, D0", CAPPED),
    ("W3_scan", "W3 scan in order, every byte hashed", SCAN),
    ("W4_points", "W4 point reads (gather: per record of 1,000)", POINTS),
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


def strip(name):
    return name.replace("/iterations:1", "").replace("/manual_time", "")


def group(workload, variant):
    """Who is in memory and who is on disk stand side by side in point reads."""
    return variant.split("/", 1)[1] if workload == "W4_points" else variant


def print_table(title, columns, contestants):
    ours = [counters for name, counters in contestants.items() if name.startswith("spillway")]
    print(f"\n{title}")
    used = [c for c in columns if any(c[1] in counters for counters in contestants.values())]
    print(f"  {'':18}" + "".join(f"{label:>12}" for label, _, _ in used) + "   Spillway is")
    ordered = sorted(contestants.items(), key=lambda item: -item[1].get("Mrec_s", 0))
    for name, counters in ordered:
        cells = "".join(
            f"{form.format(counters[key]) if key in counters else '-':>12}" for _, key, form in used)
        print(f"  {name:18}{cells}   {compare(name, counters, ours)}")


def compare(name, counters, ours):
    """How many times its rate the best of ours has."""
    if not ours or name.startswith("spillway") or not counters.get("Mrec_s"):
        return ""
    times = max(our["Mrec_s"] for our in ours) / counters["Mrec_s"]
    kind = "of the limit" if name in LIMITS else "of it" if times >= 1 else "of it: behind"
    return f"{times:5.2f} x {kind}"


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        run = json.load(file)
    context = run["context"]
    print("\nmedians; " + "; ".join(
        f"{key} {context[key]}" for key in ("records", "file_system", "transparent_huge_pages")
        if key in context))
    results, failures = medians(run["benchmarks"])
    for workload, title, columns in TABLES:
        for variant, contestants in results.get(workload, {}).items():
            print_table(f"{title}: {variant}", columns, contestants)
    for name, message in failures:
        print(f"\nFAILED: {name}: {message}")


if __name__ == "__main__":
    main()
