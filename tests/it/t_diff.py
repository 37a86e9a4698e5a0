"""event show --diff: what was sent against the last one that was taken, and the field that the
platform's refusal names; all through serve and a sandbox whose clock runs ahead."""
import json
import os
import tempfile
import unittest

from it.t_find import order
from lib import Cluster, Program, Sandbox, wait_until

NOW = "2026-11-22T10:40:00Z"
LATER = "2027-02-01T00:00:00Z"  # then what the shop sends is too old for every platform
PIXELS = (("pinterest", "549755885175"), ("meta", "1234567890"), ("tiktok", "C4A1B2C3D4E5F6G7H8I9"))


class Diff(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster()
        cls.dir = tempfile.TemporaryDirectory()
        cls.clock = os.path.join(cls.dir.name, "clock")
        cls.turn(NOW)
        cls.sandbox = Sandbox(clock="@" + cls.clock)
        cls.p = p = Program(cls.cluster, clock=NOW, **cls.sandbox.urls)
        p.run("migrate")
        p.run("store", "add", "--name", "Shop", "--platform", "shopify", "--domain", "demo.myshopify.com",
              "--webhook-secret", "hush", "--currency", "EUR")
        for platform, account in PIXELS:
            p.run("pixel", "add", "--store", "Shop", "--platform", platform, "--account", account, "--token",
                  "sandbox-token-" + platform)
        cls.serve = p.serve()
        cls.good = cls.send(1, "72.39", "delivered")
        cls.turn(LATER)
        cls.bad = cls.send(2, "12.00", "rejected")

    @classmethod
    def tearDownClass(cls):
        cls.p.stop(cls.serve)
        cls.p.destroy()
        cls.sandbox.stop()
        cls.cluster.destroy()
        cls.dir.cleanup()

    @classmethod
    def turn(cls, instant):
        with open(cls.clock + ".new", "w") as f:
            f.write(instant)
        os.chmod(cls.clock + ".new", 0o644)
        os.rename(cls.clock + ".new", cls.clock)

    @classmethod
    def send(cls, n, total, state):
        assert cls.p.shopify(order(n, total), "hush", webhook_id=f"w-{n}")[0] == 200
        where = f"disposition == {state}"
        wait_until(lambda: len(cls.p.json("delivery", "list", "--where", where)) == len(PIXELS), what=state)
        return cls.p.json("delivery", "list", "--where", where)[0]["event"]

    def test_the_field_that_is_meant(self):
        all_ = {d["pixel"]: d for d in self.p.json("event", "show", self.bad, "--diff")}
        self.assertEqual(set(all_), {"pinterest", "meta", "tiktok"})
        for name, d in all_.items():
            self.assertEqual((d["good"]["event"], d["good"]["label"]), (self.good, "#1001"), name)
            self.assertEqual(d["disposition"], "rejected")
            first = d["lines"][0]
            self.assertEqual((first["path"], first["complaint"]), ("event_time", True), (name, d))
            self.assertEqual([x["complaint"] for x in d["lines"][1:]], [False] * (len(d["lines"]) - 1))
            # Everything else is another buyer's: it differs from event to event.
            self.assertTrue(all(x["varies"] for x in d["lines"][1:]), (name, d))
        value = [x for x in all_["meta"]["lines"] if x["path"] == "custom_data.value"][0]
        self.assertEqual((value["before"], value["now"], value["change"]), ("72.39", "12.00", "value"))

    def test_a_delivered_one(self):
        d = self.p.json("event", "show", self.good, "--diff", "--pixel", "meta")
        self.assertEqual([x["pixel"] for x in d], ["meta"])
        self.assertIsNone(d[0]["good"])  # itself is the only one
        self.assertEqual(d[0]["lines"], [])

    def test_for_people(self):
        text = self.p.run("event", "show", self.bad, "--diff", "--pixel", "pinterest").stdout
        self.assertIn("event_time", text)
        self.assertIn("<- the platform complains of this", text)
        self.assertIn("in the past", text)
        self.assertNotIn("meta", text)
        p = self.p.run("event", "show", self.bad, "--diff", "--pixel", "nothing", ok=False)
        self.assertEqual(p.returncode, 3)
        self.assertEqual(self.p.run("event", "show", self.bad, "--pixel", "meta", ok=False).returncode, 2)

    def test_the_inspector(self):
        text = self.p.run("console", "--once", "events").stdout
        self.assertIn("Diff", text)


if __name__ == "__main__":
    unittest.main()
