"""Editing by keys alone on real pseudo terminals: a store, a pixel and a rule are made, changed, taken
back and deleted; two consoles edit one rule and nobody's change is lost."""
import itertools
import os
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import seed  # noqa: E402
from t_console import LEFT_ON, Terminal  # noqa: E402
from lib import SLOW, Cluster, Program, wait_until  # noqa: E402

SAVE, TAB, CLEAR, BTAB, YOURS, EDITOR = b"\x13", b"\t", b"\x15", b"\x1b[Z", b"\x19", b"\x18"
ENTER = b"\r"


class Editor(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster()
        cls.prog = Program(cls.cluster, clock=seed.NOW, TERM="xterm-256color")
        cls.prog.run("migrate")

    @classmethod
    def tearDownClass(cls):
        cls.prog.destroy()
        cls.cluster.destroy()

    def start(self, *args):
        t = Terminal(self.prog.env, *args)
        self.addCleanup(t.close)
        return t

    def row(self, *ref):
        return self.prog.json(*ref)

    def test_a_store_a_pixel_and_a_rule(self):
        t = self.start("console", "stores")
        t.sees(["STORES", "no store yet"])
        t.keys(b"a")
        t.sees(["New store"])
        t.keys(b"lamps" + TAB + b"s" + TAB + b"lamps.myshopify.com" + TAB + b"zzz" + SAVE)
        t.sees(["no ISO 4217 code"])  # the cursor stands in the field that is wrong
        t.keys(CLEAR + b"eur" + SAVE)
        t.sees(["Add store lamps?", "lamps.myshopify.com", "Reason"])  # nothing is saved yet
        self.assertEqual(self.row("store", "list"), [])
        t.keys(b"the lamps people" + ENTER)
        t.sees(["store lamps added", "shopify"])
        self.assertEqual(self.row("store", "show", "lamps")["currency"], "EUR")

        t.keys(b"7")
        t.sees(["PIXELS", "no pixel yet"])
        t.keys(b"a")
        t.sees(["New pixel"])
        t.keys(b"lamps" + TAB + b"pins" + TAB + b"p" + TAB + b"549755885175" + TAB + b"top-secret" + SAVE)
        t.sees(["Add pixel pins?", "new secret"])
        self.assertNotIn("top-secret", t.text())
        t.keys(ENTER)
        t.sees(["pixel pins added", "549755885175"])
        self.assertNotIn("top-secret", t.text())
        self.assertEqual(self.row("pixel", "show", "pins")["token"], "set")

        t.keys(b"8")
        t.sees(["RULES", "no rule yet"])
        t.keys(b"a")
        t.sees(["New rule"])
        t.keys(b"big" + TAB * 5 + b"value >= ) 5")
        t.sees(["expected a value"])
        t.keys(CLEAR + b"value >= 50 EUR" + TAB + b"s")
        t.sees(["matches 0 of the last 0 events"])
        t.keys(SAVE)
        t.sees(["Add rule big?", "matches 0 of the last 0 events", "not run for this draft"])
        t.keys(ENTER)
        t.sees(["rule big added"])
        self.assertEqual(self.row("rule", "show", "big")["expr"], "value >= 50 EUR")

        t.keys(b"t")
        t.sees(["rule big saved", "off"])
        self.assertFalse(self.row("rule", "show", "big")["enabled"])
        t.keys(b"u")
        t.sees(["taken back"])
        self.assertTrue(self.row("rule", "show", "big")["enabled"])
        t.keys(b"d")
        t.sees(["Delete rule big", "y yes"])
        t.keys(b"n")
        t.sees(["nothing was done"])
        t.keys(b"d")
        t.sees(["Delete rule big"])
        t.keys(b"y")
        t.sees(["rule big deleted", "no rule yet"])
        self.assertEqual(self.row("rule", "list"), [])
        t.keys(b"u")
        t.sees(["rule big is there again"])
        self.assertEqual(self.row("rule", "show", "big")["expr"], "value >= 50 EUR")
        t.keys(b"6d")
        t.sees(["store lamps still has 1 pixel (pins)"])
        t.keys(b"nQ")
        self.assertEqual(t.ended(), 0)

    def test_two_operators_and_one_rule(self):
        self.prog.run("rule", "add", "--name", "shared", "--expr", "test", "--action", "drop")
        one, two = self.start("console", "rules"), self.start("console", "rules")
        for t in (one, two):
            t.sees(["RULES", "shared"])
            t.keys(b"G\r")
            t.sees(["Edit rule", "shared", "version 1"])
        one.keys(TAB + CLEAR + b"7" + BTAB * 2 + b"of one" + SAVE + ENTER)
        one.sees(["rule shared saved"])
        two.keys(TAB + CLEAR + b"5" + SAVE + ENTER)
        two.sees(["saved version 2", "Theirs", "of one", "nothing of yours is saved yet"])
        self.assertEqual(self.row("rule", "show", "shared")["priority"], 7)
        two.keys(SAVE)
        two.sees(["1 field both of you changed"])
        two.keys(YOURS + SAVE + ENTER)
        two.sees(["rule shared saved"])
        row = self.row("rule", "show", "shared")
        self.assertEqual((row["priority"], row["note"], row["version"]), (5, "of one", 3))
        one.sees(["  5  "])  # seen by all consoles

    def test_a_long_field_in_the_own_editor(self):
        script = os.path.join(self.prog.home, "my editor")
        with open(script, "w") as f:
            f.write('#!/bin/sh\nstty -a | grep -o " icanon"\nstat -c "mode %a" "$2"\n'
                    'read -r line\nprintf "%s\\n  and not test\\n" "$line" > "$2"\nexit "$(cat "$1")"\n')
        os.chmod(script, 0o755)
        link = os.path.join(self.prog.home, "edit")
        os.symlink(script, link)
        status = os.path.join(self.prog.home, "status")
        with open(status, "w") as f:
            f.write("0")
        t = Terminal({**self.prog.env, "VISUAL": f"{link} {status}"}, "console", "rules")
        self.addCleanup(t.close)
        t.sees(["RULES"])
        t.keys(b"a")
        t.sees(["New rule"])
        t.keys(b"by-editor" + TAB * 5 + b"value > 5" + EDITOR)
        # The terminal is the editor's: as it was found, nothing of ours left on.
        wait_until(lambda: b"mode 600" in t.read(), what="the editor")
        self.assertIn(b" icanon", t.out)
        for on, off in LEFT_ON.items():
            self.assertGreaterEqual(t.out.rfind(off), t.out.rfind(on), on)
        t.keys(b"value > 7\r")
        t.sees(["value > 7 and not test", "New rule"])
        with open(status, "w") as f:
            f.write("9")
        t.keys(EDITOR)
        wait_until(lambda: b"mode 600" in t.read(), what="the editor")
        t.keys(b"value > 9\r")
        t.sees(["ended with status 9", "value > 7 and not test"])
        t.keys(b"\x1b")
        t.sees(["Discard it?"])
        t.keys(b"y7")
        t.sees(["PIXELS"])
        t.keys(b"a")
        t.sees(["New pixel"])
        t.keys(TAB * 4 + b"hush" + EDITOR)
        t.sees(["a secret is never written to a file"])
        left = [f for f in os.listdir("/tmp") if f.startswith("trackai-edit-")]
        self.assertEqual(left, [])

    def test_a_change_is_seen_everywhere_within_a_second(self):
        self.prog.run("rule", "add", "--name", "seen", "--expr", "test", "--action", "drop")
        self.addCleanup(self.prog.run, "rule", "delete", "seen")
        consoles = [self.start("console", "rules"), self.start("console", "rules")]
        for t in consoles:
            t.sees(["RULES", "seen"])
            t.keys(b"----")
            t.sees(["refreshes every 30 s"])
        one, two = consoles
        self.values = itertools.cycle(str(1111 * n) for n in range(1, 10))  # only what differs is drawn
        self.quickly(two, 1.0, lambda value: self.saves(one, value))
        self.quickly(two, 1.5, lambda value: self.prog.run(  # the commands' changes too
            "rule", "set", "seen", "--priority", value))

    def saves(self, t, value):
        """The keys that save a priority; the last one returns at once."""
        t.keys(b"G\r")
        t.sees(["Edit rule"])
        t.keys(TAB + CLEAR + value.encode() + SAVE)
        t.sees([value, "Enter"])
        t.keys(b"\r")

    def quickly(self, t, seconds, change):
        """A busy machine spoils one of some tries; waiting for the next refresh spoils them all."""
        took = []
        for value in itertools.islice(self.values, 6):
            t.keys(b"\x0c")
            t.read(0.3)
            t.out = b""
            change(value)
            begin = time.monotonic()
            wait_until(lambda: value.encode() in t.read(), what="the other console")
            took.append(time.monotonic() - begin)
            if took[-1] < seconds * SLOW:
                return
        self.fail(f"seen by the other console after {took} s")

    def test_a_key_never_waits_for_the_database(self):
        t = self.start("console", "stores")
        t.sees(["STORES"])
        t.keys(b"8a")
        t.sees(["New rule"])
        t.keys(b"kept" + TAB * 5 + b"test" + TAB + b"d")
        self.cluster.stop("immediate")
        self.addCleanup(self.cluster.start)
        t.keys(SAVE + ENTER)
        t.sees(["kept"])
        t.keys(b"\x03")
        t.sees(["kept", "Condition"])
        t.keys(b"\x1b")
        t.sees(["not saved. Discard it?"])
        t.keys(b"y")
        t.sees(["RULES"])
        wait_until(lambda: "Condition *" not in t.text(), what="the list")


if __name__ == "__main__":
    unittest.main()
