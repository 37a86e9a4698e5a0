"""The incident bundle: everything that explains an event or a pixel in one file, and neither a secret nor
somebody's name, address, number or click in it."""
import hashlib
import json
import os
import re
import unittest

from lib import OnCluster, Sandbox, wait_until

NOW = "2026-11-22T10:40:00Z"
SECRET, TOKEN = "hook-secret-5d2c", "platform-token-77aa"
PERSONAL = ["zoe.maria@example.com", "Zoë-Marie", "Quellenhof", "Hintertupfing", "SW1A 1AA", "491701234567",
            "+49 170 1234567", "198.51.100.77", "Mozilla/9.9 (Private)", "cust-909090", "IwAR0clickclick",
            "dj0yepikepik", "chk-token-1234", "Rosenweg 12", "secret-arg"]


def order(n, **more):
    body = {"id": 8000 + n, "name": f"#{n}", "total_price": "10.00", "currency": "EUR", "email": PERSONAL[0],
            "created_at": "2026-11-22T10:35:00Z", "processed_at": "2026-11-22T10:35:00Z",
            "updated_at": "2026-11-22T10:35:00Z", "financial_status": "paid", "source_name": "web", "test": False,
            "checkout_token": PERSONAL[12], "landing_site": f"/p?fbclid={PERSONAL[10]}&epik={PERSONAL[11]}&a=secret-arg",
            "billing_address": {"first_name": PERSONAL[1], "last_name": PERSONAL[2], "city": PERSONAL[3],
                                "zip": PERSONAL[4], "address1": PERSONAL[13], "country_code": "GB",
                                "phone": PERSONAL[6]},
            "customer": {"id": PERSONAL[9]},
            "client_details": {"browser_ip": PERSONAL[7], "user_agent": PERSONAL[8]},
            "line_items": [{"id": 1, "product_id": 11, "variant_id": 111, "title": "Mug", "price": "10.00",
                            "quantity": 1}]}
    body.update(more)
    return json.dumps(body).encode()


class Bundle(OnCluster):
    clock = NOW

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sandbox = Sandbox(clock=NOW)
        cls.addClassCleanup(cls.sandbox.stop)
        cls.p.env.update(cls.sandbox.urls)
        cls.p.run("migrate")
        cls.p.run("store", "add", "--name", "Shop", "--platform", "shopify", "--domain", "demo.myshopify.com",
                  "--webhook-secret", SECRET, "--currency", "EUR")
        for platform in ("pinterest", "meta"):
            cls.p.run("pixel", "add", "--store", "Shop", "--platform", platform, "--account", "1234567", "--token",
                      TOKEN, "--name", platform)
        cls.p.run("rule", "add", "--name", "big ones", "--expr", f"user.email == '{PERSONAL[0]}' and value < 5",
                  "--action", "drop", "--priority", "5")
        cls.p.run("rule", "add", "--name", "no tests", "--expr", "value > 5000", "--action", "drop", "--priority", "7")
        cls.sandbox.fault("meta:event_fail=1")
        cls.serve = cls.p.serve()
        for n in range(3):
            got = cls.p.shopify(order(n), SECRET, webhook_id=f"w{n}")
            assert got[0] == 200, got
        wait_until(lambda: cls.cluster.sql("SELECT count(*) FROM verdict WHERE after >= 3") == [["6"]],
                   what="six verdicts")
        wait_until(lambda: cls.cluster.sql("SELECT count(*) FROM health WHERE status > 0") == [["2"]], what="their health")
        cls.sandbox.fault("meta:auth")
        cls.p.shopify(order(3), SECRET, webhook_id="w3")
        wait_until(lambda: cls.cluster.sql("SELECT count(*) FROM alert") != [["0"]], what="an alert")
        wait_until(lambda: cls.cluster.sql("SELECT count(*) FROM route") == [["8"]], what="the last event's routes")

    @classmethod
    def tearDownClass(cls):
        cls.p.stop(cls.serve)

    def event(self):
        return self.cluster.sql("SELECT id FROM event WHERE name = 8 ORDER BY id LIMIT 1")[0][0]

    def clean(self, text):
        low = text.lower()
        for word in [SECRET, TOKEN, *PERSONAL]:
            self.assertNotIn(word.lower(), low)
            self.assertNotIn(json.dumps(word)[1:-1].lower(), low, word)  # as JSON writes it
            self.assertNotIn(word.replace(" ", "%20").lower(), low, word)
        for word in PERSONAL:
            for form in (word, word.lower(), word.lower().replace(" ", ""), "+" + word):
                self.assertNotIn(hashlib.sha256(form.encode()).hexdigest(), low, f"the hash of {form}")
        self.assertNotRegex(text, r"\b[0-9a-f]{64}\b(?![^\n]*checksum)|\b198\.51\.")

    def test_an_event(self):
        text = self.p.run("bundle", self.event()).stdout
        b = json.loads(text)
        schema = b.pop("schema")
        self.clean(json.dumps(b, ensure_ascii=False))
        self.assertGreaterEqual(len(schema), 11)
        self.assertEqual(list(b)[:4], ["bundle", "summary", "cut", "events"])
        event, = b["events"]
        self.assertEqual(event["id"], self.event())
        by = {d["pixel"]: d for d in event["deliveries"]}
        self.assertEqual((by["pinterest"]["disposition"], by["meta"]["disposition"]), ("delivered", "rejected"))
        sent = by["meta"]["attempts"][0]
        self.assertEqual(len(sent["request"]["data"]), 1)
        self.assertEqual(sent["response"]["error"]["code"], 100)
        self.assertEqual([t["name"] for t in by["meta"]["rule"]["trace"]], ["big ones", "big ones", "no tests"][:len(
            by["meta"]["rule"]["trace"])])
        self.assertEqual({r["name"] for r in b["rules"]}, {"big ones", "no tests"})
        self.assertEqual({(p["name"], p["state"]) for p in b["pixels"]}, {("pinterest", "active"), ("meta", "held")})
        self.assertTrue(all(p["has_token"] for p in b["pixels"]))
        self.assertEqual({h["pixel_id"] for h in b["health"]}, {1, 2})
        self.assertIn("delivery", b["health"][0]["parts"])
        self.assertIn("crit", {a["level"] for a in b["alerts"]})
        self.assertEqual({r["pixel"]: r["balance"] for r in b["ledger"]}, {"pinterest": 0, "meta": 0})
        self.assertTrue({"listener", "router", "dispatcher", "folder"} <= {h["role"] for h in b["heartbeats"]})
        self.assertTrue(b["counts"] and b["pixel_versions"] and b["audit"])
        self.assertTrue([line for line in b["log"] if " dispatcher " in line], b["log"])
        self.assertIn("meta rejected (platform)", " ".join(b["summary"]))

    def test_what_is_equal_is_seen_to_be_equal(self):
        one, two = (json.loads(self.p.run("bundle", self.event()).stdout)["events"][0] for _ in range(2))
        mail = one["doc"]["user"]["email"]
        self.assertRegex(mail, "^<email:[0-9a-f]{12}>$")
        trace = json.dumps(one["deliveries"][0]["rule"]["trace"])
        self.assertIn(mail, trace)
        hashes = [one["deliveries"][i]["attempts"][0]["request"]["data"][0]["user_data"]["em"] for i in range(2)]
        flat = {h[0] if isinstance(h, list) else h for h in hashes}
        self.assertEqual(len(flat), 1, hashes)
        self.assertRegex(flat.pop(), "^<sha256:")
        self.assertNotEqual(mail, two["doc"]["user"]["email"])

    def test_a_pixel(self):
        path = os.path.join(self.p.home, "incident.json")
        said = self.p.run("bundle", "--pixel", "Shop/meta", "--since", "-2h", "--events", "2", "-o", path)
        self.assertIn("2 events", said.stdout)
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        with open(path) as f:
            b = json.load(f)
        b.pop("schema")
        self.clean(json.dumps(b, ensure_ascii=False))
        self.assertEqual(len(b["events"]), 2)
        for e in b["events"]:
            self.assertIn("rejected", {d["disposition"] for d in e["deliveries"]})
        self.assertIn("events: 2 of 4", " ".join(b["cut"]))
        self.assertEqual([p["name"] for p in b["pixels"]], ["meta"])
        self.assertIn("pixel meta (meta) is held: auth", b["summary"])
        again = self.p.run("bundle", "--pixel", "Shop/meta", "-o", path, ok=False)
        self.assertIn("is there already", again.stderr)
        late = json.loads(self.p.run("bundle", "--pixel", "Shop/meta", "--since", "-30m", "--until", "-20m").stdout)
        self.assertEqual(late["events"], [])

    def test_wrong_words(self):
        for args, status in (((), 2), (("1", "--pixel", "x"), 2), (("1", "--since", "-1h"), 2), (("99",), 3),
                             (("--pixel", "nobody"), 3), (("--pixel", "Shop/meta", "--events", "0"), 2),
                             (("--pixel", "Shop/meta", "--since", "-1h", "--until", "-2h"), 2)):
            p = self.p.run("bundle", *args, ok=False)
            self.assertEqual(p.returncode, status, (args, p.stderr))
            self.assertTrue(re.match("trackai bundle: .", p.stderr), p.stderr)


if __name__ == "__main__":
    unittest.main()
