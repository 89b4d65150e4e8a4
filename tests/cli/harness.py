"""What the tests of the command share: running it, and making files for it through the library itself."""
import ctypes
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

BUILD = pathlib.Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else pathlib.Path("build/release").resolve()
TOOL = BUILD / "examples" / "cli" / "spillway"
PATIENCE = 600  # seconds until something that hangs is a failure

OK, FAILED, USAGE, DAMAGE, BUSY, DISK_FULL, CONDITION, INTERRUPTED, OUTPUT_CLOSED = 0, 1, 2, 3, 4, 5, 6, 130, 141

library = ctypes.CDLL(str(BUILD / "capi" / "libspillway.so"))
library.spw_status_name.restype = ctypes.c_char_p
NO_VERSION = ctypes.c_uint64(2**64 - 1)
OPEN_EXISTING, OPEN_NEW, FLUSH_DEVICE = 2, 3, 2
FOREVER = ctypes.c_int64(2**63 - 1)
BLOCK_FILE, SQLITE = 1, 2  # tiers of record stores


class Held:
    """A file that this process has open through the library."""

    def __init__(self, path, how=OPEN_EXISTING, checksum=None):
        options, self.file = ctypes.c_void_p(), ctypes.c_void_p()
        self.call("spw_options_new", ctypes.byref(options))
        self.call("spw_options_set_i64", options, 8, ctypes.c_int64(how))
        if checksum is not None:
            self.call("spw_options_set_i64", options, 101, ctypes.c_int64(checksum))
        path = os.fsencode(path)
        self.call("spw_file_open", path, ctypes.c_size_t(len(path)), options, None, ctypes.byref(self.file))
        library.spw_options_free(options)

    @staticmethod
    def call(name, *arguments):
        status = getattr(library, name)(*arguments, None)
        if status != 0:
            raise AssertionError(f"{name}: {library.spw_status_name(status).decode()}")

    def put(self, blocks):
        """All of a dict of names and payloads (bytes), as one batch."""
        names, payloads = list(blocks.keys()), list(blocks.values())
        self.call("spw_block_put_batch", self.file, None, *joined(names), *joined(payloads),
                  ctypes.c_size_t(len(names)), None, None)

    def delete(self, name):
        self.call("spw_block_delete", self.file, None, name, ctypes.c_size_t(len(name)), NO_VERSION)

    def flush(self):
        self.call("spw_file_flush", self.file, FLUSH_DEVICE)

    def close(self):
        self.call("spw_file_close", self.file, 0)
        library.spw_file_free(self.file)


class HeldStore:
    """A record store that this process has open through the library."""

    def __init__(self, path, tier, how=OPEN_EXISTING):
        options, self.store = ctypes.c_void_p(), ctypes.c_void_p()
        Held.call("spw_options_new", ctypes.byref(options))
        Held.call("spw_options_set_i64", options, 7, ctypes.c_int64(tier))
        Held.call("spw_options_set_i64", options, 8, ctypes.c_int64(how))
        path = os.fsencode(path)
        Held.call("spw_store_open", path, ctypes.c_size_t(len(path)), options, None, ctypes.byref(self.store))
        library.spw_options_free(options)

    def stream(self, name, times=False):
        options, stream = ctypes.c_void_p(), ctypes.c_uint32()
        Held.call("spw_options_new", ctypes.byref(options))
        Held.call("spw_options_set_i64", options, 10, ctypes.c_int64(times))
        Held.call("spw_store_stream", self.store, name, ctypes.c_size_t(len(name)), options, 1, ctypes.byref(stream))
        library.spw_options_free(options)
        return stream

    def add(self, name, records, times=None):
        """Of a list of bytes; with times, a list of as many numbers."""
        data, data_len, offsets = joined(records)
        Held.call("spw_store_add", self.store, self.stream(name, times is not None), data, data_len, offsets,
                  ctypes.c_size_t(len(records)), times and (ctypes.c_int64 * len(times))(*times), FOREVER, None, None)

    def read(self, stream, seq):
        """The bytes of a record; None: it is damaged."""
        buffer, length = ctypes.create_string_buffer(1 << 20), ctypes.c_uint64()
        status = library.spw_store_read(self.store, ctypes.c_uint32(stream), ctypes.c_uint64(seq), buffer,
                                        ctypes.c_uint64(1 << 20), ctypes.byref(length), None, None)
        if library.spw_status_name(status) == b"SPW_CORRUPT":
            return None
        if status != 0:
            raise AssertionError(f"record {seq}: {library.spw_status_name(status).decode()}")
        return buffer.raw[:length.value]

    def close(self):
        Held.call("spw_store_close", self.store, 0, FOREVER, None)
        library.spw_store_free(self.store)


def joined(parts):
    whole, offsets, at = b"".join(parts), (ctypes.c_uint64 * (len(parts) + 1))(), 0
    for index, part in enumerate(parts):
        offsets[index], at = at, at + len(part)
    offsets[len(parts)] = at
    return whole, ctypes.c_uint64(at), offsets


def in_process_that_ends(work):
    """Without closing anything: as a crash would. What it takes is not memory of this process, either."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
        except BaseException as error:  # pylint: disable=broad-except
            print(error, file=sys.stderr)
            os._exit(1)
        os._exit(0)
    if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) != 0:
        raise AssertionError("the process failed")


class TestCase(unittest.TestCase):
    """Each test has a folder of its own, in which the command runs."""

    maxDiff = None

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="spillway-cli-", dir=os.environ.get("TMPDIR", "/var/tmp")))
        self.addCleanup(shutil.rmtree, self.folder)

    def path(self, name="f"):
        return self.folder / name

    def make(self, blocks, name="f", checksum=None):
        held = Held(self.path(name), OPEN_NEW, checksum)
        if blocks:
            held.put(blocks)
        held.close()

    def start(self, *arguments, **settings):
        return subprocess.Popen([TOOL, *arguments], cwd=self.folder, **settings)

    def run_tool(self, *arguments, stdin=b"", **settings):
        return subprocess.run([TOOL, *arguments], cwd=self.folder, input=stdin, capture_output=True,
                              timeout=PATIENCE, check=False, **settings)

    def expect(self, *arguments, code=OK, out=b"", err=b"", stdin=b"", **settings):
        """Everything that the command prints, byte for byte, and its exit code."""
        done = self.run_tool(*arguments, stdin=stdin, **settings)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (code, out, err), arguments)

    def json(self, *arguments, code=OK, stdin=b""):
        """The one document on standard output, of which nothing else is there."""
        done = self.run_tool(*arguments, "--json", stdin=stdin)
        self.assertEqual((done.returncode, done.stderr), (code, b""), arguments)
        self.assertEqual(done.stdout.count(b"\n"), 1)
        return json.loads(done.stdout)

    def json_error(self, *arguments, code, stdin=b""):
        done = self.run_tool(*arguments, "--json", stdin=stdin)
        self.assertEqual((done.returncode, done.stdout), (code, b""), arguments)
        document = json.loads(done.stderr)
        self.assertEqual(list(document), ["error"])
        return document["error"]

    def names(self, name="f"):
        done = self.run_tool("ls", "-0", name)
        self.assertEqual((done.returncode, done.stderr), (OK, b""))
        return done.stdout.split(b"\0")[:-1]

    def flip(self, find, name="f"):
        """One bit of the only place where these bytes stand in the file; says where that is."""
        raw = bytearray(self.path(name).read_bytes())
        self.assertEqual(raw.count(find), 1)
        at = raw.index(find)
        raw[at] ^= 1
        self.path(name).write_bytes(raw)
        return at


def main():
    if not TOOL.exists():
        print(f"SKIP: {TOOL} is not built")
        sys.exit(77)
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
