#!/usr/bin/env python3
"""page_test.py build-folder [target of the benchmark]: a small run, its page, and what a browser makes of it.

Builds the benchmark if that was not done yet. What the browser shows is compared with numbers that are
computed here from the single repetitions, not from the medians that the page is made of.
"""
import json
import os
import pathlib
import re
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import unittest
import zlib
from collections import defaultdict
from html.parser import HTMLParser

import page
import summary

HERE = pathlib.Path(__file__).resolve().parent
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
# Eleven batches: a window of ten and one of a single batch.
RECORDS = 55_000
RUNS = r"^(W1_ingest/.*/(memory|D0)|W2_capped/.*/(b5000|b500)|W3_scan/.*|W4_points/.*/uniform/single)(/iterations.*)?$"
VOID = {"meta", "link", "img", "br", "input"}


class Page(HTMLParser):
    """The marks and cells of a page by (chart, run, number), each with its tag, attributes and text."""

    def __init__(self, text):
        super().__init__()
        self.marks, self.texts, self.references, self.open, self.chart = defaultdict(list), [], [], [], ""
        self.feed(text)
        assert not self.open, self.open

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        element = {"tag": tag, "attributes": attributes, "text": ""}
        self.chart = attributes.get("id", self.chart) if tag == "svg" else self.chart
        self.references += [attributes[name] for name in ("src", "href") if name in attributes]
        if "data-run" in attributes:
            where = self.chart if any(each["tag"] == "svg" for each in self.open) else tag
            self.marks[where, attributes["data-run"], attributes["data-key"]].append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag):
        element = self.open.pop()
        assert element["tag"] == tag, (element["tag"], tag)
        self.chart = "" if tag == "svg" else self.chart

    def handle_data(self, data):
        for element in self.open:
            element["text"] += data
        self.texts.append(data)


def medians(path):
    """{run: {number: median}} of the single repetitions."""
    found = defaultdict(lambda: defaultdict(list))
    for run in json.loads(path.read_text(encoding="utf-8"))["benchmarks"]:
        if run["run_type"] == "iteration":
            for key, value in run.items():
                if isinstance(value, (int, float)):
                    found[re.sub(r"/iterations.*", "", run["run_name"])][key].append(value)
    return {run: {key: statistics.median(values) for key, values in numbers.items()} for run, numbers in found.items()}


def pixels(png):
    """The colours of a PNG file (8 bits a channel, not interlaced), and its size."""
    chunks, at = {}, 8
    while at < len(png):
        length, kind = struct.unpack_from(">I4s", png, at)
        chunks[kind] = chunks.get(kind, b"") + png[at + 8:at + 8 + length]
        at += 12 + length
    width, height, depth, colour_type = struct.unpack_from(">IIBB", chunks[b"IHDR"])
    assert depth == 8 and colour_type in (2, 6), "not as the browser used to write them"
    size = 3 if colour_type == 2 else 4
    raw, stride = zlib.decompress(chunks[b"IDAT"]), width * size
    colours, above = set(), bytearray(stride)
    for row in range(height):
        start = row * (stride + 1)
        line = bytearray(raw[start + 1:start + 1 + stride])
        unfilter(raw[start], line, above, size)
        colours.update(zip(*(line[channel::size] for channel in range(3))))
        above = line
    return width, height, colours


def unfilter(kind, line, above, size):
    """In place; `kind` says what each byte is a difference to: left, above, their mean, or the nearest of three."""
    for i in range(len(line)) if kind else ():
        left, corner = (line[i - size], above[i - size]) if i >= size else (0, 0)
        guess = left + above[i] - corner
        near = min((left, above[i], corner), key=lambda value: abs(guess - value))
        line[i] = (line[i] + (0, left, above[i], (left + above[i]) // 2, near)[kind]) & 255


def colour(text):
    return tuple(bytes.fromhex(text.removeprefix("#")))


class ReportTest(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        subprocess.run(["cmake", "--build", BUILD, "--target", TARGET], check=True, stdout=subprocess.DEVNULL)
        subprocess.run([BUILD / "tests" / "bench" / "spw_bench", f"--dir={cls.folder}", f"--benchmark_filter={RUNS}",
                        "--benchmark_repetitions=2", f"--benchmark_out={cls.folder / 'bench.json'}",
                        "--benchmark_out_format=json"],
                       check=True, stdout=subprocess.DEVNULL, env={**os.environ, "SPW_BENCH_RECORDS": str(RECORDS)})
        (cls.folder / "gate.txt").write_text("PASS  as <promised>\nFAIL  a line of a gate\n", encoding="utf-8")
        cls.html = cls.folder / "page.html"
        cls.made = cls.make(cls.folder, cls.html)
        cls.numbers = medians(cls.folder / "bench.json")
        cls.dom, cls.console = cls.browse(cls.html, "--dump-dom")
        cls.page = Page(cls.dom)

    @staticmethod
    def make(folder, html):
        return subprocess.run([sys.executable, HERE / "page.py", "--results", folder, "--html", html,
                               "--markdown", html.with_suffix(".md")], capture_output=True, text=True, check=False)

    @classmethod
    def browse(cls, html, *arguments):
        """What the browser prints, and the messages of its console."""
        with tempfile.TemporaryDirectory() as profile:
            done = subprocess.run(
                [BROWSER, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                 "--hide-scrollbars", "--enable-logging=stderr", f"--user-data-dir={profile}", *arguments, html.as_uri()],
                capture_output=True, text=True, timeout=300, check=True)
        return done.stdout, [line for line in done.stderr.splitlines() if ":CONSOLE" in line]

    def mark(self, chart, run, metric):
        found = self.page.marks[chart, run, metric]
        self.assertEqual(len(found), 1, (chart, run, metric))
        return found[0]

    def value(self, chart, run, metric):
        return float(self.mark(chart, run, metric)["attributes"]["data-value"])

    def present(self):
        return [store for store in page.STORES if store.run in self.numbers]

    def test_was_made_of_all_stores(self):
        self.assertEqual(self.made.returncode, 0, self.made.stderr)
        contestants = {run.split("/")[1] for run in self.numbers}
        self.assertLessEqual({"spillway", "spillway_memory", "sqlite_row", "file", "file_direct"}, contestants)
        for store in self.present():
            self.assertIn(f"| {store.label} |", self.made.stdout)
        self.assertEqual(self.html.with_suffix(".md").read_text(encoding="utf-8").count("\n| "), len(self.present()) + 1)
        for store in page.STORES:
            self.assertEqual(store in self.present(), f"{store.label}: no run" not in self.dom, store.label)
        self.assertIn("block_bench.json: not there", self.dom)

    def test_table_has_every_number(self):
        columns = {workload: listed for workload, _, listed in summary.TABLES}
        shown = 0
        for run, numbers in self.numbers.items():
            for _, key, form in columns[run.split("/")[0]]:
                if key in numbers:
                    self.assertEqual(self.mark("td", run, key)["text"], form.format(numbers[key]), (run, key))
                    shown += 1
        self.assertEqual(shown, sum(len(found) for (where, _, _), found in self.page.marks.items() if where == "td"))
        self.assertGreater(shown, 20 * 8)

    def test_charts_have_every_store(self):
        for store in self.present():
            numbers = self.numbers[store.run]
            with self.subTest(store.label):
                add, wait = numbers["add_ms"], numbers.get("wait_ms", 0)
                self.assertAlmostEqual(self.value("totals", store.run, "total_ms"), add + numbers["close_ms"])
                self.assertAlmostEqual(self.value("parts", store.run, "add_ms"), add - wait)
                self.assertEqual(self.page.marks["parts", store.run, "wait_ms"] != [], "wait_ms" in numbers)
                for chart, key in (("parts", "close_ms"), ("parts", "read_back_ms"), ("ends", "slowdown"),
                                   *(("latency-large", key) for key, _ in page.PERCENTILES)):
                    self.assertAlmostEqual(self.value(chart, store.run, key), numbers[key], msg=key)
                self.assertAlmostEqual(self.value("over", store.run, "time_ms"),
                                       10 * numbers["window_00_ms"] + numbers["window_01_ms"])
                self.assertAlmostEqual(self.value("slowdown", store.run, "times_first"),
                                       numbers["window_01_ms"] / numbers["window_00_ms"])
                for chart in ("over", "slowdown"):
                    line = self.mark(chart, store.run, "time_ms" if chart == "over" else "times_first")
                    self.assertEqual(line["attributes"]["data-points"], "2")
                    self.assertIn(store.label, line["text"])
        for run, numbers in self.numbers.items():
            if run.startswith("W3_scan/"):
                self.assertAlmostEqual(self.value(f"scan-{run.split('/')[2]}", run, "Mrec_s"), numbers["Mrec_s"])
            if run.startswith("W4_points/"):
                self.assertAlmostEqual(self.value(f"points-{run.split('/')[3]}-single", run, "record_p50_us"),
                                       numbers["record_p50_us"])

    def test_bars_are_as_long_as_their_numbers(self):
        for chart, metric in (("totals", "total_ms"), ("scan-warm", "Mrec_s")):
            bars = [each[0]["attributes"] for (where, _, key), each in self.page.marks.items()
                    if (where, key) == (chart, metric)]
            longest = max(bars, key=lambda bar: float(bar["data-value"]))
            for bar in bars:
                share = float(bar["data-value"]) / float(longest["data-value"])
                self.assertAlmostEqual(float(bar["width"]), share * float(longest["width"]), delta=0.02)

    def test_needs_nothing_else(self):
        self.assertEqual([each for each in self.page.references if not each.startswith(("#", "data:"))], [])
        self.assertEqual(self.console, [])
        # That the browser would tell: a script is against the page's own policy.
        changed = self.folder / "changed.html"
        changed.write_text(self.html.read_text(encoding="utf-8").replace("</body>", "<script>1</script></body>"),
                           encoding="utf-8")
        self.assertEqual(len(self.browse(changed, "--dump-dom")[1]), 1)

    def test_says_what_charts_show(self):
        for chart in ("totals", "over", "slowdown", "ends", "parts", "latency-large", "scan-warm"):
            self.assertRegex(self.dom, rf'<svg id="{chart}" role="img"[^>]*aria-labelledby="{chart}-t {chart}-d"')
            self.assertRegex(self.dom, rf'<title id="{chart}-t">\w')
            self.assertRegex(self.dom, rf'<desc id="{chart}-d">[^<]*(milliseconds|times|million)')
        self.assertIn("as &lt;promised&gt;", self.dom)

    def test_can_be_seen(self):
        style = (HERE / "page.css").read_text(encoding="utf-8")
        for scheme, number, paper in ((0, 1, "light"), (1, 0, "dark")):
            colours = dict(re.findall(r"--(\w+): (#\w{6})", style.split("@media (prefers-color-scheme")[scheme]))
            picture = self.folder / f"{paper}.png"
            self.browse(self.html, f"--screenshot={picture}", "--window-size=1160,1200",
                        f"--blink-settings=preferredColorScheme={number}")
            width, height, seen = pixels(picture.read_bytes())
            self.assertEqual((width, height), (1160, 1200))
            wanted = {"paper", "panel", *(store.style.split()[0] for store in self.present())}
            self.assertEqual({name for name in wanted if colour(colours[name]) not in seen}, set(), paper)

    def test_blocks(self):
        runs = {f"W5_updates/{name}/4k/each": {"ms": i + 1.5} for i, name in enumerate([*page.BLOCKS, "files"])}
        runs |= {f"W6_reads/{name}/64k/view": {"Mrec_s": i + 0.25} for i, name in enumerate(page.BLOCKS)}
        written = [{"run_name": run, "name": run, "run_type": "iteration", "repetitions": 1, "family_index": i, **numbers}
                   for i, (run, numbers) in enumerate(runs.items())]
        both = self.folder / "both"
        both.mkdir()
        shutil.copy(self.folder / "bench.json", both)
        (both / "block_bench.json").write_text(json.dumps({"context": {}, "benchmarks": written}), encoding="utf-8")
        self.assertEqual(self.make(both, both / "page.html").returncode, 0)
        made = Page((both / "page.html").read_text(encoding="utf-8"))
        for run, numbers in runs.items():
            (key, value), chart = next(iter(numbers.items())), "updates-4k-each" if "W5" in run else "block-reads-64k-view"
            if "/files/" in run:
                self.assertIn(f"A folder of files, beyond this scale: {value:.1f} ms.", "".join(made.texts))
            else:
                (mark,) = made.marks[chart, run, key]
                self.assertEqual(float(mark["attributes"]["data-value"]), value)
                self.assertEqual(len(made.marks["td", run, key]), 1)

    def test_of_nothing(self):
        empty = self.folder / "empty"
        empty.mkdir()
        made = self.make(empty, empty / "page.html")
        self.assertEqual((made.returncode, made.stdout), (1, ""))
        self.assertIn("bench.json: not there", made.stderr)
        self.assertIn("make bench", made.stderr)
        self.assertFalse((empty / "page.html").exists())
        content = (self.folder / "bench.json").read_text(encoding="utf-8")
        (empty / "bench.json").write_text(content[:len(content) // 2], encoding="utf-8")
        self.assertIn("bench.json: cut off in line", self.make(empty, empty / "page.html").stderr)


if __name__ == "__main__":
    BUILD, TARGET = pathlib.Path(sys.argv[1]), (sys.argv[2:] or [None])[0]
    if not BROWSER:
        print("SKIP: no chromium, so nobody looked at the page of make bench-report")
        sys.exit(77)
    if not TARGET:
        print("SKIP: no Google Benchmark, so there is no page of make bench-report")
        sys.exit(77)
    unittest.main(argv=sys.argv[:1])
