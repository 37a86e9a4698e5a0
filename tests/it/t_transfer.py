"""Export and import: one document goes round without a change, secrets only under a passphrase, every
problem is named, nothing is half done."""
import copy
import json
import os
import unittest

from lib import Cluster, Program

PASS = "a passphrase of some length"


class Transfer(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.a, cls.b = Cluster(), Cluster()
        cls.p, cls.q = Program(cls.a), Program(cls.b)
        cls.p.run("migrate")
        cls.q.run("migrate")
        for name, domain, zone in (("Shop", "demo.myshopify.com", "Europe/Berlin"),
                                   ("acme-de", "acme.myshopify.com", "UTC")):
            cls.p.run("store", "add", "--name", name, "--platform", "shopify", "--domain", domain,
                      "--currency", "EUR", "--timezone", zone, "--webhook-secret", "-", stdin="hush " + name)
        cls.p.run("store", "add", "--name", "bücher", "--platform", "custom", "--currency", "JPY",
                  "--send-pos", "true")
        for store, platform, account in (("Shop", "pinterest", "549755885175"), ("Shop", "meta", "1234567890"),
                                         ("acme-de", "tiktok", "C4ABC")):
            cls.p.run("pixel", "add", "--store", store, "--platform", platform, "--account", account,
                      "--token", "-", stdin=f"token of {store} {platform}")
        cls.p.run("rule", "add", "--name", "no tests", "--expr", "test", "--action", "drop", "--priority", "1")
        cls.p.run("rule", "add", "--name", "z large", "--expr", 'value >= 50 EUR and utm.source == "pin"',
                  "--action", "send", "--store", "Shop", "--pixel", "meta", "--note", "only large \"ones\"")
        cls.p.run("rule", "add", "--name", "a small", "--expr", "value < 1 EUR", "--action", "hold",
                  "--with", "2h", "--platform", "tiktok", "--enabled", "false", "--shadow", "true")

    @classmethod
    def tearDownClass(cls):
        for one in (cls.p, cls.q, cls.a, cls.b):
            one.destroy()

    def setUp(self):
        self.pass_file = os.path.join(self.p.home, "pass")
        with open(self.pass_file, "w") as f:
            f.write(PASS + "\n")

    def write(self, doc, name="doc.json"):
        path = os.path.join(self.p.home, name)
        with open(path, "w") as f:
            f.write(doc if isinstance(doc, str) else json.dumps(doc))
        return path

    def export(self, p=None, *args):
        return (p or self.p).run("export", *args).stdout

    def problems(self, doc, *args, p=None):
        """{path: rule} of a document that is refused, which changes nothing."""
        p = p or self.p
        before = self.export(p)
        done = p.run("import", self.write(doc, "broken.json"), "--json", *args, ok=False)
        self.assertEqual(done.returncode, 4, done.stderr)
        out = json.loads(done.stdout)
        self.assertFalse(out["applied"])
        self.assertEqual(self.export(p), before)
        self.assertIn("nothing was changed", done.stderr)
        dry = p.run("import", "-", "--json", "--dry-run", *args, ok=False,
                    stdin=doc if isinstance(doc, str) else json.dumps(doc))
        self.assertEqual((dry.returncode, json.loads(dry.stdout)["problems"]), (4, out["problems"]))
        return {x["path"]: x["rule"] for x in out["problems"]}

    def state(self, c):
        return c.sql("SELECT (SELECT max(rev) FROM revision), (SELECT count(*) FROM audit), "
                     "(SELECT sum(version) FROM store), (SELECT sum(version) FROM pixel), "
                     "(SELECT count(*) FROM rule)")

    def test_01_document(self):
        text = self.export()
        doc = json.loads(text)
        self.assertEqual(list(doc), ["format", "version", "stores", "pixels", "rules"])
        self.assertEqual([s["name"] for s in doc["stores"]], ["Shop", "acme-de", "bücher"])
        self.assertEqual([(x["store"], x["name"]) for x in doc["pixels"]],
                         [("Shop", "meta"), ("Shop", "pinterest"), ("acme-de", "tiktok")])
        self.assertEqual([r["name"] for r in doc["rules"]], ["no tests", "z large", "a small"])
        self.assertRegex(doc["stores"][0]["uid"], "^[0-9a-f]{32}$")
        self.assertEqual((doc["rules"][1]["pixel"], doc["rules"][1]["priority"], doc["rules"][2]["enabled"],
                          doc["rules"][0]["store"], doc["rules"][2]["with"], doc["rules"][2]["shadow"]),
                         ("Shop/meta", 100, False, None, "2h", True))
        for word in ("hush", "token of", '"id"', "author", '"created":', "since_id"):
            self.assertNotIn(word, text)
        path = os.path.join(self.p.home, "out.json")
        self.p.run("export", "--file", path)
        with open(path) as f:
            self.assertEqual((f.read(), os.stat(path).st_mode & 0o777), (text, 0o600))
        self.assertFalse(os.path.exists(path + ".part"))

    def test_02_nothing_to_do(self):
        before = self.state(self.a)
        out = json.loads(self.p.run("import", self.write(self.export()), "--json").stdout)
        self.assertEqual(out["counts"], {"added": 0, "changed": 0, "unchanged": 9, "removed": 0, "kept": 0})
        self.assertTrue(out["applied"])
        self.assertEqual(self.state(self.a), before)

    def test_03_round_trip(self):
        text = self.export()
        dry = json.loads(self.q.run("import", self.write(text), "--dry-run", "--json").stdout)
        self.assertEqual((dry["counts"]["added"], dry["applied"]), (9, False))
        self.assertEqual(self.q.json("store", "list"), [])
        said = self.q.run("import", self.write(text)).stdout
        self.assertIn("9 added, 0 changed, 0 removed, 0 unchanged", said)
        self.assertEqual(self.export(self.q), text)
        self.assertEqual(self.b.sql("SELECT count(*), count(DISTINCT rev) FROM revision"), [["1", "1"]])
        self.assertEqual(self.b.sql("SELECT count(*) FROM audit WHERE action ~ '[.]add$'"), [["9"]])
        self.assertEqual(self.b.sql("SELECT count(*) FROM pixel WHERE token IS NULL"), [["3"]])
        # A pixel without a token takes one later, like any other change.
        self.q.run("pixel", "set", "Shop/meta", "--token", "-", stdin="later")
        again = json.loads(self.q.run("import", self.write(text), "--json").stdout)
        self.assertEqual(again["counts"]["unchanged"], 9)
        self.assertEqual(self.q.json("pixel", "show", "Shop/meta")["token"], "set")

    def test_04_secrets(self):
        secret = ("--with-secrets", "--passphrase-file", self.pass_file)
        text = self.export(None, *secret)
        self.assertEqual(text, self.export(None, *secret))
        self.assertNotIn("hush", text)
        doc = json.loads(text)
        self.assertEqual((doc["secrets"]["kdf"], doc["secrets"]["cost"]), ("scrypt", 17))
        path = self.write(text, "secret.json")
        for args, status, words in (((), 2, "--passphrase-file"),
                                    (("--passphrase-file", self.write("another one\n", "p2")), 4, "passphrase"),
                                    (("--passphrase-file", self.write("short\n", "p2")), 4, "8 to")):
            done = self.q.run("import", path, *args, ok=False)
            self.assertEqual(done.returncode, status, done.stderr)
            self.assertIn(words, done.stderr)
        out = json.loads(self.q.run("import", path, "--json", "--passphrase-file", self.pass_file).stdout)
        changed = {r["name"]: r["fields"] for r in out["rows"] if r["change"] == "changed"}
        self.assertEqual(set(changed), {"Shop", "acme-de", "Shop/meta", "Shop/pinterest", "acme-de/tiktok"})
        self.assertEqual(changed["Shop/meta"], {"token": {"before": "set", "after": "set"}})
        self.assertEqual(self.export(self.q, *secret), text)
        again = json.loads(self.q.run("import", path, "--json", "--passphrase-file", self.pass_file).stdout)
        self.assertEqual(again["counts"]["unchanged"], 9)
        # An edited row keeps its secrets; names that are not there are named.
        doc["pixels"].pop()
        self.assertEqual(list(self.problems(doc, "--passphrase-file", self.pass_file, p=self.q)),
                         ["$.secrets: pixels.acme-de/tiktok"])
        doc["secrets"]["data"] = doc["secrets"]["data"][:-8] + "AAAAAAA="
        done = self.q.run("import", "-", "--passphrase-file", self.pass_file, ok=False, stdin=json.dumps(doc))
        self.assertEqual(done.returncode, 4)
        done = self.p.run("export", "--with-secrets", ok=False)
        self.assertEqual(done.returncode, 2)

    def test_05_changes(self):
        doc = json.loads(self.export())
        doc["stores"][1]["timezone"] = "Europe/Paris"
        doc["pixels"][0]["test_code"] = "T1"
        del doc["rules"][0]
        doc["rules"].append({"name": "new", "pixel": "pinterest", "store": "Shop", "expr": "currency = USD",
                             "action": "drop"})
        before = self.state(self.a)
        dry = self.p.run("import", self.write(doc), "--dry-run")
        self.assertIn("~ store acme-de\n    timezone: UTC -> Europe/Paris\n", dry.stdout)
        self.assertIn("would be: 1 added, 2 changed, 0 removed, 6 unchanged\n1 are not in the document",
                      dry.stdout)
        self.assertEqual(self.state(self.a), before)
        out = json.loads(self.p.run("import", self.write(doc), "--json").stdout)
        rows = {(r["change"], r["name"]): r["fields"] for r in out["rows"]}
        self.assertEqual(rows["changed", "Shop/meta"], {"test_code": {"before": None, "after": "T1"}})
        self.assertEqual(rows["added", "new"]["pixel"], {"before": None, "after": "Shop/pinterest"})
        self.assertEqual(rows["added", "new"]["expr"]["after"], 'currency == "USD"')
        self.assertIn(("kept", "no tests"), rows)
        self.assertEqual(self.p.json("rule", "show", "new")["priority"], 100)
        again = json.loads(self.p.run("import", self.write(doc), "--json").stdout)
        self.assertEqual(again["counts"], {"added": 0, "changed": 0, "unchanged": 9, "removed": 0, "kept": 1})
        self.assertEqual(self.a.sql("SELECT what FROM revision ORDER BY rev DESC LIMIT 1"),
                         [["import doc.json"]])
        self.assertEqual(self.a.sql("SELECT count(DISTINCT from_rev) FROM rule WHERE name = 'new'"), [["1"]])

    def test_06_prune(self):
        doc = json.loads(self.export())
        doc["rules"] = [r for r in doc["rules"] if r["name"] == "no tests"]
        doc["pixels"] = [x for x in doc["pixels"] if x["store"] != "acme-de"]
        doc["stores"] = [s for s in doc["stores"] if s["name"] != "acme-de"]
        dry = self.p.run("import", self.write(doc), "--dry-run", "--prune").stdout
        for line in ("- rule new", "- pixel acme-de/tiktok", "- store acme-de", "5 removed"):
            self.assertIn(line, dry)
        self.p.run("import", self.write(doc), "--prune")
        self.assertEqual(json.loads(self.export()), doc)
        # A list that is not there prunes nothing.
        del doc["rules"]
        self.p.run("import", self.write(doc), "--prune")
        self.assertEqual(len(self.p.json("rule", "list")), 1)

    def test_07_problems(self):
        good = json.loads(self.export())
        bad = copy.deepcopy(good)
        bad["stores"][0].update(currency="E1R", timezone=7, webhook_secret="clear text", colour="red", uid="x")
        bad["stores"].append({"platform": "ebay"})
        bad["pixels"][0]["content_id"] = "ean"
        bad["pixels"].append({"store": "nowhere", "name": "x", "platform": "meta", "account": "1"})
        bad["pixels"].append(good["pixels"][0])
        bad["rules"][0]["priority"] = "first"
        bad["rules"][0]["expr"] = "value >> 3"
        bad["rules"].append({"name": "r2", "expr": "value >", "action": "send", "author": "me"})
        bad["rules"].append({"name": "r3", "expr": "true", "action": "send", "store": "3", "pixel": "Shop/x"})
        bad["extra"] = 1
        found = self.problems(bad)
        self.assertEqual(sorted(found), sorted([
            "$.stores[0].currency", "$.stores[0].timezone", "$.stores[0].webhook_secret",
            "$.stores[0].colour", "$.stores[0].uid", "$.stores[2]", "$.stores[2].platform",
            "$.pixels[0].content_id", "$.pixels[2].store", "$.pixels[3].name", "$.rules[0].priority",
            "$.rules[0].expr", "$.rules[1].expr", "$.rules[1].author", "$.rules[2].store", "$.rules[2].pixel",
            "$.extra"]))
        self.assertIn("ISO 4217", found["$.stores[0].currency"])
        self.assertIn("set by the program", found["$.rules[1].author"])
        self.assertNotIn("clear text", self.p.run("import", self.write(bad), ok=False).stderr)

    def test_08_not_documents(self):
        for text, path, words in (("{\n  \"format\": nope", "$", "line 2, column 13"), ("[]", "$", "object"),
                                  ("[" * 100, "$", "nested"), ('{"format":"x"}', "$.format", "trackai-export"),
                                  ('{"format":"trackai-export","version":2}', "$.version", "newer"),
                                  ('{"format":"trackai-export","version":1,"rules":{}}', "$.rules", "list"),
                                  ('{"format":"trackai-export","version":1,"rules":[],"rules":[]}', "$.rules",
                                   "twice")):
            found = self.problems(text)
            self.assertEqual(list(found), [path], text[:40])
            self.assertIn(words, found[path])
        done = self.p.run("import", "/nonexistent", ok=False)
        self.assertEqual(done.returncode, 5)
        self.assertEqual(self.p.run("import", ok=False).returncode, 2)

    def test_09_fixed_and_taken(self):
        doc = json.loads(self.export())
        doc["stores"][0]["platform"] = "custom"
        uid = doc["stores"][1]["uid"]
        doc["stores"].append({"name": "copy", "platform": "custom", "currency": "EUR", "uid": uid})
        found = self.problems(doc)
        self.assertEqual(list(found), ["$.stores[0].platform", "$.stores[2].uid"])
        self.assertIn("cannot be changed", found["$.stores[0].platform"])

    def test_10_members_left_out_stay(self):
        doc = {"format": "trackai-export", "version": 1,
               "pixels": [{"store": "Shop", "name": "meta", "account": "77"}]}
        out = json.loads(self.p.run("import", "-", "--json", stdin=json.dumps(doc)).stdout)
        rows = [r for r in out["rows"] if r["change"] != "kept"]
        self.assertEqual([(r["name"], list(r["fields"])) for r in rows], [("Shop/meta", ["account"])])
        self.assertEqual(self.p.json("pixel", "show", "Shop/meta")["test_code"], "T1")

    def test_11_order_of_rules(self):
        doc = {"format": "trackai-export", "version": 1,
               "rules": [{"name": "first", "expr": "test", "action": "send"}]}
        self.q.run("import", "-", stdin=json.dumps(doc))
        doc["rules"].insert(0, {"name": "zero", "expr": "test", "action": "drop"})
        done = self.q.run("import", "-", stdin=json.dumps(doc))
        self.assertIn("rules zero and first have the same priority", done.stderr)

    def test_12_a_rule_without_a_name_takes_a_free_one(self):
        """rule-ID may be the name that another rule had where it came from."""
        n = int(self.b.sql("SELECT last_value FROM rule_id_seq")[0][0]) + 2
        doc = {"format": "trackai-export", "version": 1,
               "rules": [{"name": f"rule-{n}", "expr": "test", "action": "send"}]}
        self.q.run("import", "-", stdin=json.dumps(doc))
        r = self.q.json("rule", "add", "--expr", "test", "--action", "send")
        self.assertEqual((r["id"], r["name"]), (str(n), f"rule-{n}-2"))
        self.export(self.q)


if __name__ == "__main__":
    unittest.main()
