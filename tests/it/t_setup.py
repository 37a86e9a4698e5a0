"""A whole set-up from a script: stores, pixels, keys; validation, versions, audit, sealed secrets."""
import json
import os
import subprocess
import unittest

from lib import TRACKAI, OnCluster, mortal, wait_until


class Setup(OnCluster):
    def refused(self, status, words, *args, stdin=None):
        p = self.p.run(*args, ok=False, stdin=stdin)
        self.assertEqual(p.returncode, status, p.stderr)
        self.assertIn(words, p.stderr)
        return p

    def test_00_unmigrated(self):
        self.refused(2, "trackai migrate", "store", "list")

    def test_01_migrate_makes_keys(self):
        out = self.p.run("migrate").stdout
        self.assertIn("made the ingest key", out)
        keys = os.path.join(self.p.home, "keys")
        self.assertEqual(os.stat(keys).st_mode & 0o777, 0o700)
        for name in ("ingest.key", "deliver.key"):
            self.assertEqual(os.stat(os.path.join(keys, name)).st_mode & 0o777, 0o600)
        self.assertEqual(len(self.cluster.sql("SELECT purpose FROM sealing_key")), 2)
        self.assertNotIn("made", self.p.run("migrate").stdout)

    def test_02_store(self):
        p = self.p.run("store", "add", "--name", "Shop", "--platform", "shopify", "--domain",
                       "Demo.myshopify.com", "--webhook-secret", "hush", "--currency", "eur")
        self.assertIn("others can read it", p.stderr)
        rows = self.p.json("store", "list")
        self.assertEqual(len(rows), 1)
        s = rows[0]
        self.assertEqual((s["id"], s["name"], s["domain"], s["currency"], s["timezone"], s["consent"],
                          s["purchase_on"], s["webhook_secret"], s["send_pos"], s["version"]),
                         ("1", "Shop", "demo.myshopify.com", "EUR", "UTC", "optional", "created", "set",
                          False, 1))
        self.assertEqual(self.cluster.sql("SELECT webhook_secret LIKE '%hush%' FROM "
                                          "(SELECT encode(webhook_secret, 'escape') AS webhook_secret "
                                          "FROM store) s"), [["f"]])
        self.assertEqual(self.cluster.sql("SELECT octet_length(webhook_secret) FROM store"), [["73"]])

    def test_03_store_refusals(self):
        add = ("store", "add", "--name", "B", "--platform", "shopify", "--currency", "EUR")
        self.refused(4, "myshopify.com", *add, "--domain", "shop.example.com")
        self.refused(4, "domain", *add)
        self.refused(4, "currency", "store", "add", "--name", "B", "--platform", "custom")
        self.refused(4, "ISO 4217", "store", "add", "--name", "B", "--platform", "custom", "--currency", "E1R")
        self.refused(4, "time zone", "store", "add", "--name", "B", "--platform", "custom", "--currency", "EUR",
                     "--timezone", "Europe/Nowhere")
        self.refused(4, "same name", "store", "add", "--name", "Shop", "--platform", "custom", "--currency",
                     "EUR")
        self.refused(4, "none of", "store", "add", "--name", "B", "--platform", "ebay", "--currency", "EUR")
        self.refused(4, "slash", "store", "add", "--name", "a/b", "--platform", "custom", "--currency", "EUR")
        self.refused(2, "unknown option", "store", "add", "--nmae", "B")
        self.refused(2, "no verb", "store", "ad")
        self.refused(3, "there is no store", "store", "show", "Nope")
        self.assertEqual(len(self.p.json("store", "list")), 1)

    def test_04_store_set(self):
        before = self.cluster.sql("SELECT webhook_secret FROM store")
        with open(os.path.join(self.p.home, "s"), "w") as f:
            f.write("new secret\n")
        s = self.p.json("store", "set", "Shop", "--timezone", "Europe/Berlin", "--webhook-secret",
                        "@" + os.path.join(self.p.home, "s"))
        self.assertEqual((s["timezone"], s["version"]), ("Europe/Berlin", 2))
        self.assertEqual(self.cluster.sql("SELECT webhook_secret_prev FROM store"), before)
        self.assertNotEqual(self.cluster.sql("SELECT webhook_secret FROM store"), before)
        self.refused(4, "changed meanwhile", "store", "set", "1", "--consent", "required", "--version", "1")
        self.refused(4, "cannot be changed", "store", "set", "1", "--platform", "custom")
        s = self.p.json("store", "set", "1", "--consent", "required", "--version", "2")
        self.assertEqual((s["consent"], s["version"]), ("required", 3))

    def test_05_pixels(self):
        for platform, account in (("pinterest", "549755885175"), ("meta", "1234567890"), ("tiktok", "C4ABC")):
            p = self.p.run("pixel", "add", "--store", "Shop", "--platform", platform, "--account", account,
                           "--token", "-", stdin=f"token of {platform}\n")
            self.assertEqual(p.stderr, "")
        rows = self.p.json("pixel", "list")
        self.assertEqual([r["name"] for r in rows], ["meta", "pinterest", "tiktok"])
        self.assertEqual(rows[1]["store"], "Shop")
        self.assertEqual(rows[1]["token"], "set")
        self.assertEqual(rows[1]["state"], "active")
        self.p.run("pixel", "add", "--store", "Shop", "--platform", "meta", "--account", "2", "--token", "t")
        self.assertEqual(self.p.json("pixel", "show", "Shop/meta-2")["account"], "2")
        self.refused(4, "token", "pixel", "add", "--store", "Shop", "--platform", "meta", "--account", "3")
        self.refused(3, "no store", "pixel", "add", "--store", "X", "--platform", "meta", "--account", "3",
                     "--token", "t")
        self.refused(4, "letters, digits", "pixel", "add", "--store", "Shop", "--platform", "meta", "--account",
                     "a/../b", "--token", "t")

    def test_06_pixel_versions(self):
        p = self.p.json("pixel", "set", "Shop/meta-2", "--test-code", "TEST1")
        self.assertEqual((p["test_code"], p["version"]), ("TEST1", 2))
        p = self.p.json("pixel", "set", "Shop/meta-2", "--test-code", "")
        self.assertEqual((p["test_code"], p["version"]), (None, 3))
        rows = self.cluster.sql("SELECT v.version, settings->>'test_code' FROM pixel_version v JOIN pixel p ON "
                                "p.id = v.pixel_id WHERE p.name = 'meta-2' ORDER BY 1")
        self.assertEqual(rows, [["1", ""], ["2", "TEST1"], ["3", ""]])
        self.p.run("pixel", "delete", "Shop/meta-2")
        self.assertEqual(len(self.p.json("pixel", "list")), 3)
        self.refused(3, "there is no pixel", "pixel", "show", "Shop/meta-2")

    def test_07_hold_without_serve(self):
        self.refused(5, "serve is not running", "pixel", "hold", "Shop/meta")
        self.assertEqual(self.cluster.sql("SELECT kind, args::json->>'pixel' FROM command"),
                         [["pixel.hold", self.p.json("pixel", "show", "meta")["id"]]])

    def test_07_z_hold_with_a_slow_serve(self):
        """A dispatcher that shows that it lives is waited for."""
        self.cluster.sql("INSERT INTO heartbeat VALUES ('dispatcher', 'slow:1', 1, 9000000000000000, true, '{}')")
        p = subprocess.Popen(mortal([TRACKAI, "pixel", "hold", "Shop/meta"]), env=self.p.env,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        wait_until(lambda: p.poll() is not None or self.cluster.sql(
            "SELECT 1 FROM pg_stat_activity WHERE query LIKE '%FROM heartbeat h, command c%' AND pid <> "
            "pg_backend_pid()"), what="a look at the heartbeats")
        self.cluster.sql("UPDATE command SET done_us = 1, ok = false, answer = 'not today'")
        err = p.communicate()[1]
        self.cluster.sql("DELETE FROM heartbeat; DELETE FROM command WHERE id > 1")
        self.assertEqual(p.returncode, 4, err)
        self.assertIn("not today", err)

    def test_08_keys(self):
        k = self.p.json("key", "add", "--store", "Shop", "--scope", "track")
        self.assertEqual(set(k), {"id", "key"})
        self.assertRegex(k["key"], r"^ta_live_[0-9a-f]{48}$")
        pub = self.p.json("key", "add", "--store", "Shop", "--scope", "public")
        rows = self.p.json("key", "list")
        self.assertEqual(rows[0]["key"], k["key"][:12])
        self.assertEqual(rows[1]["key"], pub["key"])
        self.assertEqual(self.cluster.sql("SELECT hash = sha256(convert_to('%s', 'UTF8')) FROM api_key "
                                          "WHERE id = %s" % (k["key"], k["id"])), [["t"]])
        self.p.run("key", "revoke", k["id"])
        self.assertIsNotNone(self.p.json("key", "list")[0]["revoked"])
        self.refused(4, "none of", "key", "add", "--store", "Shop", "--scope", "root")

    def test_12_rules(self):
        r = self.p.json("rule", "add", "--expr", "value >= 50 EUR", "--action", "send", "--store", "Shop",
                        "--pixel", "meta", "--note", "only the large ones")
        self.assertEqual((r["name"], r["priority"], r["store"], r["pixel"], r["version"], r["enabled"]),
                         ("rule-" + r["id"], 100, "Shop", "Shop/meta", 1, True))
        json.loads(r["logic"])
        q = self.p.json("rule", "add", "--name", "No tests", "--logic", '{"==":[{"var":"test"},true]}',
                        "--action", "drop", "--priority", "1")
        self.assertEqual(q["expr"], "test == true")
        self.assertEqual([x["id"] for x in self.p.json("rule", "list")], [q["id"], r["id"]])
        r2 = self.p.json("rule", "set", r["id"], "--expr", "value >= 80 EUR", "--version", "1")
        self.assertEqual((r2["version"], r2["expr"], r2["note"]), (2, "value >= 80 EUR", r["note"]))
        rows = self.cluster.sql(f"SELECT version, from_rev, to_rev FROM rule WHERE id = {r['id']} ORDER BY 1")
        self.assertEqual(rows[0][2], rows[1][1])
        self.assertEqual(rows[1][2], "")
        self.refused(4, "changed meanwhile", "rule", "set", r["id"], "--priority", "5", "--version", "1")
        self.refused(4, "at character", "rule", "add", "--expr", "value >=", "--action", "send")
        self.refused(4, "expr", "rule", "add", "--action", "send")
        self.refused(4, "expr", "rule", "add", "--expr", "vlaue > 1", "--action", "send")
        self.refused(4, "is named", "rule", "add", "--expr", "test", "--action", "send", "--name", "No tests")
        self.refused(3, "no pixel", "rule", "add", "--expr", "test", "--action", "send", "--pixel", "nix")
        self.p.run("rule", "delete", "No tests")
        self.assertEqual(len(self.p.json("rule", "list")), 1)
        self.refused(4, "still has", "store", "delete", "Shop")

    def test_13_rule_eval_needs_no_database(self):
        keep = self.p.env.pop("TRACKAI_DATABASE")
        out = json.loads(self.p.run("rule", "eval", "--expr", "value >= 50", "--data",
                                    '{"value": 60}', "--json").stdout)
        self.assertEqual((out["result"], out["trace"][0]["seen"]), (True, 60))
        self.assertEqual(out["logic"], {">=": [{"var": "value"}, 50]})
        out = json.loads(self.p.run("rule", "eval", "--logic", '{"==":[1,2]}', "--json").stdout)
        self.assertFalse(out["result"])
        self.refused(2, "--expr or --logic", "rule", "eval")
        self.refused(4, "not JSON", "rule", "eval", "--expr", "a", "--data", "{")
        self.assertIn("^", self.refused(4, "expected", "rule", "eval", "--expr", "a == (x").stderr)
        self.p.env["TRACKAI_DATABASE"] = keep

    def test_14_conf(self):
        conf = self.p.json("conf")
        self.assertEqual(conf["listen"], {"value": f"127.0.0.1:{self.p.port}", "origin": "TRACKAI_LISTEN"})
        self.assertEqual(conf["key dir"], {"value": self.p.home + "/keys", "origin": "default"})
        keep = self.p.env["TRACKAI_DATABASE"]
        for url in ("postgresql://u:geheim@h/d", "host=h password=geheim"):
            self.p.env["TRACKAI_DATABASE"] = url
            self.assertNotIn("geheim", self.p.run("conf").stdout)
        del self.p.env["TRACKAI_DATABASE"]
        self.assertEqual(self.p.json("conf")["database"]["value"], "private, in " + self.p.home)
        self.p.env["TRACKAI_DATABASE"] = keep

    def test_09_audit_and_revisions(self):
        rows = self.cluster.sql("SELECT action, object, before, after FROM audit ORDER BY id")
        actions = [r[0] for r in rows]
        self.assertEqual(actions, ["store.add", "store.set", "store.set"] + ["pixel.add"] * 4 +
                         ["pixel.set", "pixel.set", "pixel.delete", "key.add", "key.add", "key.revoke"])
        self.assertEqual(json.loads(rows[2][2]), {"consent": "optional"})
        self.assertEqual(json.loads(rows[2][3]), {"consent": "required"})
        self.assertEqual(json.loads(rows[1][3]), {"timezone": "Europe/Berlin", "webhook_secret": "set"})
        everything = json.dumps(rows)
        for secret in ("hush", "new secret", "token of"):
            self.assertNotIn(secret, everything)
        self.assertEqual(self.cluster.sql("SELECT count(*) FROM revision"), [[str(len(rows))]])

    def test_10_delete(self):
        self.refused(4, "still has pixels", "store", "delete", "Shop")
        self.p.run("store", "add", "--name", "Empty", "--platform", "custom", "--currency", "JPY")
        self.p.run("store", "delete", "Empty")
        self.assertEqual(len(self.p.json("store", "list")), 1)

    def test_11_list_for_people(self):
        out = self.p.run("pixel", "list").stdout.splitlines()
        self.assertEqual(len(out), 4)
        self.assertTrue(out[0].startswith("id  store"))


if __name__ == "__main__":
    unittest.main()
