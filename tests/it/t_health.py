"""Health of pixels, as the folder judges it: from live counts, after a restart from the rollups, and when
a token is refused."""
import json
import unittest

from lib import Cluster, Program, Sandbox, wait_until

NOW = "2026-11-22T10:40:00Z"


def order(n):
    return json.dumps({
        "id": 7000 + n, "name": f"#{n}", "total_price": "10.00", "currency": "EUR", "email": f"b{n}@example.com",
        "created_at": "2026-11-22T10:35:00Z", "processed_at": "2026-11-22T10:35:00Z",
        "updated_at": "2026-11-22T10:35:00Z", "financial_status": "paid", "source_name": "web", "test": False,
        "client_details": {"browser_ip": "198.51.100.7", "user_agent": "Mozilla/5.0"},
        "line_items": [{"id": 1, "product_id": 11, "variant_id": 111, "title": "Mug", "price": "10.00",
                        "quantity": 1}]}).encode()


class Health(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster()
        cls.sandbox = Sandbox(clock=NOW)
        cls.p = p = Program(cls.cluster, clock=NOW, **cls.sandbox.urls)
        p.run("migrate")
        p.run("store", "add", "--name", "Shop", "--platform", "shopify", "--domain", "demo.myshopify.com",
              "--webhook-secret", "hush", "--currency", "EUR", "--timezone", "Asia/Kolkata")
        p.run("pixel", "add", "--store", "Shop", "--platform", "meta", "--account", "1234567890", "--token",
              "sandbox-token-meta")
        p.run("pixel", "add", "--store", "Shop", "--platform", "tiktok", "--account", "C4A1B2C3D4E5F6G7H8I9",
              "--token", "sandbox-token-tiktok")
        cls.sent = 0

    @classmethod
    def tearDownClass(cls):
        cls.p.destroy()
        cls.sandbox.stop()
        cls.cluster.destroy()

    def send(self, n):
        for _ in range(n):
            Health.sent += 1
            self.assertEqual(self.p.shopify(order(self.sent), "hush", webhook_id=f"w-{self.sent}")[0], 200)

    def health(self):
        p = self.p.run("health", "--json", ok=False)
        self.assertIn(p.returncode, (0, 1), p.stderr)
        return {r["pixel"]: r for r in json.loads(p.stdout)}, p.returncode

    def judged(self, check, what):
        return wait_until(lambda: check(self.health()[0]), 40, what)

    def test_1_before_anything_ran(self):
        p = self.p.run("health", "--json")
        self.assertEqual([r["judged"] for r in json.loads(p.stdout)], [None, None])
        self.assertIn("nothing was judged yet", p.stderr)

    def test_2_from_counts_and_again_after_a_restart(self):
        serve = self.p.serve()
        self.send(25)
        well = ("delivery", "first_try", "queue", "freshness")
        for _ in range(2):
            rows = self.judged(lambda r: r["meta"]["parts"]["delivery"]["n"] == 25 and
                               r["tiktok"]["parts"]["delivery"]["n"] == 25 and r, "25 delivered to each")
            for r in rows.values():
                self.assertEqual((r["status"], r["store"]), ("ok", "Shop"), r)
                self.assertEqual({k: r["parts"][k]["status"] for k in well}, {k: "ok" for k in well})
                self.assertEqual(r["parts"]["delivery"]["value"], 1)
                self.assertLess(r["parts"]["delivery"]["lo"], 0.9)
                self.assertEqual(r["parts"]["latency"]["n"], 25)
                self.assertEqual(r["parts"]["volume"]["status"], "unknown")
            self.p.stop(serve)
            self.cluster.sql("DELETE FROM health")
            serve = self.p.serve()
        self.p.stop(serve)
        self.assertIn("latency", self.p.run("health", "Shop/meta").stdout)
        self.assertEqual(self.p.run("health", "nobody", ok=False).returncode, 3)

    def test_3_a_refused_token(self):
        serve = self.p.serve()
        self.sandbox.fault("meta:auth")
        self.send(3)
        rows = self.judged(lambda r: r["meta"]["status"] == "crit" and r, "a critical pixel")
        self.assertEqual((rows["meta"]["cause"], rows["tiktok"]["status"]), ("state", "ok"))
        self.assertIn("auth", rows["meta"]["parts"]["state"]["why"])
        self.assertEqual(self.health()[1], 1)
        self.assertIn("held: auth", self.p.run("health", ok=False).stdout)
        self.alerts(serve)

    def alerts(self, serve):
        """Raised at the second look, once; kept through a restart; acknowledged, muted; over after three."""
        a = wait_until(lambda: self.p.json("alert", "list"), what="an alert")
        self.assertEqual([(x["state"], x["level"], x["scope"], x["object"], x["cause"]) for x in a],
                         [("open", "crit", "pixel", "Shop/meta", "state")])
        number = str(a[0]["id"])
        self.p.run("alert", "ack", number)
        self.p.stop(serve)
        serve = self.p.serve()
        self.assertEqual([x["state"] for x in self.p.json("alert", "list")], ["acknowledged"])
        self.p.run("alert", "mute", number, "--until", "2h")
        muted = self.p.json("alert", "list")[0]
        self.assertEqual((muted["state"], muted["muted_until"]), ("muted", "2026-11-22T12:40:00Z"))
        self.p.run("alert", "unmute", number)
        for wrong, why in ((("mute", number, "--until", "yesterday"), "over already"), (("ack", "999"), "no open alert 999"),
                           (("ack", "x"), "no alert's number"), (("mute", number), "until when")):
            p = self.p.run("alert", *wrong, ok=False)
            self.assertIn(p.returncode, (2, 3), wrong)
            self.assertIn(why, p.stderr)
        self.sandbox.heal()
        self.p.run("pixel", "release", "meta")
        wait_until(lambda: not self.p.json("alert", "list"), what="the alert's end")
        over = self.p.json("alert", "list", "--all")
        self.assertEqual([(x["state"], x["id"]) for x in over], [("over", int(number))])
        self.assertEqual(self.cluster.sql("SELECT turn, level FROM notice ORDER BY id"), [["0", "3"], ["2", "3"]])
        self.p.stop(serve)
        log = self.p.run("log", "--role", "folder").stdout
        for words in ("raised: crit pixel Shop/meta, state: held: auth", "over: crit pixel Shop/meta, state"):
            self.assertEqual(log.count(words), 1, log)
        self.assertEqual(self.cluster.sql("SELECT action FROM audit WHERE action LIKE 'alert.%' ORDER BY id"),
                         [["alert.ack"], ["alert.mute"], ["alert.unmute"]])


if __name__ == "__main__":
    unittest.main()
