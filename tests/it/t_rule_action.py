"""What rules do to deliveries, from the signed webhook to the platform: hold and release, samples, another
pixel, shadows, rules that cannot answer. Behind each the ledger balances, also when counted again."""
import json
import os
import signal
import unittest

from lib import Cluster, Program, Sandbox, wait_until

SECRET, SHOP = "action-secret", "action.myshopify.com"
PIXELS = (("pinterest", "pinterest"), ("meta", "meta"), ("backup", "meta"))


def mixed(h):
    """The finaliser of SplitMix64 (Steele, Lea, Flood, 2014)."""
    h = (h ^ h >> 30) * 0xbf58476d1ce4e5b9 % 2**64
    h = (h ^ h >> 27) * 0x94d049bb133111eb % 2**64
    return h ^ h >> 31


class Actions(unittest.TestCase):
    def setUp(self):
        self.cluster = Cluster()
        self.addCleanup(self.cluster.destroy)
        self.clock = os.path.join(self.cluster.dir, "clock")
        self.at("2026-11-22T10:40:00Z")
        self.sandbox = Sandbox(clock="@" + self.clock)
        self.addCleanup(self.sandbox.stop)
        self.p = Program(self.cluster, clock="@" + self.clock, **self.sandbox.urls)
        self.addCleanup(self.p.destroy)
        self.p.run("migrate")
        self.p.run("store", "add", "--name", "shop", "--platform", "shopify", "--domain", SHOP,
                   "--webhook-secret", SECRET, "--currency", "EUR")
        for name, platform in PIXELS:
            self.p.run("pixel", "add", "--store", "shop", "--platform", platform, "--account", "1234567",
                       "--token", "token", "--name", name)
        self.hooks = 0
        self.serve = self.p.serve()

    def tearDown(self):
        for word in ("Sanitizer", "runtime error", "broken invariant"):
            self.assertNotIn(word, self.p.output())

    def at(self, instant):
        with open(self.clock + ".new", "w") as f:
            f.write(instant)
        os.rename(self.clock + ".new", self.clock)

    def rule(self, name, expr, action, *more):
        return self.p.json("rule", "add", "--name", name, "--expr", expr, "--action", action, *more)

    def refused(self, words, *args):
        p = self.p.run(*args, ok=False)
        self.assertEqual((p.returncode, words in p.stderr), (4, True), p.stderr)

    def order(self, n, value="50.00", **more):
        body = {"id": n, "name": f"#{n}", "currency": "EUR", "total_price": value,
                "created_at": "2026-11-22T10:00:00Z", "processed_at": "2026-11-22T10:00:00Z",
                "updated_at": "2026-11-22T10:00:01Z", "financial_status": "paid", "test": False,
                "source_name": "web", "email": f"buyer{n}@example.com",
                "client_details": {"browser_ip": "198.51.100.7", "user_agent": "Mozilla/5.0"},
                "line_items": [{"id": n, "product_id": 7, "title": "Lamp", "quantity": 1, "price": value}]}
        body.update(more)
        self.hooks += 1
        got = self.p.shopify(json.dumps(body).encode(), SECRET, shop=SHOP, webhook_id=f"hook-{self.hooks}")
        self.assertEqual(got[0], 200, got)

    def event_id(self, n):
        rows = wait_until(lambda: self.cluster.sql(f"SELECT id FROM event WHERE order_id = '{n}' AND name = 8"),
                          what=f"the event of order {n}")
        return rows[0][0]

    def show(self, n):
        """{pixel: delivery} of an order's purchase."""
        return {d["pixel"]: d for d in self.p.json("event", "show", self.event_id(n))["deliveries"]}

    def states(self, n):
        return {k: (d["disposition"], d["reason"]) for k, d in self.show(n).items()}

    def become(self, n, **want):
        """Until the deliveries of an order are so: pixel="disposition reason"."""
        want = {k: tuple(v.split()) for k, v in want.items()}
        last = {}

        def so():
            last.update(self.states(n))
            return all(last.get(k) == v for k, v in want.items())
        try:
            wait_until(so, what=f"order {n}")
        except AssertionError as e:
            raise AssertionError(f"{e}: {last}, wanted {want}")

    def balanced(self):
        for args in ((), ("--recount",)):
            def zero():
                p = self.p.run("ledger", *args, ok=False)
                return p.returncode == 0
            wait_until(zero, what=f"a balanced ledger {args}")

    def stats(self, rule):
        return self.p.json("rule", "show", rule)["last_24h"]

    def settled(self):
        """No delivery is under way any more."""
        wait_until(lambda: self.cluster.sql("SELECT (SELECT count(*) FROM retry) + (SELECT count(*) FROM inflight)")
                   == [["0"]], what="the dispatcher")

    OK = "delivered ok"

    def test_held_until_released(self):
        self.rule("Dear", "value >= 100 EUR", "hold", "--pixel", "shop/meta")
        self.order(1, "120.00")
        self.order(2, "20.00")
        self.become(1, meta="held rule_hold", pinterest=self.OK, backup=self.OK)
        self.become(2, meta=self.OK)
        self.balanced()
        self.assertEqual(self.cluster.sql("SELECT count(*), bool_and(expires) FROM rule_hold"), [["1", "t"]])
        for sig in (signal.SIGTERM, signal.SIGKILL):
            self.p.stop(self.serve, sig)
            self.serve = self.p.serve()
            self.become(1, meta="held rule_hold")
        got = self.show(1)["meta"]["rule"]
        self.assertEqual((got["action"], got["version"]), ({"do": "hold", "with": ""}, 1))
        self.assertEqual({t["outcome"] for t in got["trace"]}, {"matched"})
        self.p.active("router")
        self.assertEqual(self.p.json("rule", "release", "Dear"), {"released": 1})
        self.become(1, meta=self.OK)
        self.assertEqual(self.p.json("rule", "release", "Dear"), {"released": 0})
        self.assertEqual(self.cluster.sql("SELECT count(*) FROM rule_hold"), [["0"]])
        self.balanced()
        self.assertEqual(self.cluster.sql("SELECT count(*) FROM audit WHERE action = 'delivery.release'"), [["1"]])
        self.assertEqual(self.show(1)["meta"]["rule"]["action"]["do"], "hold")
        self.assertEqual(self.stats("Dear")["matched_as"], {"held": 1})

    def test_the_router_dies_at_its_commits(self):
        """Holds, their end and the counters are of one transaction with what they belong to."""
        self.rule("Dear", "value >= 100 EUR", "hold", "--pixel", "shop/meta")
        self.rule("Later", "value >= 100 EUR", "hold", "--with", "1h", "--pixel", "shop/backup")
        deaths = os.path.join(self.p.home, "deaths")
        for point, first, later in (("before", 1, "2026-11-22T11:41:00Z"), ("after", 11, "2026-11-22T12:50:00Z")):
            self.p.stop(self.serve)
            with open(deaths, "w") as f:
                f.write("xxx")
            self.p.env["TRACKAI_FAULT"] = f"router.{point}_commit:1:{deaths}"
            self.serve = self.p.serve()
            for n in range(first, first + 3):
                self.order(n, "120.00")
            for n in range(first, first + 3):
                self.become(n, meta="held rule_hold", backup="held rule_hold", pinterest=self.OK)
            self.p.active("router")
            self.p.run("rule", "release", "Dear", ok=False)  # its answer may be late
            for n in range(first, first + 3):
                self.become(n, meta=self.OK)
            self.at(later)
            for n in range(first, first + 3):
                self.become(n, backup=self.OK)
            self.assertEqual(os.path.getsize(deaths), 0)
            self.balanced()
        self.assertEqual([self.stats(r)["matched_as"] for r in ("Dear", "Later")], [{"held": 6}] * 2)
        for platform, times in (("meta", 2), ("pinterest", 1)):  # two pixels share Meta's account
            self.assertEqual([e["times"] for e in self.sandbox.received(platform)], [times] * 6)

    def test_released_by_expression(self):
        self.rule("All", "name == purchase", "hold", "--platform", "meta")
        for n in range(1, 6):
            self.order(n, f"{n}0.00")
        for n in range(1, 6):
            self.become(n, meta="held rule_hold", backup="held rule_hold", pinterest=self.OK)
        self.p.active("router")
        self.assertEqual(self.p.json("delivery", "release", "--where", "value >= 40 EUR and pixel == backup"),
                         {"released": 2})
        self.become(5, meta="held rule_hold", backup=self.OK)
        self.become(3, meta="held rule_hold", backup="held rule_hold")
        self.assertEqual(self.p.json("delivery", "release", "--rule", "All"), {"released": 8})
        for n in range(1, 6):
            self.become(n, meta=self.OK, backup=self.OK)
        self.balanced()
        p = self.p.run("delivery", "release", ok=False)
        self.assertEqual((p.returncode, "--where EXPR or --rule RULE" in p.stderr), (2, True), p.stderr)
        p = self.p.run("delivery", "release", "--where", "vlaue > 1", ok=False)
        self.assertEqual((p.returncode, "did you mean value" in p.stderr), (4, True), p.stderr)
        self.assertEqual(self.p.run("rule", "release", "Nix", ok=False).returncode, 3)

    def test_a_hold_ends_by_itself(self):
        self.rule("Later", "value >= 100 EUR", "hold", "--with", "120m", "--pixel", "shop/meta")
        self.rule("Never", "value >= 100 EUR", "hold", "--pixel", "shop/backup")
        self.order(1, "120.00")
        self.become(1, meta="held rule_hold", backup="held rule_hold", pinterest=self.OK)
        self.at("2026-11-22T12:39:59Z")
        self.order(2, "1.00")
        self.become(2, meta=self.OK)
        self.become(1, meta="held rule_hold")
        self.at("2026-11-22T12:40:01Z")
        self.become(1, meta=self.OK, backup="held rule_hold")
        self.balanced()
        # Meta takes events of seven days; the order was made at 10:00.
        self.at("2026-11-29T10:00:01Z")
        self.become(1, meta=self.OK, backup="dead expired")
        self.assertEqual(self.cluster.sql("SELECT count(*) FROM rule_hold"), [["0"]])
        self.balanced()

    def test_samples_are_drawn_by_the_event(self):
        rule = int(self.rule("Half", "name == purchase", "sample", "--with", "50%", "--pixel", "shop/meta")["id"])
        for n in range(1, 41):
            self.order(n)
        for n in range(1, 41):
            taken = mixed((int(self.event_id(n)) + rule * 0x9e3779b97f4a7c15) % 2**64) % 1000000 < 500000
            self.become(n, meta=self.OK if taken else "filtered sampled", backup=self.OK)
        got = self.stats("Half")
        self.assertEqual(got["matched"], 40)
        self.assertEqual(set(got["matched_as"]), {"queued", "filtered"})
        self.balanced()

    def test_to_another_pixel(self):
        self.rule("Away", "value >= 100 EUR", "route", "--with", "backup", "--pixel", "shop/meta")
        self.rule("Only what is sent", "value >= 0", "drop", "--pixel", "shop/backup")
        self.order(1, "120.00")
        self.order(2, "20.00")
        self.become(1, meta="filtered rerouted", backup=self.OK, pinterest=self.OK)
        self.become(2, meta=self.OK, backup="filtered rule")
        got = self.show(1)
        self.assertEqual(got["backup"]["rule"]["id"], got["meta"]["rule"]["id"])
        self.assertEqual(got["backup"]["rule"]["action"], {"do": "route", "with": "backup"})
        self.assertEqual(self.cluster.sql("SELECT count(*) FROM route"), [["6"]])
        self.balanced()
        # Refused at save: no such pixel, its own pixel, a circle; another store's pixel is none of ours.
        add = ("rule", "add", "--expr", "test", "--action", "route")
        self.refused('has no pixel "nix"', *add, "--with", "nix")
        self.refused('has no pixel "nix"', *add, "--with", "nix", "--store", "shop")
        self.refused("would route there from itself", *add, "--with", "meta", "--pixel", "shop/meta")
        self.refused('"Away" routes back from "meta" to "backup"', *add, "--with", "meta", "--pixel", "shop/backup")
        self.refused("in a circle", *add, "--with", "meta", "--store", "shop")
        self.refused("in a circle", *add, "--with", "meta", "--platform", "meta")
        self.p.run(*add, "--with", "meta", "--platform", "meta", "--shadow", "--name", "Ghost")
        self.refused("in a circle", "rule", "set", "Ghost", "--shadow", "false")
        self.p.run(*add, "--with", "pinterest", "--pixel", "shop/backup")
        self.refused("in a circle", *add, "--with", "meta", "--pixel", "shop/pinterest")

    def test_a_target_that_is_gone(self):
        self.rule("Away", "value >= 100 EUR", "route", "--with", "backup", "--pixel", "shop/meta")
        self.p.run("pixel", "delete", "shop/backup")
        self.order(1, "120.00")
        self.become(1, meta=self.OK, pinterest=self.OK)
        step = self.show(1)["meta"]["rule"]["trace"][-1]
        self.assertEqual((step["outcome"], step["why"]),
                         ("failed", "the pixel that it routes to is not there or cannot take the event"))
        self.assertEqual(self.stats("Away")["failed_by"], {"target": 1})
        self.balanced()

    def test_a_shadow_only_counts(self):
        self.rule("Maybe", "value >= 100 EUR", "drop", "--shadow", "--priority", "1")
        self.rule("First", "value >= 500 EUR", "drop", "--priority", "0", "--pixel", "shop/meta")
        for n, value in ((1, "120.00"), (2, "20.00"), (3, "700.00")):
            self.order(n, value)
        self.become(1, meta=self.OK, backup=self.OK, pinterest=self.OK)
        self.become(3, meta="filtered rule", backup=self.OK)
        got = self.stats("Maybe")
        self.assertEqual((got["matched"], got["failed"]), (0, 0))
        self.assertEqual(got["shadow"], {"would_match": 5, "would": {"filtered": 5}, "differs": 5, "purchases": 2,
                                         "revenue": [{"amount": "820.00", "currency": "EUR"}]})
        trace = self.show(1)["meta"]["rule"]["trace"]
        self.assertEqual({(t["name"], t["outcome"]) for t in trace},
                         {("First", "did not match"), ("Maybe", "would have matched")})
        self.balanced()

    def test_what_cannot_be_answered_is_counted(self):
        self.rule("Text", "order.name > 5", "drop", "--priority", "1", "--pixel", "shop/meta")
        self.rule("Missing", "event.time < -2h and order.cancelled > -1d", "drop", "--priority", "2",
                  "--pixel", "shop/meta")
        self.rule("Late", "order.cancelled > -1d", "drop", "--priority", "3", "--pixel", "shop/meta")
        self.rule("Guarded", "exists order.cancelled and order.cancelled > -1d", "drop", "--priority", "4",
                  "--pixel", "shop/meta")
        self.rule("Not", "not order.cancelled > -1d", "drop", "--priority", "5", "--pixel", "shop/meta")
        self.order(1)
        self.become(1, meta=self.OK)
        got = {name: self.stats(name) for name in ("Text", "Missing", "Late", "Guarded", "Not")}
        self.assertEqual({k: v["failed_by"] for k, v in got.items()},
                         {"Text": {"type": 1}, "Missing": {}, "Late": {"missing": 1}, "Guarded": {},
                          "Not": {"missing": 1}})
        trace = self.show(1)["meta"]["rule"]["trace"]
        self.assertEqual([(t["name"], t["outcome"], t.get("why")) for t in trace if t.get("why")],
                         [("Text", "failed", "order.name is text, no number"),
                          ("Late", "failed", "order.cancelled is missing"),
                          ("Not", "failed", "order.cancelled is missing")])
        listed = self.p.run("rule", "list").stdout
        self.assertIn("1 failed (type)", listed)
        # The folder adds the rows up; the sums stay.
        self.order(2)
        self.become(2, meta=self.OK)
        self.at("2026-11-22T11:50:00Z")
        wait_until(lambda: self.cluster.sql("SELECT max(c) FROM (SELECT count(*) c FROM rule_count GROUP BY hour, "
                                            "rule_id, item, bin) x") == [["1"]], what="the folder")
        self.assertEqual(self.stats("Text")["failed"], 2)
        self.balanced()

    def test_a_name_for_what_a_platform_lacks(self):
        self.p.run("pixel", "add", "--store", "shop", "--platform", "tiktok", "--account", "C4ABC", "--token", "token")
        key = self.p.json("key", "add", "--store", "shop", "--scope", "track")["key"]
        self.rule("Vip", "event.custom_name == vip", "rename", "--with", "Lead", "--platform", "tiktok")
        self.rule("Nothing else", "event.custom_name exists", "drop", "--platform", "tiktok", "--priority", "1")
        for n, name in enumerate(("vip", "other")):
            item = {"event": "custom", "name": name, "event_id": f"custom-000{n}", "url": "https://shop.example/",
                    "user": {"email": "jane@example.com", "ip": "198.51.100.7", "user_agent": "Mozilla/5.0"}}
            got = self.p.request("POST", "/event/track", json.dumps(item).encode(), {"Authorization": "Bearer " + key})
            self.assertEqual(json.loads(got[1])["accepted"], 1, got)
        wait_until(lambda: self.cluster.sql("SELECT count(*) FROM verdict WHERE after = 3") == [["7"]], what="verdicts")
        # For an event without a name there the drop rule in front was not asked.
        self.assertEqual(self.cluster.sql("SELECT decision, rule_id FROM route r JOIN pixel p ON p.id = r.pixel_id "
                                          "WHERE p.platform = 'tiktok' ORDER BY r.event_id"), [["0", "1"], ["5", "0"]])
        self.assertEqual([e["times"] for e in self.sandbox.received("tiktok")], [1])
        self.assertEqual(self.stats("Vip")["matched_as"], {"queued": 1})
        self.balanced()

    def test_what_is_wrong_is_refused(self):
        for words, action, argument in (("expected a percentage", "sample", "ten"), ("a duration", "hold", "soon"),
                                        ("needs an argument", "rename", ""), ("takes no argument", "drop", "x"),
                                        ("there is no field", "set", "vlaue = 3")):
            self.refused(words, "rule", "add", "--expr", "test", "--action", action, "--with", argument)
        self.assertEqual(self.p.json("rule", "list"), [])
        self.rule("R", "test", "sample", "--with", "5%")
        self.refused("expected a percentage", "rule", "set", "R", "--with", "half")
        self.p.run("rule", "set", "R", "--action", "drop")
        got = self.p.json("rule", "show", "R")
        self.assertEqual((got["action"], got["with"], got["shadow"]), ("drop", None, False))
        self.p.run("rule", "rollback", "R", "--to", "1")
        self.assertEqual(self.p.json("rule", "show", "R")["with"], "5%")


if __name__ == "__main__":
    unittest.main(argv=["t_rule_action"])
