"""Typing with help on real pseudo terminals: Tab completion with values from the database, lines that
come back in the next run, the mouse, and input that no terminal should send."""
import os
import random
import re
import stat
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from t_console import Seeded  # noqa: E402
from lib import wait_until  # noqa: E402

CLEAR, UP = b"\x15", b"\x1bOA"


def click(row, col, button=0):
    """A press and a release, as xterm says them with mode 1006; row and column from 1."""
    return b"\x1b[<%d;%d;%dM\x1b[<%d;%d;%dm" % (button, col, row, button, col, row)


class Input(Seeded):
    def completes(self, t, typed, wanted):
        """What the worker reads in the background is there a moment after the prompt opened."""
        def tried():
            t.keys(CLEAR + typed + b"\t")
            t.sees(["Esc"])
            return wanted in t.text()
        wait_until(tried, 15, f"{wanted} behind {typed}")

    def line(self, mark, text):
        """The prompt: its mark and its text are drawn apart."""
        return re.compile(re.escape(mark) + r"\s+" + re.escape(text))

    def content(self, path):
        if not os.path.exists(path):
            return ""
        with open(path) as f:
            return f.read()

    def test_tab_completes_fields_operators_and_values_seen(self):
        t = self.start("console", "events")
        t.sees(["EVENTS", "no filter", "delivered"])
        t.keys(b"/")
        self.completes(t, b"utm.campaign == broa", "utm.campaign == broad-q4")
        t.keys(CLEAR + b"plat\tco\tmet\tan\tstat\t== rej\t\r")
        t.sees([self.line("/", "platform contains meta and state == rejected")])

    def test_a_list_is_walked_and_left(self):
        t = self.start("console", "events")
        t.sees(["EVENTS"])
        t.keys(b"/utm\t")
        t.sees(["utm.source", "utm.campaign", "Tab next"])
        t.keys(b"\t\t")
        t.sees([self.line("/", "utm.medium")])
        t.keys(b"\x1b")
        t.sees([self.line("/", "utm."), "column"])
        t.keys(b"\x1b")
        t.sees(["no filter", "command"])
        t.keys(b":hea\t\r")
        t.sees(["HEALTH"])

    def test_lines_come_back_in_the_next_run(self):
        state = os.path.join(self.prog.home, "state")
        env = {"XDG_STATE_HOME": state}
        t = self.start("console", "events", env=env)
        t.sees(["EVENTS"])
        t.keys(b"/state=rejected\r")
        t.sees([self.line("/", "state=rejected"), "following"])
        t.keys(b"/" + CLEAR + b'user.email = "anna@example.com"\r')
        t.sees(["user.email"])
        t.keys(b":health\r")
        t.sees(["HEALTH"])
        path = os.path.join(state, "trackai", "history")
        wait_until(lambda: ":health\n" in self.content(path), what="the file")
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        self.assertNotIn("anna", self.content(path))
        self.assertEqual(os.listdir(os.path.dirname(path)), ["history"])
        t.keys(b"Q")
        self.assertEqual(t.ended(), 0)
        t = self.start("console", env=env)
        t.sees(["OVERVIEW"])
        t.keys(b"/" + UP)
        t.sees([self.line("/", "state=rejected")])
        t.keys(b"\x1b")
        t.sees(["EVENTS"])
        t.keys(b":" + UP)
        t.sees([self.line(":", "health")])

    def test_a_state_directory_that_cannot_be_written(self):
        t = self.start(env={"XDG_STATE_HOME": "/proc/nowhere"})
        t.sees(["OVERVIEW"])
        t.keys(b":health\r")
        t.sees(["HEALTH"])
        t.keys(b":" + UP)
        t.sees([self.line(":", "health")])
        t.keys(b"\x1bQ")
        self.assertEqual(t.ended(), 0)

    def place(self, words, view):
        """Row and column, from 1, of words on a screen of 132 x 43."""
        frame = self.prog.run("console", "--once", "--width", "132", "--height", "43", view).stdout.splitlines()
        for row, line in enumerate(frame, 1):
            if words in line:
                return row, line.index(words) + 1
        raise AssertionError(f"{words} is not in:\n" + "\n".join(frame))

    def chosen(self, t):
        """The event that the inspector is about."""
        t.keys(b"\x0c")
        found = []

        def shown():
            found[:] = re.findall(rb"event ([0-9a-f]{12,})", t.read())
            return bool(found)
        wait_until(shown, what="the inspector's title")
        return found[0]

    def comes_to(self, t, event):
        wait_until(lambda: self.chosen(t) == event, what=f"event {event} chosen")

    def test_clicks_and_the_wheel(self):
        t = self.start("console", "events", cols=132, rows=43)
        t.sees(["EVENTS", "Summary", "delivered"])
        lines = [b"%016x" % int(e) for e, in self.cluster.sql(
            "SELECT event_id FROM route ORDER BY event_id DESC LIMIT 9")]
        down5, down8 = lines[5], lines[8]
        t.keys(b"jjjjj")
        self.comes_to(t, down5)
        t.keys(b"jjj")
        self.comes_to(t, down8)
        t.keys(b"g")
        self.comes_to(t, lines[0])
        head = self.place("Amount", "events")[0]
        t.keys(click(head + 6, 20))
        self.comes_to(t, down5)
        t.keys(click(head + 6, 20, button=65))
        self.comes_to(t, down8)
        t.keys(click(*self.place(" Attempts ", "events")))
        t.sees(["[Attempts]"])
        t.keys(click(*self.place("2 Health", "events")))
        t.sees(["HEALTH", "dispatcher"])
        row, col = self.place("px-181", "health")
        t.keys(click(row, col) + click(row, col))
        t.sees(["EVENTS", "pixel == px-181"])
        t.keys(b"Q")
        self.assertEqual(t.ended(), 0)
        self.assertGreater(t.out.rfind(b"\x1b[?1000l"), t.out.rfind(b"\x1b[?1000h"))

    def test_help_is_searched_and_run(self):
        t = self.start("console", "events")
        t.sees(["EVENTS", "delivered"])
        t.keys(b"?")
        t.sees(["Help", "what works here"])
        t.keys(b"/whole body\r")
        t.sees(["inspector over the whole body"])
        t.keys(b"\r")
        t.sees(["[Summary]", "received"])
        t.keys(b"\x1b?/view Rules\r\r")
        t.sees(["RULES"])
        t.keys(b"a")
        t.sees(["New rule"])
        t.keys(b"\x1bOP")  # F1, where a question mark is text
        t.sees(["Help", "next field"])
        t.keys(b"q\x1b")
        t.sees(["RULES"])
        t.keys(b"Q")
        self.assertEqual(t.ended(), 0)

    def test_the_mouse_can_be_left_to_the_terminal(self):
        for args, env in ((["console", "--no-mouse"], {}), (["console"], {"TRACKAI_MOUSE": "off"})):
            t = self.start(*args, env=env)
            t.sees(["OVERVIEW"])
            self.assertNotIn(b"\x1b[?1000h", t.out)
            t.keys(b"Q")
            self.assertEqual(t.ended(), 0)
        t = self.start()
        wait_until(lambda: b"\x1b[?1000h\x1b[?1006h" in t.read(), what="the mouse")
        t.keys(b"M")
        wait_until(lambda: b"\x1b[?1006l\x1b[?1000l" in t.read(), what="the mouse given back")
        t.keys(b":mouse on\r")
        wait_until(lambda: b"\x1b[?1000h" in t.read(), what="the mouse again")
        t.keys(b"\x1a")

        def stopped():
            with open(f"/proc/{t.p.pid}/stat") as f:
                return f.read().rsplit(")", 1)[1].split()[0] == "T"
        wait_until(stopped, what="the stop")
        t.read()
        self.assertGreater(t.out.rfind(b"\x1b[?1000l"), t.out.rfind(b"\x1b[?1000h"))

    def test_input_that_no_terminal_should_send(self):
        """Broken reports, half sequences and pastes: nothing is done, nothing is changed, it goes on."""
        t = self.start("console", "rules")
        t.sees(["RULES"])
        rnd = random.Random(7)
        bad = [b"\x1b[<", b"\x1b[<0;1M", b"\x1b[<0;0;0M", b"\x1b[<99999;1;1M", b"\x1b[<0;1;1x", b"\x1b[M", b"\x1b[M !",
               b"\x1b[M\xff\xff\xff", b"\x1b[<;;M", b"\x1b[<0;5000;5000M", b"\x1b[<35;5;5M", b"\x1b[200~dd\ry\x1b[201~",
               b"\x1b[200~\x1b[<0;3;3M\x1b[201~", b"\xff\xfe", b"\x1b[201~"]
        for _ in range(60):
            t.keys(b"".join(rnd.choice(bad) for _ in range(4)))
            t.read(0.01)
        before = self.prog.json("rule", "list")
        t.keys(b"\x1b")
        t.keys(b"\x1b:health\r")
        t.sees(["HEALTH"])
        self.assertEqual(self.prog.json("rule", "list"), before)
        t.keys(b"Q")
        self.assertEqual(t.ended(), 0)


if __name__ == "__main__":
    unittest.main()
