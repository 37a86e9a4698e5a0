"""Time travel: a scripted morning with a sick platform and a held pixel, looked at afterwards: the states
at three moments are right to the event, in the lists and on the board, and agree with plain SQL."""
import datetime
import os
import re
import unittest

from it.t_find import order
from lib import Cluster, Program, Sandbox, wait_until

DAY = "2026-11-22T"
MOMENTS = ("10:05:30", "10:10:30", "10:20:30")
WORDS = ("queued", "held", "retrying", "delivered", "delivered_warning", "filtered", "duplicate", "no_consent",
         "rejected", "dead")


def micros(time):
    t = datetime.datetime.fromisoformat(DAY + time + "+00:00")
    return int(t.timestamp()) * 1_000_000


class At(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster()
        cls.addClassCleanup(cls.cluster.destroy)
        cls.clock = os.path.join(cls.cluster.dir, "clock")
        cls.turn("09:50:00")
        cls.sandbox = Sandbox(clock="@" + cls.clock)
        cls.addClassCleanup(cls.sandbox.stop)
        cls.p = p = Program(cls.cluster, clock="@" + cls.clock, **cls.sandbox.urls)
        cls.addClassCleanup(p.destroy)
        p.run("migrate")
        p.run("store", "add", "--name", "Shop", "--platform", "shopify", "--domain", "demo.myshopify.com",
              "--webhook-secret", "hush", "--currency", "EUR")
        for platform in ("pinterest", "meta"):
            p.run("pixel", "add", "--store", "Shop", "--platform", platform, "--account", "549755885175",
                  "--token", "token")
        cls.serve = p.serve()
        cls.morning()

    @classmethod
    def turn(cls, time):
        with open(cls.clock + ".new", "w") as f:
            f.write(DAY + time + "Z")
        os.rename(cls.clock + ".new", cls.clock)

    @classmethod
    def sell(cls, *numbers):
        for n in numbers:
            body = order(n, f"{n}0.00", created_at=DAY + "09:40:00Z", processed_at=DAY + "09:40:00Z",
                         updated_at=DAY + "09:40:00Z")
            assert cls.p.shopify(body, "hush", webhook_id=f"w-{n}")[0] == 200

    @classmethod
    def settled(cls, **want):
        """So many deliveries in each state, now; and the board has heard of it."""
        def there():
            rows = [d["disposition"] for d in cls.p.json("delivery", "list")]
            return {w: rows.count(w) for w in rows} == want
        wait_until(there, what=f"{want}")
        wait_until(lambda: cls.cluster.sql("SELECT sum(n) FROM ledger WHERE item = 20")[0][0] ==
                   str(sum(want.values())), what="the ledger")
        wait_until(lambda: all(int(a or 0) <= int(b or 0) for a, b in cls.cluster.sql(
            "SELECT (SELECT max(id) FROM tally t WHERE t.stage = s), (SELECT max(pos) FROM curlog WHERE "
            "stage = 'folder:' || s) FROM unnest(ARRAY[1, 2]) s")), what="the folder")

    @classmethod
    def morning(cls):
        p = cls.p
        cls.turn("10:00:00")
        cls.sell(1, 2, 3)
        cls.settled(delivered=6)
        cls.turn("10:05:00")
        cls.sandbox.fault("meta:status=500")
        cls.sell(4, 5)
        cls.settled(delivered=8, retrying=2)
        cls.turn("10:10:00")
        p.run("pixel", "hold", "pinterest")
        cls.settled(delivered=8, retrying=2)
        cls.sell(6)
        cls.settled(delivered=8, retrying=3, queued=1)
        cls.turn("10:20:00")
        cls.sandbox.heal()
        p.run("pixel", "release", "pinterest")
        cls.settled(delivered=12)
        cls.sell(7)
        cls.settled(delivered=14)
        cls.turn("10:30:00")
        cls.sell(8)
        cls.settled(delivered=16)

    def recomputed(self, moment):
        """{(event, pixel): word}, without any of the program's own queries."""
        us = micros(moment)
        rows = self.cluster.sql(
            f"SELECT e.id, p.name, coalesce((SELECT after FROM verdict v WHERE v.event_id = e.id AND "
            f"v.pixel_id = p.id AND v.at_us < {us} ORDER BY run DESC, attempt DESC LIMIT 1), r.decision) FROM "
            f"event e JOIN route r ON r.event_id = e.id JOIN pixel p ON p.id = r.pixel_id WHERE e.id >> 21 < "
            f"{us // 1000}")
        return {(e, p): WORDS[int(s)] for e, p, s in rows}

    def test_states(self):
        want = ({"delivered": 8, "retrying": 2}, {"delivered": 8, "retrying": 3, "queued": 1}, {"delivered": 14})
        for moment, counts in zip(MOMENTS, want):
            rows = self.p.json("delivery", "list", "--at", DAY + moment + "Z")
            states = {(r["event"], r["pixel"]): r["disposition"] for r in rows}
            self.assertEqual({w: list(states.values()).count(w) for w in states.values()}, counts, moment)
            self.assertEqual(states, self.recomputed(moment), moment)
            self.assertTrue(all(r["received_at"] < DAY + moment for r in rows))
        # Filters see the state of then, and the first words of a time are as everywhere.
        self.assertEqual(len(self.p.json("delivery", "list", "--at", "10:05:30", "--where", "state = retrying")), 2)
        events = self.p.json("event", "list", "--at", "10:10:30")
        self.assertEqual([e["label"] for e in events], [f"#{1000 + n}" for n in (6, 5, 4, 3, 2, 1)])
        self.assertEqual(self.p.json("event", "list", "--at", "yesterday"), [])

    def board(self, moment, view):
        return self.p.run("console", view, "--once", "--width", "132", "--height", "43", "--at", moment).stdout

    def test_the_board(self):
        """Queue and money to the event; the pixel that was held then is not held now."""
        for moment, queue, orders, gross in zip(MOMENTS, (2, 4, 0), (5, 6, 7), (150, 210, 280)):
            text = self.board(moment, "overview")
            self.assertIn(f"AT {moment}", text)
            self.assertRegex(text, rf"queue {queue}\b", moment)
            self.assertRegex(text, "sent 100.0%", moment)
            self.assertRegex(text, rf"Revenue today[ ─]+{gross} EUR   orders {orders}\b", moment)
        self.assertIn("paused since 10:10", self.board("10:10:30", "overview"))
        self.assertNotIn("paused", self.board("10:05:30", "overview"))
        self.assertNotIn("paused", self.board("10:20:30", "overview"))

    def test_the_ledger_and_the_alerts(self):
        """The books as they stood, and an alert between its rise and its end."""
        for moment in MOMENTS:
            states = list(self.recomputed(moment).values())
            text = self.board(moment, "ledger")
            for pixel in ("pinterest", "meta"):
                one = [s for (_, p), s in self.recomputed(moment).items() if p == pixel]
                row = re.search(rf"^[> ]Shop +{pixel} .*", text, re.M) or re.search(rf"^.*{pixel}.*", text, re.M)
                self.assertRegex(row[0], rf"\b{len(one)}\b", (moment, text))
            self.assertIn("events = sum", text)
            self.assertTrue(states)
        us = [micros(m) for m in MOMENTS]
        self.cluster.sql(f"INSERT INTO alert (scope, object, part, level, why, raised_us, changed_us, cleared_us) "
                         f"VALUES (0, 1, 0, 3, 'a sentence of then', {us[0] + 1}, {us[0] + 1}, {us[1] + 1})")
        self.assertNotIn("a sentence of then", self.board("10:05:30", "alerts"))
        self.assertIn("a sentence of then", self.board("10:10:30", "alerts"))
        self.assertNotIn("a sentence of then", self.board("10:20:30", "alerts"))

    def test_the_stream(self):
        for moment in MOMENTS:
            text = self.board(moment, "events")
            seen = re.findall(r"\d\d:\d\d:\d\d purchase +.*?(delivered|retry|queued|paused)", text)
            words = {"retry": "retrying", "paused": "queued"}
            shown = sorted(words.get(s, s) for s in seen)
            self.assertEqual(shown, sorted(self.recomputed(moment).values()), (moment, text))
        # Retries of then show when they were made.
        self.assertIn("retry", self.board("10:05:30", "events"))

    def test_what_cannot_be(self):
        for args in (("event", "list", "--at", "11:30"), ("delivery", "list", "--at", "soon"),
                     ("event", "tail", "--at", "10:05"), ("console", "--once", "--at", "23:00")):
            self.assertEqual(self.p.run(*args, ok=False).returncode, 2, args)


if __name__ == "__main__":
    unittest.main()
