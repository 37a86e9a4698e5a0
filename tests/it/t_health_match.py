"""Health of what events carry: a shop that loses e-mails is warned of when there is evidence and not before,
also after a restart; pairs of browser and server; the token's age; what was held counts in the latency."""
import json
import os
import unittest

from lib import Cluster, Program, Sandbox, wait_until

EM, IP_UA, PURCHASE, KEYS = 1, 16, 8, 64  # src/coverage.def, src/events.def, src/tally.h
HOUR = 3600


def order(n, **more):
    return json.dumps({
        "id": 7000 + n, "name": f"#{n}", "total_price": "10.00", "currency": "EUR",
        "created_at": "2026-11-22T10:35:00Z", "processed_at": "2026-11-22T10:35:00Z",
        "updated_at": "2026-11-22T10:35:00Z", "financial_status": "paid", "source_name": "web", "test": False,
        "client_details": {"browser_ip": "198.51.100.7", "user_agent": "Mozilla/5.0"},
        "line_items": [{"id": 1, "product_id": 11, "variant_id": 111, "title": "Mug", "price": "10.00",
                        "quantity": 1}]} | more).encode()


class Match(unittest.TestCase):
    now_s = 1795344000  # 2026-11-22T10:40:00Z

    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster()
        cls.clock = os.path.join(cls.cluster.dir, "clock")
        cls.at("2026-11-22T10:40:00Z")
        cls.sandbox = Sandbox(clock="@" + cls.clock)
        cls.p = p = Program(cls.cluster, clock="@" + cls.clock, **cls.sandbox.urls)
        p.run("migrate")
        p.run("store", "add", "--name", "Shop", "--platform", "shopify", "--domain", "demo.myshopify.com",
              "--webhook-secret", "hush", "--currency", "EUR")
        p.run("pixel", "add", "--store", "Shop", "--platform", "meta", "--account", "1234567890", "--token",
              "sandbox-token-meta")
        hour = cls.now_s // HOUR
        cls.cluster.sql(f"INSERT INTO roll_hour SELECT h, 1, 1, {KEYS + PURCHASE}, b, '', n, 0 FROM generate_series("
                        f"{hour - 8 * 24}, {hour - 25}) h, (VALUES ({EM | IP_UA}, 19), ({IP_UA}, 1)) x (b, n)")
        cls.cluster.sql(f"INSERT INTO roll_day SELECT h / 24, 1, 1, {KEYS + PURCHASE}, b, '', n, 0 FROM generate_series("
                        f"{hour - 8 * 24}, {hour - 35}) h, (VALUES ({EM | IP_UA}, 19), ({IP_UA}, 1)) x (b, n)")
        cls.serve = p.serve("--roles", "listener")
        cls.sent = 0

    @classmethod
    def at(cls, when):
        with open(cls.clock + ".new", "w", encoding="utf-8") as f:
            f.write(when)
        os.rename(cls.clock + ".new", cls.clock)

    @classmethod
    def tearDownClass(cls):
        cls.p.stop(cls.serve)
        cls.p.destroy()
        cls.sandbox.stop()
        cls.cluster.destroy()

    def send(self, n, **more):
        for _ in range(n):
            Match.sent += 1
            self.assertEqual(self.p.shopify(order(self.sent, **more), "hush", webhook_id=f"w-{self.sent}")[0], 200)

    def health(self):
        p = self.p.run("health", "Shop/meta", "--json", ok=False)
        self.assertIn(p.returncode, (0, 1), p.stderr)
        return json.loads(p.stdout)[0]

    def judged(self, part, n):
        def look():
            got = self.health()["parts"][part]
            return got if got["n"] == n else None
        return wait_until(look, 40, f"{part} of {n}")

    def restart(self):
        self.p.stop(self.serve)
        Match.serve = self.p.serve()

    def test_1_e_mails_are_lost(self):
        self.send(15)
        self.restart()
        keys = self.judged("match_keys", 15)
        self.assertEqual((keys["status"], keys["why"]), ("unknown", "15 purchase in the last day"))
        self.send(15)
        keys = self.judged("match_keys", 30)
        self.assertEqual((keys["status"], keys["why"]),
                         ("warn", "purchase: e-mail in 0 % of 30 in the last hour, 95 % the week before"))
        self.assertEqual((keys["value"], keys["lo"]), (0, 0))
        self.assertLess(keys["hi"], 0.2)
        self.assertIn("trackai event show", keys["next"])
        whole = self.health()
        self.assertEqual((whole["status"], whole["cause"]), ("warn", "match_keys"))
        self.assertEqual([(k["event"], k["n"]) for k in whole["keys"]], [("purchase", 30)])
        em = whole["keys"][0]["keys"]["em"]
        self.assertEqual((em["now"]["share"], em["before"]["share"]), (0, 0.95))
        self.assertEqual(whole["keys"][0]["keys"]["order_id"]["now"]["share"], 1)
        text = self.p.run("health", "Shop/meta").stdout
        self.assertRegex(text, r"match_keys +warn +30 +0\.0 % +0\.0-11\.4 %")
        self.assertRegex(text, r"purchase +30 +0 \(95\)")
        a = wait_until(lambda: [x for x in self.p.json("alert", "list") if x["cause"] == "match_keys"], what="an alert")
        self.assertEqual((a[0]["level"], a[0]["object"]), ("warn", "Shop/meta"))
        token = self.health()["parts"]["token"]
        self.assertEqual((token["status"], token["n"]), ("ok", 0))
        self.assertIn("taken by the platform just now", token["why"])
        # the same from the rollups
        self.cluster.sql("DELETE FROM health")
        self.cluster.sql("UPDATE pixel SET token_us = token_us - 40 * 86400000000")
        self.restart()
        self.assertEqual(self.judged("match_keys", 30)["why"], keys["why"])
        self.assertEqual(self.health()["parts"]["token"]["why"],
                         "set 40 days ago, taken by the platform just now")

    def track(self, side, ids):
        key = json.loads(self.p.run("key", "add", "--store", "Shop", "--scope", side, "--json").stdout)["key"]
        path = f"/event/track?k={key}" if side == "public" else "/event/track"
        head = {"Content-Type": "text/plain"} if side == "public" else {"Authorization": f"Bearer {key}"}
        items = [{"event": "lead", "event_id": f"lead-{i:05d}", "event_time": self.now_s,
                  "url": "https://shop.example/", "user": {"email": f"x{i}@example.com"}} for i in ids]
        body = json.dumps(items).encode()
        answer = wait_until(lambda: (got := self.p.request("POST", path, body, head))[0] == 200 and got[1],
                            what=f"an answer to the {side} key")
        self.assertEqual(json.loads(answer)["accepted"], len(items), answer)

    def test_2_pairs(self):
        self.assertEqual(self.health()["parts"]["pairs"]["status"], "unknown")
        self.track("public", range(0, 40))
        self.track("track", range(5, 45))
        pairs = self.judged("pairs", 45)
        self.assertEqual(pairs["status"], "ok", pairs)
        self.assertIn("lead: 35 pairs, 5 only browser, 5 only server", pairs["why"])
        self.assertAlmostEqual(pairs["value"], 35 / 45, places=5)
        self.assertTrue(pairs["lo"] < 0.65 and pairs["hi"] > 0.87, pairs)

    def test_3_nothing_is_left_out_of_the_latency(self):
        before = self.health()["parts"]["latency"]["n"]
        self.p.run("pixel", "hold", "Shop/meta")
        self.send(21, email="late@example.com")
        wait_until(lambda: self.p.json("ledger")[0]["dispositions"].get("queued") == 21, what="21 that wait")
        self.at("2026-11-22T13:50:00Z")
        self.p.run("pixel", "release", "Shop/meta")
        latency = self.judged("latency", 21)
        self.assertGreater(before, 21)
        self.assertEqual(latency["status"], "crit")
        self.assertTrue(0.99 * 190 * 60000 <= latency["lo"] <= 1.01 * 190 * 60000, latency)

    def test_4_a_new_token(self):
        self.at("2026-11-22T14:00:00Z")
        self.p.run("pixel", "set", "Shop/meta", "--name", "meta")
        self.p.run("pixel", "set", "Shop/meta", "--token", "another-token")
        token = wait_until(lambda: (t := self.health()["parts"]["token"])["status"] == "unknown" and t, what="the news")
        self.assertEqual((token["n"], token["why"]), (0, "set 0 s ago, not taken by the platform yet"))


if __name__ == "__main__":
    unittest.main()
