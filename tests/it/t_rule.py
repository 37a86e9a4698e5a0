"""trackai rule: JsonLogic on given data, versions of rules, what a draft would change."""
import json
import os
import signal
import subprocess
import unittest

from lib import TRACKAI, OnCluster, mortal, wait_until, within

GOLDEN = os.path.join(os.path.dirname(__file__), "../golden/jsonlogic")


class Eval(OnCluster):
    """Needs no database."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.p.env.pop("TRACKAI_DATABASE")

    def eval(self, *args, **more):
        return self.p.run("rule", "eval", *args, **more)

    def lines(self, text):
        return [json.loads(line) for line in self.eval("--lines", stdin=text).stdout.splitlines()]

    def test_result_is_json(self):
        for logic, data, text in (
                ('{"+":[0.1,0.2]}', "{}", "0.30000000000000004"),
                ('{"var":"a"}', '{"a":{"b":[1e21,-0.5,null]}}', '{"b":[1e+21,-0.5,null]}'),
                ('{"cat":["é",1]}', "null", '"é1"'),
                ('{"or":[0,"x"]}', "{}", '"x"')):
            self.assertEqual(self.eval("--logic", logic, "--data", data).stdout, text + "\n")
        self.assertEqual(self.eval("--expr", "value >= 50 and not test", "--data",
                                   '{"value":72.39}').stdout, "true\n")

    def test_official_suite(self):
        with open(GOLDEN + "/suite.json") as f:
            cases = [c for c in json.load(f) if isinstance(c, list)]
        out = self.lines("".join(json.dumps(c[:2]) + "\n" for c in cases))
        self.assertEqual(len(cases), 278)
        self.assertEqual(out, [c[2] for c in cases])

    def test_bad_lines_do_not_stop_the_rest(self):
        out = self.lines('{"a":\n[]\n[{"nosuch":1},{}]\n[{"*":[]}]\n[{"var":"a"},{"a":5}]\n'
                         '[' + '[' * 3000 + ']' * 3000 + ',1]\n[1,2]')
        self.assertEqual([o["error"][:22] for o in out[:4]],
                         ["the line is not JSON: ", "expected [logic, data]", "there is no operator \"",
                          "* needs at least one a"])
        self.assertEqual((out[4], "error" in out[5], out[6]), (5, True, 1))

    def test_bounds(self):
        deep = '{"!":[' * 65 + "1" + "]}" * 65
        p = self.eval("--logic", deep, ok=False)
        self.assertEqual(p.returncode, 4)
        self.assertIn("deeper than 64", p.stderr)
        many = {"map": [list(range(2000)), {"map": [list(range(2000)), 1]}]}
        self.assertIn("steps", self.lines(json.dumps([many, None]))[0]["error"])

    def test_trace_and_forms(self):
        out = json.loads(self.eval("--logic", '{">":[{"+":[{"var":"value"},1]},{"var":"n"}]}', "--data",
                                   '{"value":1.2,"n":0}', "--json").stdout)
        self.assertEqual(out["result"], True)
        self.assertEqual(out["trace"][0]["seen"], {"value": 1.2, "n": 0})
        self.assertIn("saw", self.eval("--expr", "a == 1", "--data", '{"a":1}', "--trace").stdout)


class Versions(OnCluster):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.p.run("migrate")

    def refused(self, status, words, *args):
        p = self.p.run(*args, ok=False)
        self.assertEqual(p.returncode, status, p.stderr)
        self.assertIn(words, p.stderr)

    def test_history_diff_and_rollback(self):
        r = self.p.json("rule", "add", "--expr", "value >= 50", "--action", "send", "--name", "Big",
                        "--note", "from marketing")
        self.p.run("rule", "set", "Big", "--expr", "value >= 60", "--priority", "5", "--note", "too many")
        self.p.run("rule", "set", "Big", "--action", "drop")
        h = self.p.json("rule", "history", "Big")
        self.assertEqual([v["version"] for v in h], [3, 2, 1])
        self.assertEqual([v["note"] for v in h], ["too many", "too many", "from marketing"])
        self.assertEqual([v["current"] for v in h], [True, False, False])
        self.assertEqual(h[0]["changes"], {"action": ["send", "drop"]})
        self.assertEqual(h[1]["changes"], {"expr": ["value >= 50", "value >= 60"], "priority": ["100", "5"]})
        self.assertEqual(h[1]["to_rev"], h[0]["from_rev"])
        self.assertTrue(h[0]["author"].startswith("user:"))
        text = self.p.run("rule", "history", r["id"]).stdout
        for line in ("  - expr: value >= 50", "  + expr: value >= 60", "  too many"):
            self.assertIn(line + "\n", text)
        self.assertEqual(text.count("too many"), 1)

        self.p.run("rule", "rollback", "Big", "--to", "1")
        now = self.p.json("rule", "show", "Big")
        self.assertEqual((now["version"], now["expr"], now["priority"], now["action"], now["note"]),
                         (4, "value >= 50", 100, "send", "back to version 1"))
        got = self.p.json("rule", "rollback", "Big", "--to", "3", "--note", "was right")
        self.assertEqual((got["version"], got["action"], got["note"]), (5, "drop", "was right"))
        self.refused(3, "has no version 9", "rule", "rollback", "Big", "--to", "9")
        self.refused(2, "--to VERSION", "rule", "rollback", "Big")
        self.refused(3, "no rule", "rule", "history", "nix")

    def test_big_and_small_numbers_read_back(self):
        self.p.run("rule", "add", "--logic", '{">":[{"*":[{"var":"value"},1e20]},1e-9]}', "--action", "drop",
                   "--name", "Odd")
        logic = self.p.json("rule", "show", "Odd")["logic"]
        self.assertEqual(json.loads(logic), {">": [{"*": [{"var": "value"}, 1e20]}, 1e-9]})
        self.assertEqual(self.p.json("rule", "show", "Odd")["expr"], "mul(value, 1e+20) > 1e-09")
        self.assertIn('"rev"', self.p.run("rule", "backtest", "--logic", logic, "--action", "drop", "--json").stdout)

    def test_a_deleted_rule_comes_back(self):
        self.p.run("rule", "add", "--logic", '{">":[{"+":[{"var":"value"},1]},3]}', "--action", "drop",
                   "--name", "Gone", "--platform", "meta")
        first = self.p.json("rule", "show", "Gone")
        self.p.run("rule", "delete", "Gone")
        self.assertEqual([(v["deleted"], v["current"]) for v in self.p.json("rule", "history", "Gone")],
                         [(True, False)])
        self.p.run("rule", "rollback", "Gone", "--to", "1")
        now = self.p.json("rule", "show", "Gone")
        self.assertEqual((now["id"], now["version"], now["logic"], now["platform"]),
                         (first["id"], 2, first["logic"], "meta"))
        self.assertEqual(len({v["id"] for v in self.p.json("rule", "history")} & {first["id"]}), 1)


class Backtest(OnCluster):
    SECRET, SHOP = "backtest-secret", "backtest.myshopify.com"

    clock = "2026-11-22T10:40:00Z"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.p.run("migrate")
        cls.p.run("store", "add", "--name", "shop", "--platform", "shopify", "--domain", cls.SHOP,
                  "--webhook-secret", cls.SECRET, "--currency", "EUR")
        for platform in ("pinterest", "meta"):
            cls.p.run("pixel", "add", "--store", "shop", "--platform", platform, "--account", "1234567",
                      "--token", "token")
        serve = cls.p.serve("--roles", "listener,router")
        for n in range(1, 11):
            body = {"id": n, "name": f"#{n}", "currency": "EUR", "total_price": f"{n * 10}.00",
                    "created_at": "2026-11-22T10:00:00Z", "processed_at": "2026-11-22T10:00:00Z",
                    "updated_at": "2026-11-22T10:00:01Z", "financial_status": "paid", "test": n == 10,
                    "source_name": "web", "email": "b@example.com", "line_items": [
                        {"id": n, "product_id": 7, "title": "Lamp", "quantity": 1, "price": f"{n * 10}.00"}]}
            got = cls.p.shopify(json.dumps(body).encode(), cls.SECRET, topic="orders/create", shop=cls.SHOP,
                                webhook_id=f"hook-{n}")
            assert got[0] == 200, got
        wait_until(lambda: cls.cluster.sql("SELECT count(*) FROM event") == [["10"]], what="ten events")
        cls.p.stop(serve)
        cls.p.env["TRACKAI_CLOCK"] = "2026-11-22T11:00:00Z"

    def backtest(self, *args):
        return self.p.json("rule", "backtest", *args)

    def test_one_more_rule(self):
        out = self.backtest("--expr", "value >= 80 EUR", "--action", "drop", "--platform", "meta")
        self.assertEqual((out["complete"], out["events"], out["deliveries"]), (True, 10, 20))
        self.assertEqual(out["before"], {"queued": 18, "filtered": 2})
        self.assertEqual(out["after"], {"queued": 16, "filtered": 4})
        self.assertEqual((out["changed_events"], out["changed_deliveries"]), (2, 2))
        self.assertEqual(out["revenue"], [{"amount": "170.00", "currency": "EUR"}])
        self.assertEqual(out["moves"], [{"before": "queued", "before_reason": out["moves"][0]["before_reason"],
                                         "after": "filtered", "after_reason": "rule", "count": 2}])
        self.assertEqual([(c["order"], c["after"]["rule"]["name"]) for c in out["changes"]],
                         [("#8", "draft"), ("#9", "draft")])
        self.assertEqual(len(self.backtest("--logic", '{">":[{"*":[{"var":"value"},2]},100]}', "--action", "drop",
                                           "--limit", "3")["changes"]), 3)
        text = self.p.run("rule", "backtest", "--expr", "value >= 80", "--action", "drop").stdout
        self.assertIn("170.00 EUR", text)
        self.assertEqual(self.backtest("--hours", "1", "--expr", "value < 0", "--action", "drop")["revenue"], [])

    def test_a_rule_set_from_a_file(self):
        path = os.path.join(self.p.home, "rules.json")
        self.p.run("rule", "add", "--expr", "value >= 50", "--action", "drop", "--name", "Dear")
        try:
            rules = self.p.json("rule", "list")
            with open(path, "w") as f:
                json.dump(rules, f)
            self.assertEqual(self.backtest("--file", path)["changed_events"], 0)
            rules[0]["expr"] = "value >= 70"
            rules.append({"expr": "value == 10", "action": "drop", "store": "shop", "pixel": "shop/meta",
                          "name": "Ten"})
            with open(path, "w") as f:
                json.dump(rules, f)
            out = self.backtest("--file", path)
            self.assertEqual((out["changed_events"], out["changed_deliveries"]), (3, 5))
            self.assertEqual(out["revenue"], [{"amount": "120.00", "currency": "EUR"}])
            self.assertEqual({c["before"]["rule"]["name"] for c in out["changes"] if c["before"]["rule"]}, {"Dear"})
            for bad, words in (([{"expr": "vlaue > 1", "action": "drop"}], "there is no field"),
                               ([{"expr": "test", "action": "burn"}], "expected send, drop"), ({}, "array"),
                               ([{"expr": "test", "action": "drop", "store": "x"}], "no store")):
                with open(path, "w") as f:
                    json.dump(bad, f)
                p = self.p.run("rule", "backtest", "--file", path, ok=False)
                self.assertEqual(p.returncode, 4)
                self.assertIn(words, p.stderr)
            without = self.backtest("--without", "Dear")
            turned = self.backtest("--expr", "value < 0", "--action", "drop")
            self.assertGreater(without["changed_events"], 0)
            self.assertEqual(without["before"], turned["before"])
            self.assertEqual(without["moves"][0]["before"], "filtered")
            self.assertEqual(self.p.run("rule", "backtest", "--without", "nobody", ok=False).returncode, 3)
            self.assertEqual(self.p.run("rule", "backtest", "--without", "Dear", "--expr", "test", "--action", "drop",
                                        ok=False).returncode, 2)
        finally:
            self.p.run("rule", "delete", "Dear")

    def test_z_many_events(self):
        """100,000 stored events in at most 5 s, and an interrupt that ends it early."""
        self.cluster.sql("INSERT INTO event SELECT e.id + g, store_id, name, source, at_us, received_us, writer, "
                         "receipt, item, key, wire_id, amount, currency, order_id, label, test FROM (SELECT * FROM "
                         "event ORDER BY id LIMIT 1) e, generate_series(100, 100099) g")
        self.cluster.sql("INSERT INTO event_doc SELECT e.id + g, doc FROM (SELECT * FROM event_doc ORDER BY id "
                         "LIMIT 1) e, generate_series(100, 100099) g")
        out = within(5, lambda: self.backtest("--expr", 'value >= 5 and country != "XX" and not test', "--action",
                                              "drop"), "the backtest of 100,010 events", 3)
        self.assertEqual((out["events"], out["changed_events"]), (100010, 100009))
        wait_until(self.interrupted, what="a backtest that was interrupted before its end")

    def interrupted(self):
        """False when it was done before it was interrupted."""
        p = subprocess.Popen(mortal([TRACKAI, "rule", "backtest", "--expr", "test", "--action", "drop", "--json"]),
                             env=self.p.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        wait_until(lambda: p.poll() is not None or self.cluster.sql(
            "SELECT 1 FROM pg_stat_activity WHERE application_name = 'trackai rule' AND query LIKE '%event_doc%'"),
            what="the backtest's first read")
        p.send_signal(signal.SIGINT)
        out, err = p.communicate()
        if p.returncode == 0:
            return False
        self.assertEqual(p.returncode, 1, err)
        self.assertFalse(json.loads(out)["complete"])
        self.assertIn("interrupted", err)
        return True


if __name__ == "__main__":
    unittest.main()
