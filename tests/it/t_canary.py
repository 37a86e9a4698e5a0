"""Canaries: a synthetic order goes the whole way in test mode, on a schedule and by hand; where it stops
is said, two in a row make the pixel critical; and no total knows of any of it."""
import json
import os
import unittest

from lib import Cluster, Program, Sandbox, wait_until

NOW = "2026-11-22T10:40:00Z"


class Canary(unittest.TestCase):
    def setUp(self):
        self.cluster = Cluster()
        self.addCleanup(self.cluster.destroy)
        self.clock = os.path.join(self.cluster.dir, "clock")
        self.minutes = 0
        self.later(0)
        self.sandbox = Sandbox(clock="@" + self.clock)
        self.addCleanup(self.sandbox.stop)
        self.p = p = Program(self.cluster, clock="@" + self.clock, **self.sandbox.urls)
        self.addCleanup(p.destroy)
        p.run("migrate")
        p.run("store", "add", "--name", "Shop", "--platform", "shopify", "--domain", "demo.myshopify.com",
              "--webhook-secret", "hush", "--currency", "JPY", "--consent", "required")
        for platform, account, more in (("pinterest", "549755885175", ()), ("meta", "1234567890", ("--test-code", "TEST1")),
                                        ("tiktok", "C4A1B2C3D4E5F6G7H8I9", ())):
            p.run("pixel", "add", "--store", "Shop", "--platform", platform, "--account", account, "--token",
                  f"sandbox-token-{platform}", *more)

    def tearDown(self):
        for word in ("Sanitizer", "runtime error", "broken invariant"):
            self.assertNotIn(word, self.p.output())

    def later(self, minutes):
        self.minutes += minutes
        with open(self.clock, "w") as f:
            f.write(f"2026-11-22T{10 + (40 + self.minutes) // 60:02}:{(40 + self.minutes) % 60:02}:00Z")

    def runs(self, *more):
        p = self.p.run("store", "canary", "Shop", "--json", *more, ok=False)
        self.assertIn(p.returncode, (0, 1), p.stderr)
        return json.loads(p.stdout)

    def ended(self, n):
        """The newest, when n have ended."""
        return wait_until(lambda: (r := self.runs()) and len(r) >= n and r[0]["ended"] and r[0], what=f"canary {n}")

    def untouched(self):
        for table in ("event", "event_doc", "event_key", "route", "verdict", "attempt", "tally", "roll_minute", "roll_hour",
                      "ledger", "order_state", "hold", "retry", "inflight", "failed_receipt", "rule_count", "wire"):
            self.assertEqual(self.cluster.sql(f"SELECT count(*) FROM {table}"), [["0"]], table)
        self.assertEqual(self.p.json("event", "list"), [])
        self.assertTrue(all(r["events"] == 0 for r in self.p.json("ledger")))
        self.p.run("ledger", "--recount")
        self.assertEqual(self.cluster.sql("SELECT count(*) FROM audit WHERE actor = 'canary'"), [["0"]])

    def test_arrives_and_counts_nowhere(self):
        self.p.run("rule", "add", "--name", "no tiktok", "--expr", "source == canary", "--action", "drop", "--pixel",
                   "tiktok")
        self.p.serve()
        self.p.active("puller")
        run = self.runs("--now")[0]
        self.assertEqual((run["state"], run["detail"]), ("arrived", ""), run)
        self.assertEqual({x["pixel"]: (x["arrived"], x["decision"], x["verdict"]) for x in run["pixels"]},
                         {"pinterest": (True, "queued", "delivered"), "meta": (True, "queued", "delivered"),
                          "tiktok": (True, "filtered", "filtered")})
        for platform, n in (("pinterest", 1), ("meta", 1), ("tiktok", 0)):
            taken = self.sandbox.received(platform)
            self.assertEqual([e["test"] for e in taken], [True] * n)
        self.untouched()
        self.assertEqual(self.cluster.sql("SELECT source, topic FROM inbox"), [["5", "purchase"]])
        self.assertEqual([k for k in self.p.json("key", "list") if k["scope"] == "canary"], [])
        # without a test code TikTok takes no test: the request is built, and stays here
        self.p.run("rule", "delete", "no tiktok")
        run = self.runs("--now")[0]
        self.assertEqual({x["pixel"]: x["verdict"] for x in run["pixels"]}["tiktok"], "built")
        self.assertEqual(self.sandbox.received("tiktok"), [])
        self.assertIn("arrived", self.p.run("store", "canary", "Shop").stdout)

    def test_on_its_schedule_and_lost_at_a_pixel(self):
        self.p.run("store", "set", "Shop", "--canary", "15")
        self.assertEqual(self.p.json("store", "show", "Shop")["canary"], 15)
        self.sandbox.fault("meta:auth")
        self.p.serve()
        run = self.ended(1)
        self.assertEqual(run["state"], "lost")
        self.assertRegex(run["detail"], r"^pixel meta: auth .*190")
        self.assertEqual({x["pixel"]: x["arrived"] for x in run["pixels"]}, {"pinterest": True, "meta": False, "tiktok": True})
        self.assertEqual(self.p.run("store", "canary", "Shop", ok=False).returncode, 1)
        self.later(14)
        self.assertEqual(len(self.runs()), 1)
        self.later(2)
        self.ended(2)

        def judged():
            rows = {r["pixel"]: r["parts"]["canary"] for r in json.loads(self.p.run("health", "--json", ok=False).stdout)}
            return rows["meta"]["status"] == "crit" and rows["pinterest"]["n"] == 2 and rows
        rows = wait_until(judged, what="two in a row")
        self.assertIn("two in a row did not arrive: auth", rows["meta"]["why"])
        self.assertEqual(rows["pinterest"]["status"], "ok")
        a = wait_until(lambda: self.p.json("alert", "list"), what="the alert")
        self.assertEqual([(x["object"], x["cause"], x["level"]) for x in a], [("Shop/meta", "canary", "crit")])
        self.assertEqual(self.cluster.sql("SELECT count(*) FROM pixel WHERE state <> 'active'"), [["0"]])
        self.untouched()

    def test_where_it_stops(self):
        self.p.run("store", "set", "Shop", "--canary", "5")
        puller = self.p.start("serve", "--roles", "puller")
        self.p.active("puller")
        wait_until(lambda: "did not answer" in self.runs()[0]["detail"] if self.runs() else False, what="no listener")
        self.later(2)
        run = self.ended(1)
        self.assertEqual((run["state"], run["stage"]), ("lost", "listener"))
        self.p.stop(puller)
        serve = self.p.serve("--roles", "listener,puller")
        self.later(5)
        wait_until(lambda: self.runs()[0]["stage"] == "router", what="the listener's answer")
        self.later(2)
        run = self.ended(2)
        self.assertEqual(run["detail"], "the listener stored it, but no router made an event of it")
        self.p.stop(serve)
        serve = self.p.serve("--roles", "listener,router,puller")
        self.later(5)
        wait_until(lambda: self.runs()[0]["stage"] == "dispatcher", what="the router's decision")
        self.later(2)
        run = self.ended(3)
        self.assertEqual(run["detail"], "the router decided, but no dispatcher answered for every pixel")
        self.p.stop(serve)
        self.p.serve()
        self.later(5)
        self.assertEqual(self.ended(4)["state"], "arrived")
        self.untouched()

    def test_no_puller(self):
        p = self.p.run("store", "canary", "Shop", "--now", ok=False)
        self.assertEqual(p.returncode, 5)
        self.assertIn("is a puller running", p.stderr)


if __name__ == "__main__":
    unittest.main()
