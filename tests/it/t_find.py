"""What commands say about events and deliveries: list, show, tail, the ledger, the log; all through
serve and the sandbox."""
import json
import os
import subprocess
import unittest

from lib import TRACKAI, Cluster, Program, Sandbox, mortal, wait_until

NOW = "2026-11-22T10:40:00Z"


def order(n, total, **more):
    o = {"id": 5000 + n, "name": f"#{1000 + n}", "total_price": total, "currency": "EUR",
         "email": f"buyer{n}@example.com", "created_at": "2026-11-22T10:35:00Z",
         "processed_at": "2026-11-22T10:35:00Z", "updated_at": "2026-11-22T10:35:00Z",
         "financial_status": "paid", "source_name": "web", "test": False,
         "client_details": {"browser_ip": "198.51.100.7", "user_agent": "Mozilla/5.0"},
         "line_items": [{"id": 1, "product_id": 11, "variant_id": 111, "title": "Mug", "price": total,
                         "quantity": 1}]}
    o.update(more)
    return json.dumps(o).encode()


class Find(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster()
        cls.sandbox = Sandbox(clock=NOW)
        cls.p = Program(cls.cluster, clock=NOW, **cls.sandbox.urls)
        p = cls.p
        p.run("migrate")
        p.run("store", "add", "--name", "Shop", "--platform", "shopify", "--domain", "demo.myshopify.com",
              "--webhook-secret", "hush", "--currency", "EUR")
        for platform, account in (("pinterest", "549755885175"), ("meta", "1234567890"),
                                  ("tiktok", "C4A1B2C3D4E5F6G7H8I9")):
            p.run("pixel", "add", "--store", "Shop", "--platform", platform, "--account", account, "--token",
                  "sandbox-token-" + platform)
        cls.rule = p.json("rule", "add", "--name", "small ones", "--expr", "value < 20 EUR", "--action",
                          "drop", "--platform", "meta")
        cls.serve = p.serve()
        for n, total in ((1, "72.39"), (2, "12.00")):
            assert p.shopify(order(n, total), "hush", webhook_id=f"w-{n}")[0] == 200
        wait_until(lambda: len(p.json("delivery", "list", "--where", "disposition == delivered")) == 5,
                   what="five deliveries")

    @classmethod
    def tearDownClass(cls):
        cls.p.stop(cls.serve)
        cls.p.destroy()
        cls.sandbox.stop()
        cls.cluster.destroy()

    def test_1_list(self):
        rows = self.p.json("event", "list")
        self.assertEqual([r["label"] for r in rows], ["#1002", "#1001"])
        r = rows[1]
        self.assertEqual((r["name"], r["store"], r["value"], r["order_id"], r["source"], r["test"]),
                         ("purchase", "Shop", {"amount": "72.39", "currency": "EUR"}, "5001", "shopify", False))
        self.assertEqual({d["pixel"]: d["disposition"] for d in r["deliveries"]},
                         {"pinterest": "delivered", "meta": "delivered", "tiktok": "delivered"})
        self.assertEqual(len(self.p.json("event", "list", "--where", "value > 50 EUR")), 1)
        got = self.p.json("event", "list", "--where", "state == filtered")
        self.assertEqual([[d["reason"] for d in g["deliveries"]] for g in got], [["rule"]])
        self.assertEqual(len(self.p.json("event", "list", "--limit", "1")), 1)
        self.assertEqual(self.p.json("event", "list", "--since", "2026-11-22T10:50:00Z"), [])
        self.assertEqual(len(self.p.json("event", "list", "--since", "-2h")), 2)
        self.assertIn("#1001", self.p.run("event", "list").stdout)
        p = self.p.run("event", "list", "--where", "value >", ok=False)
        self.assertEqual(p.returncode, 4)
        self.assertIn("^", p.stderr)

    def test_2_deliveries(self):
        rows = self.p.json("delivery", "list", "--where", "pixel == meta")
        self.assertEqual([(r["disposition"], r["attempts"]) for r in rows], [("filtered", 0), ("delivered", 1)])
        self.assertEqual(rows[0]["rule"], self.rule["id"])
        self.assertEqual(len(self.p.json("delivery", "list", "--limit", "2")), 2)
        self.assertIn("small", self.p.run("rule", "list").stdout)

    def test_3_show(self):
        rows = self.p.json("event", "list")
        e = self.p.json("event", "show", rows[1]["id"])
        self.assertEqual(self.p.json("event", "show", rows[1]["key"][:12])["id"], rows[1]["id"])
        self.assertEqual((e["name"], e["store"], e["wire_id"]), ("purchase", "Shop", rows[1]["wire_id"]))
        self.assertEqual(e["doc"]["order_id"], "5001")
        by = {d["pixel"]: d for d in e["deliveries"]}
        self.assertEqual(set(by), {"pinterest", "meta", "tiktok"})
        for platform, d in by.items():
            self.assertEqual((d["run"], d["disposition"], d["reason"]), (1, "delivered", "ok"), d)
            self.assertEqual(len(d["attempts"]), 1)
            a = d["attempts"][0]
            self.assertEqual((a["http"], a["verdict"]), (200, "delivered"))
            self.assertNotIn("sandbox-token", json.dumps(a))
            sent = json.loads(a["request"])["data"]
            self.assertEqual([s["event_id"] for s in sent], [e["wire_id"]])
            json.loads(a["response"])
        self.assertEqual(by["pinterest"]["rule"], {"id": None, "version": None, "trace": []})
        self.assertEqual([(t["rule"], t["result"]) for t in by["meta"]["rule"]["trace"]],
                         [(self.rule["id"], False)])
        e = self.p.json("event", "show", rows[0]["id"])
        d = [d for d in e["deliveries"] if d["pixel"] == "meta"][0]
        self.assertEqual((d["disposition"], d["reason"], d["attempts"]), ("filtered", "rule", []))
        self.assertEqual((d["rule"]["id"], d["rule"]["version"]), (self.rule["id"], 1))
        self.assertTrue(d["rule"]["trace"][0]["result"])
        self.assertEqual(d["rule"]["trace"][0]["seen"], 12)
        self.assertIn("small", d["rule"]["trace"][0]["name"])
        self.assertIn("delivered", self.p.run("event", "show", rows[1]["id"]).stdout)

    def test_4_show_refusals(self):
        for text, status in (("1", 3), ("zz", 4), ("ffffffffffffffff", 3), ("abc", 4)):
            self.assertEqual(self.p.run("event", "show", text, ok=False).returncode, status, text)
        self.assertEqual(self.p.run("event", "show", ok=False).returncode, 2)

    def test_5_ledger(self):
        rows = self.p.json("ledger", "--recount")
        self.assertEqual([(r["pixel"], r["events"], r["balance"]) for r in rows],
                         [("meta", 2, 0), ("pinterest", 2, 0), ("tiktok", 2, 0)])
        self.assertEqual(rows[0]["dispositions"]["filtered"], 1)
        for r in rows:
            self.assertEqual((r["recount"]["difference"], r["recount"]["unguarded"]), (0, 0), r)
            self.assertEqual(r["recount"]["dispositions"], r["dispositions"])
        self.cluster.sql("INSERT INTO ledger SELECT id, 20, 1 FROM pixel WHERE name = 'meta'")
        p = self.p.run("ledger", ok=False)
        self.assertEqual(p.returncode, 1)
        self.assertIn("Shop/meta is out of balance by 1", p.stderr)
        self.assertEqual(self.p.run("ledger", "--recount", ok=False).returncode, 1)
        self.cluster.sql("INSERT INTO ledger SELECT id, 20, -1 FROM pixel WHERE name = 'meta'")
        self.assertEqual(self.p.run("ledger", "--json").returncode, 0)

    def test_6_tail(self):
        p = subprocess.Popen(mortal([TRACKAI, "event", "tail", "--json", "--limit", "1", "--where",
                                    "value > 100"]), env=self.p.env, stdout=subprocess.PIPE, text=True)
        try:
            sent = 0

            def seen():
                nonlocal sent
                sent += 1
                self.assertEqual(self.p.shopify(order(10 + sent, "150.00"), "hush",
                                                webhook_id=f"t-{sent}")[0], 200)
                return p.poll() is not None
            wait_until(seen, what="the tail's end")
            out = p.stdout.read().splitlines()
        finally:
            if p.poll() is None:
                p.kill()
            p.stdout.close()
            p.wait()
        self.assertEqual(len(out), 1)
        self.assertEqual(json.loads(out[0])["value"], {"amount": "150.00", "currency": "EUR"})

    def test_7_log(self):
        out = self.p.run("log", "--role", "router").stdout
        self.assertTrue(out)
        self.assertTrue(all(line.split()[1] == "router" for line in out.splitlines()))
        self.assertEqual(len(self.p.run("log", "--lines", "2").stdout.splitlines()), 2)
        f = subprocess.Popen(mortal([TRACKAI, "log", "-f", "--lines", "1", "--role", "tester"]), env=self.p.env,
                             stdout=subprocess.PIPE, text=True)
        try:
            path = os.path.join(self.p.home, "log", "trackai.log")
            os.set_blocking(f.stdout.fileno(), False)

            def followed():
                with open(path, "a") as log:
                    log.write("2026-11-22T10:40:00Z tester info a\x1b[31mb\n")
                return f.stdout.readline()
            line = wait_until(followed, what="a followed line")
            self.assertNotIn("\x1b", line)
        finally:
            f.kill()
            f.wait()
            f.stdout.close()

    def test_9_doctor(self):
        p = self.p.run("doctor", "--json", ok=False)
        lines = {x["check"]: x for x in json.loads(p.stdout)}
        bad = {k: v["text"] for k, v in lines.items() if v["state"] == "fail"}
        self.assertEqual(bad, {})
        self.assertEqual(p.returncode, 0)
        for name in ("database", "durability", "schema", "ingest key", "deliver key", "partitions", "address", "listener",
                     "router", "dispatcher", "folder", "audit"):
            self.assertEqual(lines[name]["state"], "ok", lines[name])
        self.assertEqual(lines["clock"]["state"], "warn")
        self.assertIn("stand-in", lines["meta url"]["text"])

    def test_9_doctor_finds(self):
        self.cluster.sql("UPDATE audit SET before = 'x' WHERE id = 2")
        os.rename(os.path.join(self.p.home, "keys", "deliver.key"), os.path.join(self.p.home, "keys", "away"))
        self.p.env["TRACKAI_DISK_RESERVE"] = "100TB"
        p = self.p.run("doctor", ok=False)
        del self.p.env["TRACKAI_DISK_RESERVE"]
        os.rename(os.path.join(self.p.home, "keys", "away"), os.path.join(self.p.home, "keys", "deliver.key"))
        self.assertEqual(p.returncode, 1)
        for words in ("entry 2 does not fit", "deliver.key is missing", "below the reserve"):
            self.assertIn(words, p.stdout)

    def test_8_hold_and_release(self):
        self.p.run("pixel", "hold", "meta")
        self.assertEqual(self.p.json("pixel", "show", "meta")["state"], "held")
        self.assertEqual(self.p.json("pixel", "show", "meta")["state_reason"], "operator")
        self.p.run("pixel", "release", "meta")
        self.assertEqual(self.p.json("pixel", "show", "meta")["state"], "active")


if __name__ == "__main__":
    unittest.main()
