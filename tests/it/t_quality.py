"""Pinterest's own quality score and tags: asked of pixels that send, kept, shown; a token that may not read
says so and hurts nothing."""
import json
import os
import unittest

from lib import Cluster, Program, Sandbox, wait_until
from t_health_match import order


class Quality(unittest.TestCase):
    def setUp(self):
        self.cluster = Cluster()
        self.clock = os.path.join(self.cluster.dir, "clock")
        self.at("2026-11-22T10:40:00Z")
        self.sandbox = Sandbox(clock="@" + self.clock)
        self.p = p = Program(self.cluster, clock="@" + self.clock, **self.sandbox.urls)
        p.run("migrate")
        p.run("store", "add", "--name", "Shop", "--platform", "shopify", "--domain", "demo.myshopify.com",
              "--webhook-secret", "hush", "--currency", "EUR")
        p.run("pixel", "add", "--store", "Shop", "--platform", "pinterest", "--account", "549755885175", "--token",
              "sandbox-token")
        self.serve = p.serve()

    def tearDown(self):
        self.p.stop(self.serve)
        self.p.destroy()
        self.sandbox.stop()
        self.cluster.destroy()

    def at(self, when):
        with open(self.clock + ".new", "w", encoding="utf-8") as f:
            f.write(when)
        os.rename(self.clock + ".new", self.clock)

    def quality(self):
        return json.loads(self.p.run("health", "Shop/pinterest", "--json", ok=False).stdout)[0]["quality"]

    def test_quality(self):
        wait_until(lambda: self.cluster.sql("SELECT 1 FROM pull WHERE job = 'quality'"), what="the job's first run")
        self.assertIsNone(self.quality())  # nothing was sent yet, so nobody asks
        self.assertEqual(self.p.shopify(order(1, email="x@example.com"), "hush", webhook_id="w-1")[0], 200)
        wait_until(lambda: self.cluster.sql("SELECT 1 FROM attempt WHERE class = 'ok'"), what="a delivery")
        requests = self.sandbox.summary()
        self.at("2026-11-22T10:52:00Z")
        q = wait_until(self.quality, what="the platform's score")
        self.assertEqual((q["read"], q["error"]), ("2026-11-22T10:52:00Z", None))
        score = q["scores"][0]
        self.assertEqual((score["status"], score["source"], score["period"]), ("FAIR", "CONVERSIONS_API", "14d"))
        by = {c["component"]: c for c in score["components"]}
        self.assertEqual((by["hashed_email"]["coverage"], by["external_event_id"]["overlap"]), (91, 72.5))
        self.assertIn("Low coverage", by["click_id_epik"]["issues"][0])
        self.assertEqual((q["tags"][0]["name"], q["tags"][0]["status"]), ("Shop tag", "ACTIVE"))
        self.assertEqual(self.sandbox.summary(), requests)  # who asks sends no event
        text = self.p.run("health", "Shop/pinterest").stdout
        self.assertIn("the platform's own score: FAIR, events by CONVERSIONS_API from WEB within 14d", text)
        self.assertIn("tag Shop tag (ACTIVE, enhanced match VALIDATION_COMPLETE): last fired 2026-11-22T10:50", text)
        # not again within four hours; then with a token that may only write
        self.p.run("pixel", "set", "Shop/pinterest", "--token", "scope-write-only")
        self.at("2026-11-22T12:30:00Z")
        wait_until(lambda: "nothing to ask" in self.cluster.sql("SELECT outcome FROM pull WHERE job = 'quality'")[0][0],
                   what="a run without work")
        self.at("2026-11-22T15:30:00Z")
        q = wait_until(lambda: (got := self.quality())["error"] and got, what="the refusal")
        self.assertIn("the token may not read it (it needs the scope ads:read)", q["error"])
        self.assertEqual((q["asked"], q["read"], len(q["scores"])), ("2026-11-22T15:30:00Z", "2026-11-22T10:52:00Z", 1))
        text = self.p.run("health", "Shop/pinterest", ok=False).stdout
        self.assertIn("asked 2026-11-22T15:30:00Z: the token may not read it", text)
        self.assertEqual(self.p.json("pixel", "list")[0]["state"], "active")


if __name__ == "__main__":
    unittest.main()
