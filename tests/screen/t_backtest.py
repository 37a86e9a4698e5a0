"""What a change would do, before it does it, on real pseudo terminals: a rule is backtested on stored
events, saved with a reason, looked up in its history and rolled back; the same without a database."""
import os
import re
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from t_console import Seeded, Terminal  # noqa: E402

SAVE, TAB, CLEAR, ENTER, ESC, TEST = b"\x13", b"\t", b"\x15", b"\r", b"\x1b", b"\x02"


class Screen(Terminal):
    def sees(self, words, seconds=15):
        """Between two words there may be a change of attributes."""
        super().sees([re.compile(r"\s+".join(map(re.escape, w.split()))) for w in words], seconds)


class Backtest(Seeded):
    terminal = Screen

    def rule(self, *args):
        return self.prog.json("rule", *args)

    def test_backtest_save_history_rollback(self):
        self.prog.run("rule", "add", "--name", "big", "--expr", "value >= 5000 EUR", "--action", "drop")
        first = self.rule("backtest", "--expr", "value >= 50 EUR", "--action", "drop")
        self.assertGreater(first["changed_events"], 10)
        t = self.start("console", "rules")
        t.sees(["RULES", "big"])
        t.keys(ENTER)
        t.sees(["Edit rule", "big", "^B"])
        t.keys(TAB * 5 + CLEAR + b"value >= 50 EUR")
        t.keys(TEST)
        t.sees(["Backtest: rule big as it is typed", "would change", "Revenue touched", "filtered",
                "Changed deliveries", "queued → filtered"])
        # the console and the command say the same
        t.sees([f"{first['changed_events']} events of {first['events']:,}"])
        self.assertEqual(self.rule("show", "big")["expr"], "value >= 5000 EUR")

        t.keys(b"j" + ENTER)  # the changed event itself
        t.sees(["EVENTS", "[Summary]", "received", "zoom"])
        t.keys(ESC)
        t.sees(["RULES", "Changed deliveries"])
        t.keys(ESC)
        t.sees(["Edit rule", "value >= 50 EUR"])

        t.keys(SAVE)
        t.sees(["Save rule big?", "value >= 5000 EUR → value >= 50 EUR",
                f"{first['changed_events']} of {first['events']:,} events of 24 h change"])
        t.keys(b"the agency asked" + ENTER)
        t.sees(["rule big saved"])
        row = self.rule("show", "big")
        self.assertEqual((row["expr"], row["note"], row["version"]),
                         ("value >= 50 EUR", "the agency asked", 2))

        t.keys(b"H")
        t.sees(["History of rule big", "2 versions", "in force", "the agency asked", "Condition"])
        t.keys(b"j")
        t.sees(["Back to version 1: from 2"])
        t.keys(b"b")
        t.sees(["rule big back at version 1", f"{first['changed_events']} events of"])
        t.keys(ESC)
        t.keys(b"r")
        t.sees(["Back to version 1? It changes Condition of rule big", "y yes"])
        t.keys(b"n")
        t.sees(["nothing was done"])
        t.keys(b"ry")
        t.sees(["says again what version 1 said", "3 versions"])
        row = self.rule("show", "big")
        self.assertEqual((row["expr"], row["version"]), ("value >= 5000 EUR", 3))
        t.keys(ESC + b"u")
        t.sees(["taken back"])
        self.assertEqual(self.rule("show", "big")["expr"], "value >= 50 EUR")
        t.keys(b"Q")
        self.assertEqual(t.ended(), 0)

    def test_a_store_goes_back(self):
        t = self.start("console", "stores")
        t.sees(["STORES", "acme-fr"])
        t.keys(b"j" + ENTER)
        t.sees(["Edit store"])
        name = self.prog.json("store", "list")[1]["name"]
        t.keys(TAB * 3 + TAB + b"r")  # domain, currency, timezone, consent
        t.keys(SAVE)
        t.sees([f"Save store {name}?", "Consent", "optional → required"])
        t.keys(b"lawyers" + ENTER)
        t.sees([f"store {name} saved"])
        self.assertEqual(self.prog.json("store", "show", name)["consent"], "required")
        t.keys(b"H")
        t.sees([f"History of store {name}", "lawyers", "Consent"])
        t.keys(b"jr")  # who made it before is not written down, what it said is known
        t.sees(["It changes Consent of store"])
        t.keys(b"y")
        t.sees(["says again what version 1 said"])
        self.assertEqual(self.prog.json("store", "show", name)["consent"], "optional")

    def test_without_a_database_in_the_middle(self):
        self.prog.run("rule", "add", "--name", "gone", "--expr", "test", "--action", "drop")
        t = self.start("console", "rules", cols=60, rows=16)
        t.sees(["RULES", "gone"])
        t.keys(b"G")
        self.cluster.stop("immediate")
        t.keys(b"b")
        t.sees(["Backtest: without rule gone", "b runs it again"])
        t.keys(b"+")
        t.sees(["last 3 days", "b runs it again"])
        self.cluster.start()
        t.keys(b"b")
        t.sees(["would change", "Revenue touched"], seconds=30)
        t.keys(ESC + b"Q")
        self.assertEqual(t.ended(), 0)


if __name__ == "__main__":
    unittest.main()
