#!/usr/bin/env python3
"""process_test.py build-folder: the command among others: pipes that close, Ctrl-C on a terminal, a file
that somebody has open, a full disk."""
import errno
import fcntl
import os
import pty
import re
import resource
import select
import signal
import subprocess
import termios
import time

from harness import (BUSY, DISK_FULL, FAILED, INTERRUPTED, OK, OUTPUT_CLOSED, PATIENCE, TOOL, Held, TestCase,
                     main)


class Terminal:
    """A terminal that is the standard error and the controlling terminal of a command."""

    def __init__(self, folder, *arguments, **settings):
        self.ours, theirs = pty.openpty()

        def control():
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen([TOOL, *arguments], cwd=folder, stderr=theirs, start_new_session=True,
                                        preexec_fn=control, **settings)
        os.close(theirs)
        self.seen = b""

    def read_some(self, deadline):
        """False: nothing comes any more."""
        ready, _, _ = select.select([self.ours], [], [], max(0, deadline - time.monotonic()))
        if not ready:
            raise AssertionError(f"nothing more on the terminal: {self.seen}")
        try:
            more = os.read(self.ours, 4096)
        except OSError as error:  # what a terminal without a program answers
            if error.errno != errno.EIO:
                raise
            more = b""
        self.seen += more
        return bool(more)

    def wait_for(self, pattern):
        deadline = time.monotonic() + PATIENCE
        while not re.search(pattern, self.seen):
            if not self.read_some(deadline):
                raise AssertionError(f"ended before {pattern}: {self.seen}")

    def interrupt(self):
        os.write(self.ours, b"\x03")

    def end(self):
        """The exit code, and the lines that stayed on the terminal."""
        deadline = time.monotonic() + PATIENCE
        while self.read_some(deadline):
            pass
        os.close(self.ours)
        text = re.sub(rb"\^C", b"", self.seen)
        return self.process.wait(PATIENCE), re.sub(rb"[^\n]*\x1b\[K", b"", text).replace(b"\r\n", b"\n")


class CtrlC(TestCase):
    def test_a_verify_that_would_take_an_hour(self):
        self.make({b"%d" % i: os.urandom(1 << 20) for i in range(8)})
        before = self.path().read_bytes()
        terminal = Terminal(self.folder, "verify", "--rate", "2K", "f", stdout=subprocess.PIPE)
        terminal.wait_for(rb"\rverify: |\x1b\[Kverify: ")
        terminal.interrupt()
        code, left = terminal.end()
        self.assertEqual((code, terminal.process.stdout.read()), (INTERRUPTED, b""))
        terminal.process.stdout.close()
        self.assertRegex(left, rb"^spillway: \w+\nNot finished: [^\n]+ read; nothing was changed\.\n$")
        self.assertEqual(self.path().read_bytes(), before)

    def test_without_a_terminal_nothing_is_drawn(self):
        self.make({b"%d" % i: os.urandom(1 << 20) for i in range(8)})
        process = self.start("verify", "--rate", "2K", "f", "--json", stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
        wait_until_caught(process.pid, signal.SIGINT)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE)
        self.assertEqual((process.returncode, out), (INTERRUPTED, b""))
        self.assertRegex(err, rb'^\{"error":\{"code":"SPW_CANCELLED",[^\n]*\}\n$')

    def test_a_put_that_waits_for_input(self):
        self.make({b"a": b"old"})
        terminal = Terminal(self.folder, "put", "f", "a", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        terminal.process.stdin.write(b"x" * 2000)
        terminal.process.stdin.flush()
        terminal.wait_for(rb"put: 2\.0 KiB")
        terminal.interrupt()
        code, left = terminal.end()
        terminal.process.stdin.close()
        terminal.process.stdout.close()
        self.assertEqual((code, left), (INTERRUPTED, b"spillway: a: interrupted\n"
                                                     b"Nothing was stored; the block is as it was.\n"))
        self.expect("get", "f", "a", out=b"old")

    def test_a_get_that_nobody_reads(self):
        self.make({b"a": b"x" * (4 << 20)})
        reader, writer = os.pipe()
        terminal = Terminal(self.folder, "get", "f", "a", stdout=writer)
        os.close(writer)
        terminal.wait_for(rb"get: ")
        terminal.interrupt()
        code, left = terminal.end()
        os.close(reader)
        self.assertEqual((code, left), (INTERRUPTED, b"spillway: interrupted\n"))

    def test_is_ignored_where_it_was_ignored(self):
        self.make({b"a": b"1"})
        process = self.start("put", "f", "a", stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(b"22", timeout=PATIENCE)
        self.assertEqual((process.returncode, out), (OK, b"a: 2 bytes, version 2\n"))


def wait_until_caught(pid, number):
    """Until the process has a handler for the signal."""
    deadline = time.monotonic() + PATIENCE
    while True:
        with open(f"/proc/{pid}/status", encoding="ascii") as status:
            caught = int(re.search(r"SigCgt:\s*(\w+)", status.read())[1], 16)
        if caught >> (number - 1) & 1:
            return
        assert time.monotonic() < deadline
        os.sched_yield()


class ClosedPipe(TestCase):
    def ends_quietly(self, *arguments, reads):
        """The reader takes so many bytes and goes away."""
        process = self.start(*arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        head = process.stdout.read(reads)
        process.stdout.close()
        err = process.stderr.read()
        process.stderr.close()
        self.assertEqual((process.wait(PATIENCE), err), (OUTPUT_CLOSED, b""))
        return head

    def test_ls_and_get(self):
        self.make({b"%09d" % i: b"" for i in range(100000)} | {b"large": os.urandom(4 << 20)})
        self.assertEqual(self.ends_quietly("ls", "f", reads=10), b"000000000\n")
        self.assertEqual(len(self.ends_quietly("ls", "-l", "f", reads=10)), 10)
        self.assertEqual(self.ends_quietly("ls", "--json", "f", reads=8), b'{"name":')
        self.assertEqual(len(self.ends_quietly("get", "f", "large", reads=10)), 10)
        self.assertEqual(self.ends_quietly("get", "f", "large", "--json", reads=8), b'{"name":')
        done = subprocess.run(["bash", "-c", '"$0" ls f | head -n 1; exit "${PIPESTATUS[0]}"', TOOL], cwd=self.folder,
                              capture_output=True, check=False, timeout=PATIENCE)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (OUTPUT_CLOSED, b"000000000\n", b""))

    def test_what_was_done_is_done(self):
        self.make({b"a": b""})
        reader, writer = os.pipe()
        os.close(reader)
        process = self.start("put", "f", "b", stdin=subprocess.DEVNULL, stdout=writer, stderr=subprocess.PIPE)
        os.close(writer)
        _, err = process.communicate(timeout=PATIENCE)
        self.assertEqual((process.returncode, err), (OUTPUT_CLOSED, b""))
        self.assertEqual(self.names(), [b"a", b"b"])

    def test_no_output_at_all(self):
        self.make({b"a": b"1"})
        before = self.path().read_bytes()
        for arguments in ["ls f", "get f a", "info f", "verify f"]:
            done = subprocess.run(["bash", "-c", f'"$0" {arguments} >&-', TOOL], cwd=self.folder, capture_output=True,
                                  check=False, timeout=PATIENCE)
            self.assertEqual((done.returncode, done.stderr),
                             (FAILED, b"spillway: cannot write the output: Bad file descriptor (SPW_IO)\n"))
        self.assertEqual(self.path().read_bytes(), before)


class Limits(TestCase):
    def test_full_disk(self):
        self.make({b"a": b"x" * 100000})
        self.expect("get", "f", "a", "-o", "/dev/full", code=DISK_FULL,
                    err=b"spillway: cannot write /dev/full: No space left on device (SPW_FULL)\n")
        with open("/dev/full", "wb") as full:
            done = subprocess.run([TOOL, "ls", "f"], cwd=self.folder, stdout=full, stderr=subprocess.PIPE, check=False)
        self.assertEqual((done.returncode, done.stderr),
                         (DISK_FULL, b"spillway: cannot write the output: No space left on device (SPW_FULL)\n"))

    def test_limit_on_the_size_of_files(self):
        self.make({b"a": b"old"})
        limit = os.stat(self.path()).st_size

        def limited():
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

        done = self.run_tool("put", "f", "a", stdin=b"x" * (limit + (64 << 20)), preexec_fn=limited)
        self.assertEqual((done.returncode, done.stdout), (DISK_FULL, b""))
        self.assertIn(b"Nothing was stored; the block is as it was.\n", done.stderr)
        self.expect("get", "f", "a", out=b"old")
        self.expect("verify", "f", code=OK, out=self.run_tool("verify", "f").stdout)

    def test_another_process_has_it(self):
        self.make({b"a": b"1"})
        held = Held(self.path())
        for arguments in [["ls", "f"], ["get", "f", "a"], ["info", "f"], ["verify", "f"], ["put", "f", "b"],
                          ["rm", "f", "a"], ["mv", "f", "a", "b"], ["vacuum", "f"], ["copy", "f", "g"],
                          ["import", "f", "."], ["export", "f", "x"]]:
            done = self.run_tool(*arguments)
            self.assertEqual((done.returncode, done.stdout), (BUSY, b""), arguments)
            self.assertRegex(done.stderr, rb"^spillway: [^\n]+ \(SPW_BUSY\)\n")
            self.assertEqual(self.json_error(*arguments, code=BUSY)["code"], "SPW_BUSY")
        held.close()
        self.assertEqual(sorted(os.listdir(self.folder)), ["f"])
        self.expect("get", "f", "a", out=b"1")

    def test_readers_beside_each_other(self):
        self.make({b"a": b"x" * (4 << 20)})
        first = self.start("get", "f", "a", stdout=subprocess.PIPE)
        self.assertEqual(first.stdout.read(1), b"x")
        self.expect("ls", "f", out=b"a\n")
        self.assertEqual(self.run_tool("put", "f", "b").returncode, BUSY)
        self.assertEqual(len(first.stdout.read()), (4 << 20) - 1)
        first.stdout.close()
        self.assertEqual(first.wait(PATIENCE), OK)


main()
