"""The console on real pseudo terminals: what it draws from a database, keys, resize, signals, and that
it leaves the terminal as it found it on every way out."""
import base64
import fcntl
import os
import pty
import pwd
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import seed  # noqa: E402
from lib import TRACKAI, USER, Cluster, Program, wait_until, within  # noqa: E402

SEQUENCE = re.compile(rb"\x1b(?:\[[0-9;:?!]*[@-~]|[()][0AB]|[78=>M]|\][^\x07]*\x07)")
LEFT_ON = {b"\x1b[?1049h": b"\x1b[?1049l", b"\x1b[?2004h": b"\x1b[?2004l", b"\x1b[?2026h": b"\x1b[?2026l",
           b"\x1b[?25l": b"\x1b[?25h", b"\x1b[?1000h": b"\x1b[?1000l", b"\x1b[?1006h": b"\x1b[?1006l"}


class Terminal:
    """One program on a pseudo terminal."""

    def __init__(self, env, *args, cols=80, rows=24, user=None):
        self.user = user
        self.master, self.slave = pty.openpty()
        self.size(cols, rows)
        self.before = termios.tcgetattr(self.slave)
        self.out = b""
        self.p = subprocess.Popen([TRACKAI, *args], env=env, stdin=self.slave, stdout=self.slave,
                                  stderr=self.slave, start_new_session=True, preexec_fn=self.enter)

    def enter(self):
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        if self.user:
            os.setgroups([])
            os.setgid(self.user.pw_gid)
            os.setuid(self.user.pw_uid)

    def size(self, cols, rows):
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))

    def read(self, seconds=0.02):
        while select.select([self.master], [], [], seconds)[0]:
            self.out += os.read(self.master, 65536)
            seconds = 0
        return self.out

    def keys(self, data):
        self.read(0)
        self.out = b""
        os.write(self.master, data)

    def text(self):
        return SEQUENCE.sub(b" ", self.read()).decode("utf-8", "replace")

    def sees(self, words, seconds=60):
        """Waits until everything is drawn; ^L asks for the whole screen where only parts were."""
        end = time.monotonic() + seconds
        while True:
            if all(re.search(w, self.text()) if isinstance(w, re.Pattern) else w in self.text() for w in words):
                return
            if time.monotonic() > end:
                raise AssertionError(f"{words} never shown; last:\n{self.text()}")
            self.keys(b"\x0c")
            self.read(0.2)

    def ended(self, seconds=60):
        def gone():
            self.read(0)
            return self.p.poll() is not None
        wait_until(gone, seconds, "the end of the console")
        self.read()
        return self.p.returncode

    def close(self):
        if self.p.poll() is None:
            self.p.kill()
            self.p.wait()
        os.close(self.master)
        os.close(self.slave)


class Seeded(unittest.TestCase):
    """The tests of a class share a database with two hours of a shop's life; consoles end with their test."""
    terminal = Terminal

    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster()
        cls.addClassCleanup(cls.cluster.destroy)
        cls.prog = Program(cls.cluster, clock=seed.NOW, TERM="xterm-256color")
        cls.addClassCleanup(cls.prog.destroy)
        cls.prog.run("migrate")
        seed.fill(cls.cluster, hours=2)

    def start(self, *args, env=None, **size):
        t = self.terminal({**self.prog.env, **(env or {})}, *args, **size)
        self.addCleanup(t.close)
        return t


class Console(Seeded):
    def left_as_found(self, t):
        # The kernel may flip PENDIN by itself; everything else must be as it was.
        after = termios.tcgetattr(t.slave)
        self.assertEqual(after[:3], t.before[:3])
        self.assertEqual(after[3] & ~termios.PENDIN, t.before[3] & ~termios.PENDIN)
        self.assertEqual(after[4:], t.before[4:])

    def modes_off(self, whole):
        for on, off in LEFT_ON.items():
            self.assertGreater(whole.rfind(off), whole.rfind(on), on)

    def test_views_from_the_database(self):
        t = self.start()
        t.sees(["OVERVIEW", "LIVE", "Problems", "px-388", "paused since 10:17", "acme-de"])
        t.keys(b"2")
        t.sees(["HEALTH", "dispatcher", "px-181", "access token has expired"])
        t.keys(b"3")
        t.sees(["EVENTS", "Summary", "delivered", "what"])
        t.keys(b"]]")
        t.sees(["HTTP 200", "request"])
        t.keys(b"4")
        t.sees(["REVENUE", "EUR", "JPY", "By hour", "purchase"])
        t.keys(b"?")
        t.sees(["Help", "Everywhere"])
        t.keys(b"Q")
        self.assertEqual(t.ended(), 0)
        self.left_as_found(t)

    def test_a_filter_looks_into_documents(self):
        t = self.start("console", "events")
        t.sees(["EVENTS", "no filter"])
        t.keys(b"/utm.campaign=broad-q4 and state=rejected\r")
        t.sees(["utm.campaign=broad-q4", "rejected"])
        self.assertNotIn("delivered  ", t.text().split("event ")[0])
        t.keys(b"/state = and\r")
        t.sees(["column"])
        t.keys(b"\x1b")
        t.sees(["utm.campaign=broad-q4"])

    def test_new_events_come_in_and_a_pause_holds_them(self):
        t = self.start("console", "events")
        t.sees(["following", "delivered"])
        rows, shop = seed.Rows(), seed.Shop(__import__("random").Random(1))
        shop.n = 900000
        shop.amounts = (7777700,)
        shop.rnd.choice = lambda seq: "purchase" if seq is seed.KINDS else seq[0]
        t.keys(b"Z")
        t.sees(["PAUSED"])
        shop.event(rows, seed.NOW_US + 500_000)
        rows.write(self.cluster)
        t.sees([re.compile(r"PAUSED [1-9]\d* new")])
        self.assertNotIn("77,777.00", t.text())
        t.keys(b"Z")
        t.sees(["77,777.00"])

    def test_one_write_is_one_synchronised_frame(self):
        t = self.start("console", "health")
        t.sees(["px-181"])
        t.keys(b"1")
        t.sees(["Latest events"])
        # What was read may begin and end amid a frame: whole ones are asked of, at least one of them.
        marks = wait_until(lambda: (m := b"".join(re.findall(rb"\x1b\[\?2026([hl])", t.read())).lstrip(b"l"))
                           and m.endswith(b"l") and m, what="the end of a frame")
        self.assertEqual(marks, b"hl" * (len(marks) // 2))

    def test_resize(self):
        t = self.start(cols=80, rows=24)
        t.sees(["OVERVIEW"])
        t.size(132, 43)
        t.p.send_signal(signal.SIGWINCH)
        t.sees(["OVERVIEW", "the access token has expired"])
        t.size(40, 10)
        t.p.send_signal(signal.SIGWINCH)
        t.sees(["60x16 needed, 40x10 now"])
        t.keys(b"Q")
        self.assertEqual(t.ended(), 0)

    def test_every_way_out_restores_the_terminal(self):
        ways = [lambda t: os.write(t.master, b"q")]
        ways += [lambda t, s=s: t.p.send_signal(s) for s in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)]
        for way in ways:
            t = self.start()
            t.read(0.5)
            wait_until(lambda: b"Track AI" in t.read(), what="the first frame")
            way(t)
            self.assertEqual(t.ended(), 0)
            self.left_as_found(t)
            self.modes_off(t.out)

    def test_a_crash_restores_the_terminal(self):
        t = self.start()
        wait_until(lambda: b"Track AI" in t.read(), what="the first frame")
        t.p.send_signal(signal.SIGABRT)
        self.assertEqual(t.ended(), -signal.SIGABRT)
        self.left_as_found(t)
        self.modes_off(t.out)

    def test_control_c_never_quits(self):
        t = self.start()
        t.sees(["OVERVIEW"])
        t.keys(b"\x03")
        t.sees(["nothing is running"])
        self.assertIsNone(t.p.poll())

    def test_unusable_terminals_are_refused_in_words(self):
        t = self.start(env={"TERM": "no-such-terminal"})
        self.assertEqual(t.ended(), 2)
        self.assertIn("no description", t.text())
        for term in ("dumb", ""):
            t = self.start(env={"TERM": term})
            self.assertEqual(t.ended(), 2)
            self.assertIn("TERM is", t.text())
        p = self.prog.run("console", ok=False)
        self.assertEqual(p.returncode, 2)
        self.assertIn("--once", p.stderr)

    def test_copy_hands_the_id_to_the_terminal(self):
        t = self.start("console", "events")
        t.sees(["following", "delivered"])
        t.keys(b"jy")
        t.sees(["if the terminal allows"])
        t.keys(b"y")
        found = wait_until(lambda: re.search(rb"\x1b\]52;c;([A-Za-z0-9+/=]+)\x07", t.read()), what="the copy")
        event = base64.b64decode(found.group(1)).decode()
        self.assertEqual(self.cluster.sql(f"SELECT count(*) FROM event WHERE id = {int(event)}"), [["1"]])

    def test_suspend_and_continue(self):
        t = self.start()
        t.sees(["OVERVIEW"])
        t.keys(b"\x1a")

        def stopped():
            with open(f"/proc/{t.p.pid}/stat") as f:
                return f.read().rsplit(")", 1)[1].split()[0] == "T"
        wait_until(stopped, what="the stop")
        t.read()
        self.assertGreater(t.out.rfind(b"\x1b[?1049l"), t.out.rfind(b"\x1b[?1049h"))
        self.left_as_found(t)
        t.p.send_signal(signal.SIGCONT)
        t.sees(["OVERVIEW", "LIVE"])
        t.keys(b"Q")
        self.assertEqual(t.ended(), 0)

    def test_other_terminals(self):
        for term in ("linux", "screen-256color", "tmux-256color", "vt100", "xterm", "ansi"):
            if not any(os.path.exists(f"{d}/{term[0]}/{term}") for d in ("/lib/terminfo", "/usr/share/terminfo")):
                continue
            t = self.start(env={"TERM": term})
            wait_until(lambda: b"acme-de" in t.read(), what=f"data on {term}")
            t.keys(b"3j]4?Q")
            self.assertEqual(t.ended(), 0, term)
            self.left_as_found(t)

    def test_a_terminal_that_does_not_read(self):
        t = self.start(cols=200, rows=60)
        t.sees(["OVERVIEW", "px-388"])
        for _ in range(30):  # far more than a terminal's buffer takes
            os.write(t.master, b"2\x0c3\x0c4\x0c")
            time.sleep(0.02)  # one wake-up each, nothing is read meanwhile
        os.write(t.master, b"2")
        t.sees(["HEALTH", "px-181"])
        t.keys(b"Q")
        self.assertEqual(t.ended(), 0)
        self.left_as_found(t)

    @unittest.skipIf(os.geteuid(), "needs root")
    def test_a_terminal_of_another_user(self):
        """As under root with a private database: it cannot be opened by its name, and writing to it
        must not block all the same."""
        home = os.path.join(self.cluster.dir, "home")
        os.mkdir(home)
        user = pwd.getpwnam(USER)
        os.chown(home, user.pw_uid, user.pw_gid)
        t = self.start(env={"TRACKAI_DATA": home, "HOME": home}, user=user)
        t.sees(["OVERVIEW"])
        fds, unblocked = f"/proc/{t.p.pid}/fd", 0
        for fd in os.listdir(fds):
            if os.readlink(f"{fds}/{fd}") in (os.ttyname(t.slave), "/dev/tty"):
                with open(f"/proc/{t.p.pid}/fdinfo/{fd}") as f:
                    flags = int(re.search(r"flags:\s+(\d+)", f.read())[1], 8)
                unblocked += bool(flags & os.O_NONBLOCK)
        self.assertEqual(unblocked, 1)
        t.keys(b"Q")
        self.assertEqual(t.ended(), 0)
        self.left_as_found(t)

    def test_once_prints_a_plain_frame(self):
        text = self.prog.run("console", "--once", "health").stdout
        self.assertIn("px-181", text)
        self.assertNotIn("\x1b", text)
        self.assertEqual(len(text.splitlines()), 24)
        ascii_text = self.prog.run("console", "--once", "--width", "60", "--height", "16", "--ascii", "1").stdout
        self.assertTrue(ascii_text.isascii())

    def test_no_color_sends_none(self):
        t = self.start(env={"NO_COLOR": "1"})
        t.sees(["OVERVIEW", "px-181"])
        self.assertFalse(re.search(rb"\x1b\[[0-9;]*(?<![0-9])(3[0-79]|4[0-79]|9[0-7])(?![0-9])[0-9;]*m", t.out))

    def test_z_the_database_goes_and_comes_back(self):
        t = self.start()
        t.sees(["LIVE"])
        self.cluster.stop("immediate")
        t.sees(["DB LOST"])
        def keys_answer():
            t.keys(b"1")
            t.sees(["OVERVIEW"])
            t.keys(b"2")
            t.sees(["HEALTH"])
        within(3, keys_answer, "the answer to a key")
        self.cluster.start()
        t.sees(["LIVE"])
        t.keys(b"Q")
        self.assertEqual(t.ended(), 0)
        self.left_as_found(t)

    def test_zz_a_database_without_our_tables(self):
        self.cluster.sql("CREATE DATABASE empty")
        t = self.start(env={"TRACKAI_DATABASE": self.cluster.url.replace("dbname=trackai", "dbname=empty")})
        t.sees(["NO SCHEMA", "trackai migrate"])


if __name__ == "__main__":
    unittest.main()
