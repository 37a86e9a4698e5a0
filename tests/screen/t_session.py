"""A session by keys alone on a real pseudo terminal of 80x24, against the real listener, router and
dispatcher and a sandbox platform: a store, a pixel, signed orders, a rule by expression, its backtest,
live traffic that changes, and the way back. The clock is ours, so the screens are the same each time:
tests/screen/session holds them. TA_GOLDEN_UPDATE=1 writes them anew: look at the difference."""
import codecs
import difflib
import json
import os
import pwd
import re
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from t_console import Terminal  # noqa: E402
from vt import Screen  # noqa: E402
from lib import SLOW, Cluster, Program, Sandbox, wait_until  # noqa: E402

SAVE, TAB, BTAB, ESC, CLEAR, ENTER, TEST = b"\x13", b"\t", b"\x1b[Z", b"\x1b", b"\x15", b"\r", b"\x02"
START = 1795344000  # 2026-11-22T10:40:00Z
SHOP, SECRET = "lamps.myshopify.com", "hook-secret-4711"


class Recorder(Terminal):
    """A terminal whose screen can be read as a person sees it."""

    def __init__(self, env, *args):
        self.screen = Screen(80, 24)
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.fed = 0
        super().__init__(env, *args)

    def read(self, seconds=0.02):
        super().read(seconds)
        self.screen.feed(self.decoder.decode(self.out[self.fed:]))
        self.fed = len(self.out)
        return self.out

    def keys(self, data):
        super().keys(data)
        self.fed = 0

    def hides(self, word):
        """A toast goes by itself."""
        def gone():
            self.read()
            return word not in self.screen.text()
        wait_until(gone, what=f"the end of {word}")

    def shows(self, words, seconds=60):
        def there():
            self.read()
            return all(w in self.screen.text() for w in words)
        try:
            wait_until(there, seconds, f"{words}")
        except AssertionError as e:
            raise AssertionError(f"{e}; the screen:\n{self.screen.text()}") from None


class Session(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster()
        cls.clock = os.path.join(cls.cluster.dir, "clock")
        cls.set_clock(START)
        at = "@" + cls.clock
        cls.sandbox = Sandbox(clock=at)
        cls.prog = Program(cls.cluster, clock=at, TERM="xterm-256color", **cls.sandbox.urls)
        cls.prog.run("migrate")
        cls.prog.serve()
        cls.hooks = 0

    @classmethod
    def tearDownClass(cls):
        cls.prog.destroy()
        cls.sandbox.stop()
        cls.cluster.destroy()

    @classmethod
    def set_clock(cls, seconds):
        text = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
        with open(cls.clock + ".new", "w") as f:
            f.write(text + "\n")
        os.chmod(cls.clock + ".new", 0o644)
        os.rename(cls.clock + ".new", cls.clock)

    def order(self, n, price, country="DE", campaign="autumn-lamp"):
        """A signed order; waits until it is decided and, where it is sent, answered."""
        body = {"id": 7000 + n, "name": f"#{1000 + n}", "currency": "EUR", "total_price": price,
                "created_at": "2026-11-22T10:39:00Z", "processed_at": "2026-11-22T10:39:00Z",
                "updated_at": "2026-11-22T10:39:30Z", "financial_status": "paid", "test": False,
                "source_name": "web", "email": f"buyer{n}@example.com", "checkout_token": f"token{n}",
                "landing_site": f"/?utm_source=pinterest&utm_campaign={campaign}",
                "client_details": {"browser_ip": "198.51.100.7", "user_agent": "Mozilla/5.0"},
                "billing_address": {"country_code": country},
                "line_items": [{"id": n, "product_id": 7, "title": "Lamp", "quantity": 1, "price": price}]}
        Session.hooks += 1
        got = self.prog.shopify(json.dumps(body).encode(), SECRET, shop=SHOP, webhook_id=f"hook-{Session.hooks}")
        self.assertEqual(got[0], 200, got)

        def settled():
            state = self.state(n)
            return state and state not in ("queued", "retrying") and state
        return wait_until(settled, what=f"order {n} to be settled")

    def state(self, n):
        found = self.prog.json("event", "list", "--where", f'order.id == "{7000 + n}"')
        events = found["events"] if isinstance(found, dict) else found
        return events[0]["deliveries"][0]["disposition"] if events and events[0]["deliveries"] else None

    def shot(self, t, name, *words):
        """The screen as a person sees it, once these words are there; it may take a moment to settle."""
        path = os.path.join(HERE, "session", name + ".txt")
        t.shows(words)
        end = time.monotonic() + 60 * SLOW
        if os.environ.get("TA_GOLDEN_UPDATE"):
            while time.monotonic() < end - 58 * SLOW:
                t.read()
            with open(path, "w") as f:
                f.write(self.plain(t))
            return
        with open(path) as f:
            kept = f.read()
        while self.plain(t) != kept and time.monotonic() < end:
            t.read()
        self.assertEqual(kept, self.plain(t), f"{name}: the screen is another one:\n" + "".join(
            difflib.unified_diff(kept.splitlines(True), self.plain(t).splitlines(True), "kept", "now")))

    def plain(self, t):
        """Without what no clock and no key decides: the account's name, random ids, how long it took."""
        me = pwd.getpwuid(os.getuid()).pw_name
        text = re.sub(rf"\b{me}\b( *)", lambda m: "me" + " " * (
            len(m[0]) - 2 if len(m[1]) > 1 else len(m[1])), t.screen.text())
        text = re.sub(r"wire [0-9a-f]{32}", "wire " + 8 * "0123", text)
        text = re.sub(r"in \d+ ms", "in N ms", text)
        text = re.sub(r" 200 \d+ms", " 200 Nms", text)
        return "".join(line.rstrip() + "\n" for line in text.splitlines())

    def test_a_session(self):
        t = Recorder(self.prog.env, "console", "stores")
        self.addCleanup(t.close)
        t.shows(["STORES", "no store yet", "LIVE"])
        self.shot(t, "01-no-store", "no store yet")
        t.keys(b"a")
        t.shows(["New store"])
        t.keys(b"lamps" + TAB + b"s" + TAB + SHOP.encode() + TAB + b"EUR" + TAB + CLEAR + b"Europe/Berlin" +
               TAB * 6 + SECRET.encode())
        self.shot(t, "02-store-form", "****", "Europe/Berlin")
        t.keys(SAVE)
        self.shot(t, "03-store-review", "Enter")
        t.keys(ENTER)
        t.shows(["store lamps added"])
        t.keys(ESC)
        self.shot(t, "04-store", "lamps", "active")

        t.keys(b"7a")
        t.shows(["New pixel"])
        t.keys(b"lamps" + TAB + b"pins" + TAB + b"p" + TAB + b"549755885175" + TAB + b"token-0815")
        self.shot(t, "05-pixel-form", "549755885175", "******")
        t.keys(SAVE)
        t.shows(["Add pixel pins"])
        t.keys(ENTER)
        t.shows(["pixel pins added"])
        t.keys(ESC)
        self.shot(t, "06-pixel", "pins", "active")
        self.assertNotIn(b"token-0815", t.out)

        # Orders of the morning, before there is any rule.
        for n, price in enumerate(("12.00", "84.73", "19.90", "161.23"), 1):
            self.assertEqual(self.order(n, price), "delivered")
        t.keys(b"3")
        self.shot(t, "07-delivered", "161.23", "12.00 EUR", "in 4/min", "sent 100.0%", "277 EUR")

        self.set_clock(START + 120)

        t.keys(b"8a")
        t.shows(["New rule"])
        t.keys(b"small-orders" + TAB * 5 + b"value >= ) 5")
        self.shot(t, "08-fault", "expected a value")
        t.keys(CLEAR + b"value < 20 EUR and utm.campaign = autumn-lamp" + TAB + b"d")
        self.shot(t, "09-rule-form", "matches 2 of the last 4 events")
        t.keys(TEST)
        self.shot(t, "10-backtest", "would change")
        t.keys(ESC)
        t.shows(["New rule"])
        t.keys(SAVE)
        self.shot(t, "11-rule-review", "Add rule small-orders", "Enter saves")
        t.keys(ENTER)
        t.shows(["rule small-orders added"])
        t.keys(ESC)
        self.shot(t, "12-rule", "small-orders")

        # Live traffic is another one now: at once, without a restart.
        t.keys(b"3")
        self.assertEqual(self.order(5, "15.00"), "filtered")
        self.assertEqual(self.order(6, "99.00"), "delivered")
        self.assertEqual(self.order(7, "15.00", campaign="broad-q4"), "delivered")
        self.shot(t, "13-filtered", "filtered", "99.00", "in 3/min", "406 EUR")
        t.keys(b"jj]]]]")
        self.shot(t, "14-why", "small-orders", "decided by rule")

        # The way back: history, the version before, roll back. A rule that was added has none: the
        # change to be taken back is one that made it match more.
        t.keys(b"8\r")
        t.shows(["Edit rule"])
        t.keys(TAB * 5 + CLEAR + b"value < 1000 EUR" + SAVE)
        self.shot(t, "15-change-review", "value < 1000 EUR", "Enter saves")
        t.keys(b"everything goes" + ENTER)
        t.shows(["rule small-orders saved"])
        self.assertEqual(self.order(8, "161.23"), "filtered")
        t.keys(ESC + b"H")
        self.shot(t, "16-history", "everything goes", "568 EUR")
        t.keys(b"jr")
        self.shot(t, "17-roll-back", "y yes")
        t.keys(b"y")
        t.shows(["back to version 1"])
        t.hides("takes it back")
        self.shot(t, "18-rolled-back", "3 in force")
        t.keys(ESC)
        self.assertEqual(self.order(9, "161.23"), "delivered")
        t.keys(b"3")
        self.shot(t, "19-as-before", "in 5/min", "729 EUR")
        t.keys(b"Q")
        self.assertEqual(t.ended(), 0)
        row = self.prog.json("rule", "show", "small-orders")
        self.assertEqual((row["version"], row["expr"]),
                         (3, 'value < 20 EUR and utm.campaign == "autumn-lamp"'))

    def test_b_two_operators(self):
        """Nobody's update is lost, whoever saves first, also when the other deletes the row."""
        one, two = Recorder(self.prog.env, "console", "rules"), Recorder(self.prog.env, "console", "rules")
        for t in (one, two):
            self.addCleanup(t.close)
            t.shows(["RULES", "small-orders"])
            t.keys(b"\r")
            t.shows(["Edit rule", "version 3"])
        one.keys(TAB + CLEAR + b"7" + BTAB * 2 + CLEAR + b"agreed with the shop" + SAVE)
        one.shows(["Save rule small-orders?"])
        one.keys(ENTER)
        one.shows(["rule small-orders saved"])
        two.keys(TAB + CLEAR + b"5" + TAB * 4 + CLEAR + b"value < 15 EUR" + SAVE)
        two.shows(["Save rule small-orders?"])
        two.keys(ENTER)
        self.shot(two, "20-two-operators", "saved version 4", "1 field both of you changed")
        row = self.prog.json("rule", "show", "small-orders")
        self.assertEqual((row["version"], row["priority"], row["note"]), (4, 7, "agreed with the shop"))
        two.keys(b"y")
        self.shot(two, "21-chosen", "as version 5")
        two.keys(SAVE)
        self.shot(two, "22-chosen-review", "Save rule small-orders?", "value < 15 EUR")
        two.keys(ENTER)
        two.shows(["rule small-orders saved"])
        row = self.prog.json("rule", "show", "small-orders")
        self.assertEqual((row["version"], row["priority"], row["expr"], row["note"]),
                         (5, 5, "value < 15 EUR", "agreed with the shop"))
        self.assertEqual(len(self.prog.json("rule", "history", "small-orders")), 5)

        two.keys(b"\r")
        two.shows(["Edit rule", "version 5"])
        one.shows(["value < 15 EUR"])
        one.keys(b"d")
        one.shows(["Delete rule small-orders"])
        one.keys(b"y")
        one.shows(["no rule yet"])
        two.keys(TAB + CLEAR + b"9" + SAVE)
        two.shows(["Save rule small-orders?"])
        two.keys(ENTER)
        two.hides("u takes it back")
        self.shot(two, "23-deleted", "deleted this rule")
        two.keys(SAVE)
        two.shows(["rule small-orders?"])
        two.keys(ENTER)
        two.shows(["rule small-orders added"])
        row = self.prog.json("rule", "show", "small-orders")
        self.assertEqual((row["version"], row["priority"], row["expr"]), (6, 9, "value < 15 EUR"))

    def test_c_from_an_event(self):
        """x makes a rule in shadow of what sets the event apart; T sends it again as a test."""
        t = Recorder(self.prog.env, "console", "events")
        self.addCleanup(t.close)
        t.shows(["EVENTS", "161.23", "Summary"])
        before = self.sandbox.summary()["pinterest"]["events"]
        t.keys(b"T")
        t.shows(["delivered: HTTP 200", "events?test=t", "request", "no delivery and no figure"])
        self.assertNotIn(b"token-0815", t.out)
        t.keys(ESC)
        t.shows(["Summary"])
        t.keys(b"x")
        t.shows(["New rule from an event", 'name == "purchase"', "lamps/pins", "In shadow it only counts"])
        t.keys(SAVE)
        t.shows(["Enter saves", "Shadow             + true"])
        t.keys(ENTER)
        t.shows(["rule-", "added"])
        self.assertEqual(self.order(10, "161.23"), "delivered")  # it only counts
        t.keys(b"7")
        t.shows(["PIXELS", "549755885175"])
        t.keys(b"T")
        t.shows(["newest event that fits", "delivered: HTTP 200", "its live settings"])
        t.keys(ESC + ENTER)
        t.shows(["Edit pixel"])
        t.keys(TAB + CLEAR + b"999" + b"\x07")
        t.shows(["as in the form, which is not saved", "/ad_accounts/999/"])
        self.assertEqual(self.prog.json("pixel", "show", "pins")["account"], "549755885175")
        self.assertEqual(self.sandbox.summary()["pinterest"]["events"], before + 1)


if __name__ == "__main__":
    unittest.main()
