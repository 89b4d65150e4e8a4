#!/usr/bin/env python3
"""records_test.py build-folder: record stores, on both tiers: info, streams, stats, trim and clear say what is
there, drop what they were told to, and change and make nothing beyond that."""
import json
import os
import re
import sqlite3

from harness import (BLOCK_FILE, BUSY, DAMAGE, FAILED, OK, OPEN_NEW, OUTPUT_CLOSED, SQLITE, USAGE, HeldStore, TestCase,
                     main)

TIERS = {BLOCK_FILE: "block_file", SQLITE: "sqlite"}
LOG = [b"record %d" % i for i in range(1000)]
TIMED = [b"x" * i for i in range(10)]
TIMES = [100 * i for i in range(10)]
ODD = b"odd\n\xff"


class Stores(TestCase):
    def make_store(self, name, tier):
        store = HeldStore(self.path(name), tier, OPEN_NEW)
        store.add(b"log", LOG)
        store.add(b"timed", TIMED, TIMES)
        store.stream(ODD)
        store.close()

    def on_each_tier(self):
        for tier, name in TIERS.items():
            self.make_store(name, tier)
            with self.subTest(name):
                yield tier, name

    def of(self, tier, name, stream, records):
        """What a stream holds, read through the library."""
        store = HeldStore(self.path(name), tier)
        found = [store.read(stream, seq) for seq in records]
        store.close()
        return found


class Looking(Stores):
    STREAMS = [{"id": 0, "name": "log", "records": 1000, "begin_seq": 0, "tail_seq": 1000, "times": False},
               {"id": 1, "name": "timed", "records": 10, "begin_seq": 0, "tail_seq": 10, "times": True},
               {"id": 2, "name": "odd\\n\\xff", "name_hex": "6f64640aff", "records": 0, "begin_seq": 0, "tail_seq": 0,
                "times": False}]
    TABLE = (b"         records           begin             end  times  stream\n"
             b"           1,000               0           1,000  no     log\n"
             b"              10               0              10  yes    timed\n"
             b"               0               0               0  no     odd\\n\\xff\n")

    def test_streams(self):
        for _, name in self.on_each_tier():
            self.expect("streams", name, out=self.TABLE)
            done = self.run_tool("streams", "--json", name)
            self.assertEqual([json.loads(line) for line in done.stdout.splitlines()], self.STREAMS)

    def test_info(self):
        for tier, name in self.on_each_tier():
            document = self.json("info", name)
            store = document["store"]
            self.assertEqual((store["tier"], store["records"], store["streams"]), (name, 1010, self.STREAMS))
            text = self.run_tool("info", name)
            self.assertEqual((text.returncode, text.stderr), (OK, b""))
            self.assertTrue(text.stdout.startswith(name.encode() + b"\n"))
            self.assertIn(b"\n  records    1,010 in 3 streams, in ", text.stdout)
            self.assertTrue(text.stdout.endswith(self.TABLE))
            size = os.path.getsize(self.path(name))
            if tier == SQLITE:
                self.assertEqual(store["bytes"], size)
            else:
                self.assertEqual((document["file_bytes"], document["blocks"], store["blocks"]), (size, 6, 6))
                self.assertEqual(store["bytes"], document["payload_bytes"])

    def test_of_a_store_that_holds_blocks_too(self):
        self.make_store("block_file", BLOCK_FILE)
        self.json("put", "block_file", "mine", stdin=b"12345")
        document = self.json("info", "block_file")
        self.assertEqual((document["blocks"], document["store"]["blocks"]), (7, 6))
        self.assertEqual(document["payload_bytes"], document["store"]["bytes"] + 5)
        self.expect("get", "block_file", "mine", out=b"12345")

    def test_stats(self):
        for _, name in self.on_each_tier():
            size = os.path.getsize(self.path(name))
            self.assertEqual(self.json("stats", name), {
                "file": name, "streams_count": 3, "records_live": 1010, "records_cold": 1010, "cold_file_bytes": size,
                "checksum_errors": 0, "health": "SPW_OK", "streams": self.STREAMS})
            done = self.run_tool("stats", name)
            self.assertEqual((done.returncode, done.stderr), (OK, b""))
            self.assertTrue(done.stdout.endswith(b"\n  health     SPW_OK\n" + self.TABLE))

    def test_a_block_file_is_not_changed(self):
        self.make_store("f", BLOCK_FILE)
        before = self.path("f").read_bytes(), os.stat(self.path("f")).st_mtime_ns
        for verb in ["info", "streams", "stats", "ls", "verify"]:
            self.assertEqual(self.run_tool(verb, "f").returncode, OK)
        self.assertEqual((self.path("f").read_bytes(), os.stat(self.path("f")).st_mtime_ns), before)
        self.assertEqual(os.listdir(self.folder), ["f"])

    def test_closed_pipe(self):
        for _, name in self.on_each_tier():
            reading, writing = os.pipe()
            os.close(reading)
            process = self.start("streams", name, stdout=writing)
            os.close(writing)
            self.assertEqual(process.wait(), OUTPUT_CLOSED)


class Dropping(Stores):
    def left(self, name, stream=0):
        of = [line for line in self.json("stats", name)["streams"] if line["id"] == stream]
        return of[0]["begin_seq"], of[0]["tail_seq"]

    def test_by_number(self):
        for tier, name in self.on_each_tier():
            done = self.run_tool("trim", name, "log", "--before-seq", "990")
            self.assertEqual((done.returncode, done.stderr), (OK, b""))
            self.assertRegex(done.stdout, rb"^log: 990 records dropped, 10 records left from 990 on\n"
                                          rb"on disk: [^\n]+, now [^\n]+\n$")
            self.assertEqual(self.left(name), (990, 1000))
            self.assertEqual(self.of(tier, name, 0, range(990, 1000)), LOG[990:])
            document = self.json("trim", name, "log", "--before-seq", "5")
            self.assertEqual((document["dropped"], document["begin_seq"]), (0, 990))
            error = self.json_error("trim", name, "log", "--before-seq", "1001", code=USAGE)
            self.assertEqual((error["code"], error["dropped"]), ("SPW_INVALID_ARGUMENT", 0))
            self.assertEqual(self.left(name), (990, 1000))

    def test_by_time(self):
        for tier, name in self.on_each_tier():
            self.assertEqual(self.json("trim", name, "timed", "--before-time", "-5")["dropped"], 0)
            self.assertEqual(self.json("trim", name, "timed", "--before-time", "250")["dropped"], 3)
            self.assertEqual(self.left(name, 1), (3, 10))
            self.assertEqual(self.of(tier, name, 1, range(3, 10)), TIMED[3:])
            self.json_error("trim", name, "log", "--before-time", "1", code=USAGE)

    def test_by_size(self):
        for tier, name in self.on_each_tier():
            self.assertEqual(self.json("trim", name, "timed", "--bytes-most", "24")["dropped"], 7)  # 7 + 8 + 9
            self.assertEqual(self.of(tier, name, 1, range(7, 10)), TIMED[7:])
            self.assertEqual(self.json("trim", name, "log", "--bytes-most", "1K")["dropped"], 1000 - 1024 // 10)

    def test_clear(self):
        for tier, name in self.on_each_tier():
            self.assertEqual(self.json("clear", name, "log")["dropped"], 1000)
            self.assertEqual(self.left(name), (1000, 1000))
            self.assertEqual(self.json("clear", name, ODD)["dropped"], 0)
            self.assertEqual(self.of(tier, name, 1, range(10)), TIMED)

    def test_what_is_not_there(self):
        for _, name in self.on_each_tier():
            for arguments in [["trim", name, "none", "--before-seq", "1"], ["clear", name, "none"]]:
                error = self.json_error(*arguments, code=FAILED)
                self.assertEqual((error["code"], error["hint"]),
                                 ("SPW_NOT_FOUND", "spillway streams shows which there are"))
        self.assertEqual(len(self.json("stats", "sqlite")["streams"]), 3)


class Verifying(Stores):
    def make_store(self, name, tier):
        """Blocks and runs of several records; of both streams a part of the first block, and the rest."""
        store = HeldStore(self.path(name), tier, OPEN_NEW)
        store.add(b"log", [self.record(i) for i in range(1000)])
        store.add(ODD, [b"a", b"b", b"c"])
        store.close()

    @staticmethod
    def record(number):
        return b"<%d>" % number * 200

    def damaged(self, tier, name):
        """The ranges of records that cannot be read, one by one."""
        store = HeldStore(self.path(name), tier)
        ranges = []
        for seq in range(1000):
            payload = store.read(0, seq)
            if payload is None:
                if ranges and ranges[-1][1] == seq:
                    ranges[-1][1] = seq + 1
                else:
                    ranges.append([seq, seq + 1])
            else:
                self.assertEqual(payload, self.record(seq))
        store.close()
        return ranges

    def test_good(self):
        for tier, name in self.on_each_tier():
            payload = sum(len(self.record(i)) for i in range(1000)) + 3
            want = {"streams": 2, "records": 1003, "records_good": 1003, "records_damaged": 0,
                    "payload_bytes_good": payload, "ranges_found": 0, "ranges": []}
            document = self.json("verify", name)
            self.assertEqual(document["store"], want)
            done = self.run_tool("verify", name)
            self.assertEqual((done.returncode, done.stderr), (OK, b""))
            self.assertTrue(done.stdout.endswith(
                b"no damage: 1,003 records good in 2 streams, %s of payload read\n"
                % f"{payload / 1024:.1f} KiB ({payload:,} bytes)".encode()), done.stdout)
            if tier == BLOCK_FILE:
                self.assertNotIn("store", self.json("verify", "--quick", name))
            else:
                self.json_error("verify", "--quick", name, code=USAGE)

    def test_damaged(self):
        for tier, name in self.on_each_tier():
            raw = bytearray(self.path(name).read_bytes())
            for number in [100, 101, 700]:
                at = raw.index(self.record(number)[:100])
                raw[at + 50] ^= 1
            self.path(name).write_bytes(raw)
            damaged = self.damaged(tier, name)
            self.assertEqual(len(damaged), 2)
            count = sum(end - begin for begin, end in damaged)
            document = self.json("verify", name, code=DAMAGE)["store"]
            self.assertEqual([[each["begin_seq"], each["end_seq"]] for each in document["ranges"]], damaged)
            self.assertEqual({(each["stream"], each["name"], each["code"]) for each in document["ranges"]},
                             {(0, "log", "SPW_CORRUPT")})
            self.assertEqual((document["records_damaged"], document["records_good"], document["ranges_found"]),
                             (count, 1003 - count, 2))
            done = self.run_tool("verify", name)
            self.assertEqual((done.returncode, done.stderr), (DAMAGE, b""))
            lines = b""
            for (begin, end), each in zip(damaged, document["ranges"]):
                lines += (f"damaged: stream log, {end - begin} records from {begin} to {end - 1}\n"
                          f"         {each['message']}\n").encode()
            payload = document["payload_bytes_good"]
            lines += (f"{1003 - count} records good in 2 streams, {count} damaged, every other can be read, "
                      f"{payload / 1024:.1f} KiB ({payload:,} bytes) of payload read\n").encode()
            self.assertTrue(done.stdout.endswith(lines), (done.stdout, lines))
            self.assertEqual(self.damaged(tier, name), damaged)

    def test_store_that_cannot_be_opened(self):
        self.make_store("f", BLOCK_FILE)
        raw = bytearray(self.path("f").read_bytes())
        for place in re.finditer(rb"\.spillway/", bytes(raw)):  # in the registry, and in what it was before
            raw[place.start()] ^= 1
        self.path("f").write_bytes(raw)
        done = self.run_tool("verify", "f")
        self.assertEqual((done.returncode, done.stderr), (DAMAGE, b""))
        self.assertRegex(done.stdout, rb"^damaged: structure of the file\n")
        self.assertEqual(self.path("f").read_bytes(), bytes(raw))


class NoStore(Stores):
    VERBS = [["streams", "f"], ["stats", "f"], ["trim", "f", "s", "--before-seq", "1"], ["clear", "f", "s"]]

    def test_plain_block_file(self):
        self.make({b"a": b"1"})
        before = self.path().read_bytes()
        for arguments in self.VERBS:
            self.expect(*arguments, code=FAILED, err=b"spillway: f: a block file without a record store in it "
                                                     b"(SPW_NOT_FOUND)\nspillway ls shows its blocks.\n")
        self.assertNotIn("store", self.json("info", "f"))
        self.assertEqual((self.path().read_bytes(), os.listdir(self.folder)), (before, ["f"]))

    def test_database_of_somebody_else(self):
        database = sqlite3.connect(self.path())
        database.execute("CREATE TABLE t(a)")
        database.commit()
        database.close()
        before = self.path().read_bytes()
        for arguments in self.VERBS + [["info", "f"], ["verify", "f"]]:
            error = self.json_error(*arguments, code=DAMAGE)
            self.assertEqual((error["code"], error["message"]),
                             ("SPW_CORRUPT", "f: a SQLite database, but not a record store"))
        self.assertEqual((self.path().read_bytes(), os.listdir(self.folder)), (before, ["f"]))

    def test_verbs_of_blocks_on_a_database(self):
        self.make_store("f", SQLITE)
        for arguments in [["ls", "f"], ["get", "f", "a"], ["put", "f", "a"], ["export", "f", "x"], ["vacuum", "f"]]:
            self.expect(*arguments, code=FAILED,
                        err=b"spillway: f: a SQLite database has no blocks (SPW_UNSUPPORTED)\n"
                            b"spillway streams shows what a record store in it holds.\n")

    def test_open_elsewhere(self):
        for tier, name in self.on_each_tier():
            held = HeldStore(self.path(name), tier)
            for verb, _, *rest in self.VERBS + [["info", "f"]]:
                self.assertEqual(self.json_error(verb, name, *rest, code=BUSY)["code"], "SPW_BUSY")
            held.close()


main()
