"""An operator's evening by keys alone, on a real pseudo terminal of 80x24 against real services and a
sandbox platform that is sick for a while: what waits is tried again by hand, what was rejected is looked
at beside a good one and replayed in bulk, and the board shows how it stood before."""
import os
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from it.t_find import order  # noqa: E402
from t_session import ENTER, ESC, Recorder  # noqa: E402
from lib import Cluster, Program, Sandbox, wait_until  # noqa: E402

DAY = "2026-11-22T"


class Operate(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster()
        cls.addClassCleanup(cls.cluster.destroy)
        cls.clock = os.path.join(cls.cluster.dir, "clock")
        cls.turn("10:00:00")
        cls.sandbox = Sandbox(clock="@" + cls.clock)
        cls.addClassCleanup(cls.sandbox.stop)
        cls.p = p = Program(cls.cluster, clock="@" + cls.clock, TERM="xterm-256color", **cls.sandbox.urls)
        cls.addClassCleanup(p.destroy)
        p.run("migrate")
        p.run("store", "add", "--name", "Shop", "--platform", "shopify", "--domain", "demo.myshopify.com",
              "--webhook-secret", "hush", "--currency", "EUR")
        p.run("pixel", "add", "--store", "Shop", "--platform", "pinterest", "--account", "549755885175",
              "--token", "token", "--name", "pins")
        p.serve()

    @classmethod
    def turn(cls, time):
        with open(cls.clock + ".new", "w") as f:
            f.write(DAY + time + "Z")
        os.rename(cls.clock + ".new", cls.clock)

    def sell(self, *numbers):
        for n in numbers:
            body = order(n, f"{n}0.00", created_at=DAY + "09:40:00Z", processed_at=DAY + "09:40:00Z",
                         updated_at=DAY + "09:40:00Z")
            self.assertEqual(self.p.shopify(body, "hush", webhook_id=f"w-{n}")[0], 200)

    def settled(self, **want):
        def there():
            rows = [d["disposition"] for d in self.p.json("delivery", "list")
                    if d["run"] == self.runs.get(d["event"], 1)]
            return {w: rows.count(w) for w in rows} == want
        self.runs = {}
        for d in self.p.json("delivery", "list"):
            self.runs[d["event"]] = max(self.runs.get(d["event"], 1), d["run"])
        wait_until(there, what=f"{want}")

    def delivered(self, n):
        """So many events were taken by the platform in their latest run."""
        def there():
            best = {}
            for d in self.p.json("delivery", "list"):
                best[d["event"]] = max(best.get(d["event"], (0, "")), (d["run"], d["disposition"]))
            return [s for _, s in best.values()].count("delivered") == n
        wait_until(there, what=f"{n} delivered")

    def test_an_evening(self):
        t = Recorder(self.p.env, "console", "events")
        self.addCleanup(t.close)
        self.sell(1)
        self.settled(delivered=1)
        # The platform is down: two wait for another attempt, hours before their deadline.
        self.turn("10:05:00")
        self.sandbox.fault("pinterest:status=503")
        self.sell(2, 3)
        self.settled(delivered=1, retrying=2)
        t.keys(b"W")
        t.shows(["Waiting for another attempt", "#1002", "#1003", "503"])
        t.keys(b"*")
        t.shows(["2 marked"])
        self.sandbox.heal()
        t.keys(b"r")
        t.shows(["Try 2 deliveries now? 2 at pins", "y yes"])
        t.keys(b"y")
        self.delivered(3)
        t.shows(["nothing waits for another attempt"])
        t.keys(ESC)
        t.shows(["EVENTS", "purchase"])
        # Refused one by one: dead letters, with the reason.
        self.turn("10:10:00")
        self.sandbox.fault("pinterest:event_fail=1")
        self.sell(4, 5)
        self.settled(delivered=3, rejected=2)
        self.sandbox.heal()
        t.keys(b"D")
        t.shows(["Dead letters", "#1004", "#1005", "rejected", "Invalid user_"])
        t.keys(b"b")
        t.shows(["By reason", "platform"])
        t.keys(ENTER)
        t.shows(["reason platform", "#1004"])
        t.keys(ENTER)  # into the event, and to the tab that compares it
        t.shows(["[Summary]"])
        t.keys(b"]]]")
        t.shows(["[Diff]", "says", "against", "user_data.em", "! "])
        t.keys(ESC)
        t.shows(["Dead letters", "#1004"])
        t.keys(b"*r")
        t.shows(["Replay of 2 deliveries", "to send", "the plan: nothing is sent yet"])
        t.keys(ENTER)
        t.shows(["Send 2 deliveries again, under the same ids?"])
        t.keys(b"y")
        self.delivered(5)
        t.shows(["delivered"])
        self.turn("10:12:00")
        t.shows(["it is over"])
        t.keys(ESC + ESC + ESC)
        # Then and now.
        t.keys(b":at 10:06\r")
        t.shows(["AT 10:06:00", "(:at now)", "as of then"])
        t.keys(b">")
        t.shows(["AT 10:07:00"])
        t.keys(b"r")
        t.shows(["this is the past"])
        t.keys(b":at now\r")
        t.shows(["LIVE"])
        t.keys(b"Q")
        self.assertEqual(t.ended(), 0)


if __name__ == "__main__":
    unittest.main()
