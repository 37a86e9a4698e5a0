"""Replays through the real serve and the sandbox: the plan and how it differs from last time, pinned
and current versions, what is left out and why, refusals, kill -9 in the middle, cancelling, holds;
the same event id at the platform, and the books at zero at every moment. Each test has a store of
its own."""
import hashlib
import json
import os
import signal
import threading
import time
import unittest
from datetime import datetime, timedelta, timezone

from lib import Cluster, Program, Sandbox, wait_until

SECRET = "replay-secret"
DELIVERED, FILTERED, REJECTED, DEAD = 3, 5, 8, 9


class Replay(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.orders = cls.stores = 0
        cls.cluster = Cluster()
        cls.addClassCleanup(cls.cluster.destroy)
        cls.file = os.path.join(cls.cluster.dir, "clock")
        cls.now = datetime(2026, 11, 22, 10, 40, tzinfo=timezone.utc)
        cls.write_clock()
        cls.sandbox = Sandbox(clock="@" + cls.file)
        cls.addClassCleanup(cls.sandbox.stop)
        cls.p = Program(cls.cluster, clock="@" + cls.file, **cls.sandbox.urls)
        cls.addClassCleanup(cls.p.destroy)
        cls.p.run("migrate")
        cls.serve = cls.p.serve()
        cls.p.active("dispatcher")
        cls.p.active("router")

    @classmethod
    def write_clock(cls):
        with open(cls.file, "w") as f:
            f.write(cls.now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"))
        os.chmod(cls.file, 0o644)

    @classmethod
    def later(cls, **much):
        cls.now += timedelta(**much)
        cls.write_clock()

    def setUp(self):
        Replay.stores += 1
        self.account = str(8000000 + self.stores)
        self.shop = f"shop{self.stores:02}"
        self.addCleanup(self.sandbox.heal)

    # --- the world ------------------------------------------------------------------------------

    def begin(self, *platforms, **settings):
        self.p.run("store", "add", "--name", self.shop, "--platform", "shopify", "--domain",
                   f"{self.shop}.myshopify.com", "--webhook-secret", SECRET, "--currency", "EUR")
        for platform in platforms:
            self.p.run("pixel", "add", "--store", self.shop, "--platform", platform, "--account", self.account,
                       "--token", "token", "--name", platform)
        self.one = platforms[0]
        self.pixel = f"{self.shop}/{self.one}"
        wait_until(lambda: self.post(self.order(test=True)) == 200, what="the new store at the listener")

    def order(self, **more):
        Replay.orders += 1
        n = 70000 + Replay.orders
        at = (self.now - timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%SZ")
        body = {"id": n, "name": f"#{n}", "currency": "EUR", "total_price": "50.00", "created_at": at,
                "processed_at": at, "updated_at": at, "financial_status": "paid", "test": False,
                "source_name": "web", "email": f"buyer{n}@example.com",
                "client_details": {"browser_ip": "198.51.100.7", "user_agent": "Mozilla/5.0"},
                "line_items": [{"id": n, "product_id": 7, "variant_id": 700, "sku": "LAMP", "title": "Lamp",
                                "quantity": 1, "price": "50.00"}]}
        body.update(more)
        return body

    def post(self, body):
        return self.p.shopify(json.dumps(body).encode(), SECRET, shop=f"{self.shop}.myshopify.com",
                              webhook_id=f"hook-{time.monotonic_ns()}")[0]

    def sold(self, n, **more):
        for _ in range(n):
            self.assertEqual(self.post(self.order(**more)), 200)

    def latest(self):
        """{(event, platform): (run, disposition, reason)} of this store, test orders left out."""
        rows = self.cluster.sql(
            "SELECT e.id, p.name, coalesce(v.run, 1), coalesce(v.after, r.decision), coalesce(v.reason, r.reason) "
            "FROM event e JOIN route r ON r.event_id = e.id JOIN pixel p ON p.id = r.pixel_id LEFT JOIN LATERAL "
            "(SELECT * FROM verdict v WHERE v.event_id = e.id AND v.pixel_id = p.id ORDER BY run DESC, attempt = 0 "
            f"DESC, attempt DESC LIMIT 1) v ON true WHERE NOT e.test AND e.store_id = (SELECT id FROM store WHERE "
            f"name = '{self.shop}')")
        return {(int(e), p): (int(run), int(d), int(why)) for e, p, run, d, why in rows}

    def until(self, n, state, run=1, what="the deliveries"):
        def there():
            got = self.latest()
            return got if sum(v[0] == run and v[1] == state for v in got.values()) >= n else None
        try:
            return wait_until(there, what=what)
        except AssertionError:
            raise AssertionError(f"{what}: {self.latest()} {self.p.output()[-1500:]}") from None

    def plan(self, *args, ok=True):
        got = self.p.run("delivery", "replay", "--pixel", self.pixel, *args, "--json", ok=ok)
        return json.loads(got.stdout) if got.stdout else got

    def go(self, *args):
        plan = self.plan("--yes", *args)
        self.assertTrue(plan["replay"], plan)
        return plan

    def shown(self, number):
        return json.loads(self.p.run("delivery", "replay", "show", str(number), "--json").stdout)

    def books(self, recount=False):
        for row in json.loads(self.p.run("ledger", "--json", *(["--recount"] if recount else [])).stdout):
            self.assertEqual(row["balance"], 0, row)
            if recount:
                self.assertEqual(row["recount"]["difference"], 0, row)

    def kill_dispatcher(self):
        def living():
            return [int(pid) for pid, in self.cluster.sql(
                "SELECT pid FROM heartbeat WHERE role = 'dispatcher' AND active ORDER BY at_us DESC")
                if os.path.exists(f"/proc/{pid}")]
        os.kill(wait_until(living, what="a dispatcher")[0], signal.SIGKILL)

    def settled(self):
        """The books agree with a recount: asked until no delivery moves between the two readings."""
        self.books(recount=True)

    def hashes(self, run):
        return dict(self.cluster.sql(
            f"SELECT event_id || '/' || pixel_id, encode(hash, 'hex') FROM verdict WHERE run = {run} AND hash IS NOT "
            f"NULL AND pixel_id = (SELECT id FROM pixel WHERE account = '{self.account}' AND name = '{self.one}')"))

    def taken(self, platform=None):
        return self.sandbox.received(platform or self.one, account=self.account)

    # --- after a fix ------------------------------------------------------------------------------

    def test_after_the_platform_refused(self):
        """Rejected deliveries go again with the same bytes and event id; a second replay is run 3."""
        self.begin("meta", "pinterest")
        self.sandbox.fault(f"meta:event_fail=1@{self.account}")
        self.sold(6)
        self.until(6, REJECTED)
        self.sandbox.heal()
        plan = self.plan("--where", "state == rejected")
        px, = plan["pixels"]
        self.assertEqual((px["pixel"], px["chosen"], px["send"], px["same"], px["changed"]), ("meta", 6, 6, 6, 0))
        self.assertEqual(px["were"], {"rejected": 6})
        self.assertIsNone(plan["replay"])
        self.assertEqual(self.taken(), [], "a plan sends nothing")
        text = self.p.run("delivery", "replay", "--pixel", self.pixel, "--where", "state == rejected").stdout
        self.assertIn("nothing was sent: --yes starts it", text)
        number = self.go("--where", "state == rejected")["replay"]
        self.until(6, DELIVERED, run=2)
        self.settled()
        self.assertEqual(self.hashes(1), self.hashes(2))
        ids = {w for w, in self.cluster.sql(f"SELECT wire_id FROM event WHERE NOT test AND store_id = (SELECT id FROM "
                                            f"store WHERE name = '{self.shop}')")}
        self.assertEqual({r["event_id"] for r in self.taken()}, ids)
        wait_until(lambda: self.shown(number)["state"] == "done", what="the replay's end")
        row = self.shown(number)
        self.assertEqual((row["items"], row["taken"], row["delivered"], row["failed"], row["passed_over"]),
                         (6, 6, 6, 0, 0))
        entry, = self.cluster.sql(f"SELECT actor, after FROM audit WHERE action = 'replay.start' AND object = 'replay {number}'")
        self.assertEqual(json.loads(entry[1])["items"], 6)
        self.assertIn("state == rejected", json.loads(entry[1])["what"])
        # within the platform's memory it is dropped there, and a third run all the same here
        again = self.go("--where", "state == delivered")
        self.assertEqual(again["pixels"][0]["merged"], 6)
        self.until(6, DELIVERED, run=3)
        self.assertEqual(len(self.taken()), 6)
        self.assertTrue(all(r["times"] == 2 and not r["conflict"] for r in self.taken()))
        self.settled()
        event = next(e for e, p in self.latest() if p == "meta")
        show = json.loads(self.p.run("event", "show", str(event), "--json").stdout)
        runs = [d["run"] for d in show["deliveries"] if d["pixel"] == "meta"]
        self.assertEqual(sorted(runs), [1, 2, 3])
        self.assertEqual([d["replay"] for d in show["deliveries"] if d["pixel"] == "meta"],
                         [None, number, again["replay"]])
        feed = self.p.run("console", "Events", "--once", "--width", "132", "--height", "40").stdout
        self.assertIn("delivered", feed)

    def test_after_a_map_was_mended(self):
        """Current: what the map says now. Pinned: the bytes of then, whatever was changed since."""
        self.begin("meta")
        self.p.run("pixel", "set", self.pixel, "--content-ids", "700 = WRONG")
        self.sold(4)
        self.until(4, DELIVERED)
        self.p.run("pixel", "set", self.pixel, "--content-ids", "700 = RIGHT")
        plan = self.plan("--since", "2026-11-01", "--where", "not test")
        px, = plan["pixels"]
        self.assertEqual((px["send"], px["changed"], px["same"]), (4, 4, 0))
        self.assertIn("custom_data.content_ids[]", [f["field"] for f in px["fields"]])
        change = next(c for c in plan["examples"][0]["changes"] if c["field"] == "custom_data.content_ids[]")
        self.assertEqual((change["was"], change["now"]), ('"WRONG"', '"RIGHT"'))
        self.assertEqual(len(plan["examples"]), 3)
        pinned = self.plan("--pinned", "--where", "not test")["pixels"][0]
        self.assertEqual((pinned["send"], pinned["changed"], pinned["same"]), (4, 0, 4))
        self.go("--pinned", "--where", "not test")
        self.until(4, DELIVERED, run=2)
        self.assertEqual(self.hashes(1), self.hashes(2))
        self.go("--where", "not test")
        self.until(4, DELIVERED, run=3)
        self.assertNotEqual(self.hashes(1), self.hashes(3))
        self.assertEqual(self.plan("--where", "not test")["pixels"][0]["same"], 4)
        back = self.go("--pinned", "--where", "not test")["pixels"][0]  # the run before was under the new map
        self.assertEqual(back["same"], 4)
        self.until(4, DELIVERED, run=4)
        self.assertEqual(self.hashes(3), self.hashes(4))
        self.settled()
        done = self.p.run("delivery", "replay", "--pixel", self.pixel, "--verify", "--json")
        got = json.loads(done.stdout)
        self.assertEqual((got["sendings"], got["same"], got["differ"], got["unknown"]), (16, 16, 0, 0))

    def test_rules_of_then_and_of_now(self):
        """A rule that changes events is pinned by its version; one that drops now leaves its events out."""
        self.begin("meta")
        rule = self.p.json("rule", "add", "--name", f"r{self.shop}", "--store", self.shop, "--expr", "value > 1",
                           "--action", "set", "--with", "value = 11.00 EUR")["id"]
        self.sold(3)
        self.until(3, DELIVERED)
        self.p.run("rule", "set", str(rule), "--with", "value = 12.00 EUR")
        now = self.plan("--where", "not test")
        self.assertEqual(now["pixels"][0]["fields"][0]["field"], "custom_data.value")
        self.go("--pinned", "--where", "not test")
        self.until(3, DELIVERED, run=2)
        self.assertEqual(self.hashes(1), self.hashes(2))
        self.go("--where", "not test")
        self.until(3, DELIVERED, run=3)
        event = next(iter(self.latest()))[0]
        show = json.loads(self.p.run("event", "show", str(event), "--json").stdout)
        values = {d["run"]: a["request"] for d in show["deliveries"] for a in d["attempts"] if a.get("request")}
        self.assertIn("11", json.dumps(values[2]))
        self.assertIn("12", json.dumps(values[3]))
        self.p.run("rule", "set", str(rule), "--action", "drop", "--with", "")
        plan = self.plan("--where", "not test")
        self.assertEqual((plan["send"], plan["pixels"][0]["left_out"]), (0, {"dropped": 3}))
        self.assertEqual(plan["examples"][0]["becomes"], "rule")
        refused = self.p.run("delivery", "replay", "--pixel", self.pixel, "--where", "not test", "--yes", ok=False)
        self.assertEqual(refused.returncode, 4)
        self.assertIn("nothing to send", refused.stderr)
        self.settled()

    def test_what_a_rule_dropped_by_mistake(self):
        """Filtered deliveries, never sent, go out under the rules of now; pinned they stay what they were."""
        self.begin("meta", "tiktok")
        rule = self.p.json("rule", "add", "--name", f"r{self.shop}", "--store", self.shop, "--expr", "value > 1",
                           "--action", "drop")["id"]
        self.sold(3)
        self.until(6, FILTERED)
        self.p.run("rule", "delete", str(rule))
        pinned = self.plan("--pinned", "--where", "not test")["pixels"][0]
        self.assertEqual((pinned["send"], pinned["left_out"]), (0, {"dropped": 3}))
        plan = json.loads(self.p.run("delivery", "replay", "--where", f"store == {self.shop} and state == filtered and "
                                     "not test", "--json", "--yes").stdout)
        self.assertEqual([(x["pixel"], x["send"], x["first"], x["changed"]) for x in plan["pixels"]],
                         [("meta", 3, 3, 0), ("tiktok", 3, 3, 0)])
        self.until(6, DELIVERED, run=2)
        self.assertEqual((len(self.taken("meta")), len(self.taken("tiktok"))), (3, 3))
        self.settled()
        again = self.plan("--pinned", "--where", "not test")["pixels"][0]
        self.assertEqual((again["send"], again["same"], again["merged"]), (3, 3, 3))

    # --- what is better left ----------------------------------------------------------------------

    def test_counted_twice_and_too_old(self):
        """Past the platform's memory it is refused unless said; past its age limit left out unless said."""
        self.begin("meta")
        self.sold(3)
        self.until(3, DELIVERED)
        self.sandbox.fault(f"meta:event_fail=1@{self.account}")
        self.sold(2)
        self.until(2, REJECTED)
        self.sandbox.heal()
        self.later(hours=49)
        plan = self.plan("--where", "not test")
        self.assertEqual((plan["send"], plan["counted_twice"]), (5, 3))
        refused = self.p.run("delivery", "replay", "--pixel", self.pixel, "--where", "not test", "--yes", ok=False)
        self.assertEqual(refused.returncode, 4)
        self.assertIn("count them twice", refused.stderr)
        self.assertEqual(self.cluster.sql(f"SELECT count(*) FROM replay_item WHERE pixel_id = (SELECT id FROM pixel "
                                          f"WHERE account = '{self.account}')"), [["0"]])
        number = self.go("--where", "not test", "--skip-duplicates")["replay"]
        self.until(2, DELIVERED, run=2)
        self.assertEqual(self.shown(number)["fates"], {"duplicate": 3})
        self.go("--where", "not test", "--allow-duplicates")
        self.until(2, DELIVERED, run=3)
        self.until(3, DELIVERED, run=2)
        self.settled()
        self.later(days=9)
        plan = self.plan("--where", "not test", "--allow-duplicates")
        self.assertEqual((plan["send"], plan["pixels"][0]["left_out"]), (0, {"late": 5}))
        self.assertEqual(plan["examples"][0]["becomes"], "too_old")
        before = self.sandbox.summary()["meta"]["requests"]
        self.go("--where", "not test", "--allow-duplicates", "--allow-late")
        got = wait_until(lambda: self.latest() if sum(v[1] == REJECTED for v in self.latest().values()) == 5 else None,
                         what="rejected as too old")
        self.assertEqual({v[2] for v in got.values()}, {15})  # too_old
        self.assertEqual(self.sandbox.summary()["meta"]["requests"], before)
        self.settled()

    def test_by_name_and_open_ones(self):
        """--ids from the argument and from standard input; what is not final is left out; unknown ones are named."""
        self.begin("meta", "tiktok")
        self.sold(2)
        got = self.until(4, DELIVERED)
        event = min(e for e, _ in got)
        plan = json.loads(self.p.run("delivery", "replay", "--ids", f"{event}/meta", "--json").stdout)
        self.assertEqual((plan["chosen"], [p["pixel"] for p in plan["pixels"]]), (1, ["meta"]))
        both = json.loads(self.p.run("delivery", "replay", "--ids", "-", "--json", stdin=f"{event}\n").stdout)
        self.assertEqual(both["chosen"], 2)
        for text in ("999999999999", f"{event}/999"):
            bad = self.p.run("delivery", "replay", "--ids", text, ok=False)
            self.assertEqual(bad.returncode, 3, bad.stderr)
        self.assertEqual(self.p.run("delivery", "replay", ok=False).returncode, 2)
        self.p.run("pixel", "hold", f"{self.shop}/meta")
        self.sold(1)
        wait_until(lambda: any(v[1] == 0 for v in self.latest().values()), what="one that waits")
        left = self.plan("--where", "not test")["pixels"][0]
        self.assertEqual((left["send"], left["left_out"]), (2, {"open": 1}))
        self.p.run("pixel", "release", f"{self.shop}/meta")
        self.until(6, DELIVERED)

    # --- on the way -------------------------------------------------------------------------------

    def test_killed_in_the_middle(self):
        """kill -9 of the dispatcher during a replay: nothing is lost, nothing opened twice, books at zero."""
        self.begin("meta")
        self.sandbox.fault(f"meta:event_fail=1@{self.account}")
        self.sold(60)
        self.until(60, REJECTED)
        self.sandbox.faults(f"meta:latency=100ms@{self.account}")
        number = self.go("--where", "not test", "--rate", "40")["replay"]
        bad, stop = [], threading.Event()

        def watch():
            while not stop.is_set():
                got = self.p.run("ledger", "--json", ok=False)
                if got.returncode:
                    bad.append(got.stdout)
        watcher = threading.Thread(target=watch)
        watcher.start()
        kills = 0
        try:
            for at in (5, 25):
                wait_until(lambda at=at: self.shown(number)["taken"] >= at, what=f"{at} taken")
                self.kill_dispatcher()
                kills += 1
            self.until(60, DELIVERED, run=2, what="all of them in the second run")
        finally:
            stop.set()
            watcher.join()
        self.assertEqual((kills, bad), (2, []))
        runs = self.cluster.sql(f"SELECT count(*), count(DISTINCT event_id), max(run) FROM verdict WHERE attempt = -1 "
                                f"AND pixel_id = (SELECT id FROM pixel WHERE account = '{self.account}')")
        self.assertEqual(runs, [["60", "60", "2"]])
        self.assertEqual(len(self.taken()), 60)
        self.assertFalse([r for r in self.taken() if r["conflict"]])
        self.settled()
        row = wait_until(lambda: self.shown(number) if self.shown(number)["state"] == "done" else None, what="its end")
        self.assertEqual((row["taken"], row["delivered"], row["open"]), (60, 60, 0))

    def test_cancelled(self):
        """What was not taken stays as it was; one replay has a delivery at a time."""
        self.begin("meta")
        self.sandbox.fault(f"meta:event_fail=1@{self.account}")
        self.sold(20)
        self.until(20, REJECTED)
        self.sandbox.heal()
        number = self.go("--where", "not test", "--rate", "4")["replay"]
        busy = self.plan("--where", "not test")["pixels"][0]
        self.assertEqual(busy["send"], 0, busy)
        wait_until(lambda: self.shown(number)["taken"] >= 2, what="the first two")
        out = self.p.run("delivery", "replay", "cancel", str(number)).stdout
        self.assertIn("cancelled", out)
        row = self.shown(number)
        self.assertEqual(row["state"], "cancelled")
        self.assertLess(row["taken"], 20)
        taken = row["taken"]
        self.until(taken, DELIVERED, run=2)
        self.assertEqual(sum(v[0] == 1 for v in self.latest().values()), 20 - taken)
        again = self.p.run("delivery", "replay", "cancel", str(number), ok=False)
        self.assertEqual(again.returncode, 4)
        self.assertEqual(self.p.run("delivery", "replay", "cancel", "999", ok=False).returncode, 3)
        self.assertEqual(self.cluster.sql(f"SELECT count(*) FROM audit WHERE action = 'replay.cancel' AND object = "
                                          f"'replay {number}'"), [["1"]])
        self.go("--where", "state == rejected")
        self.until(20, DELIVERED, run=2)
        self.settled()
        listed = json.loads(self.p.run("delivery", "replay", "list", "--json").stdout)
        self.assertEqual(listed[1]["id"], number)

    def test_a_held_pixel_keeps_it_waiting(self):
        self.begin("meta")
        self.sandbox.fault(f"meta:event_fail=1@{self.account}")
        self.sold(5)
        self.until(5, REJECTED)
        self.sandbox.heal()
        self.p.run("pixel", "hold", self.pixel)
        plan = self.go("--where", "not test")
        self.assertTrue(plan["pixels"][0]["held"])
        self.assertEqual(self.shown(plan["replay"])["state"], "running")
        self.settled()
        self.assertEqual({v[:2] for v in self.latest().values()}, {(1, REJECTED)})
        self.p.run("pixel", "release", self.pixel)
        self.until(5, DELIVERED, run=2)
        self.settled()

    def test_the_token_is_always_todays(self):
        """A replay of what a new account is to get: pinned bytes, the address of now."""
        self.begin("meta")
        self.sandbox.fault(f"meta:event_fail=1@{self.account}")
        self.sold(2)
        self.until(2, REJECTED)
        self.sandbox.heal()
        new = str(int(self.account) + 500000)
        self.p.run("pixel", "set", self.pixel, "--account", new)
        self.go("--pinned", "--where", "not test")
        self.until(2, DELIVERED, run=2)
        self.assertEqual(len(self.sandbox.received("meta", account=new)), 2)
        rows = self.cluster.sql(f"SELECT run, encode(hash, 'hex') FROM verdict WHERE hash IS NOT NULL AND pixel_id = "
                                f"(SELECT id FROM pixel WHERE account = '{new}') ORDER BY event_id, run")
        self.assertEqual([h for r, h in rows if r == "1"], [h for r, h in rows if r == "2"])
        self.assertEqual(len({hashlib.sha256(h.encode()).digest() for _, h in rows}), 2)

    def test_verify_finds_a_difference(self):
        self.begin("meta")
        self.sold(3)
        self.until(3, DELIVERED)
        args = ("delivery", "replay", "--verify", "--pixel", self.pixel)
        self.assertIn("3 byte for byte", self.p.run(*args).stdout)
        event = next(iter(self.latest()))[0]
        self.cluster.sql(f"UPDATE verdict SET hash = sha256('x') WHERE event_id = {event}")
        got = self.p.run(*args, ok=False)
        self.assertEqual(got.returncode, 1)
        self.assertIn(f"event {event} at pixel", got.stdout)


if __name__ == "__main__":
    unittest.main()
