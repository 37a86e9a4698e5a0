"""What stores, pixels and rules said before: versions with author, reason and changes from the audit
log, and back to one of them, for scripts."""
import unittest

from lib import Cluster, Program


class History(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster()
        cls.p = Program(cls.cluster)
        cls.p.run("migrate")
        cls.p.run("store", "add", "--name", "lamps", "--platform", "shopify", "--domain",
                  "lamps.myshopify.com", "--currency", "EUR", "--webhook-secret", "@/dev/stdin", stdin="first-secret")

    @classmethod
    def tearDownClass(cls):
        cls.p.destroy()
        cls.cluster.destroy()

    def refused(self, status, words, *args):
        p = self.p.run(*args, ok=False)
        self.assertEqual(p.returncode, status, p.stderr)
        self.assertIn(words, p.stderr)

    def test_a_store(self):
        self.p.run("store", "set", "lamps", "--consent", "required", "--note", "the lawyers asked")
        self.p.run("store", "set", "lamps", "--name", "lampen", "--basis", "net")
        self.p.run("store", "set", "lampen", "--webhook-secret", "@/dev/stdin", stdin="second-secret")
        all = self.p.json("store", "history", "lampen")
        self.assertEqual([v["version"] for v in all], [4, 3, 2, 1])
        self.assertEqual([v["current"] for v in all], [True, False, False, False])
        self.assertEqual(all[0]["changes"], {"webhook_secret": ["set", "set"]})
        self.assertEqual(all[1]["changes"], {"name": ["lamps", "lampen"], "basis": ["total", "net"]})
        self.assertEqual(all[2]["changes"], {"consent": ["optional", "required"]})
        self.assertEqual(all[2]["note"], "the lawyers asked")
        self.assertEqual(all[3]["changes"]["webhook_secret"], [None, "set"])
        self.assertEqual((all[3]["name"], all[3]["consent"], all[3]["basis"]), ("lamps", "optional", "total"))
        self.assertTrue(all[3]["author"].startswith("user:"))
        text = self.p.run("store", "history", "lampen")
        self.assertIn("the lawyers asked", text.stdout)
        self.assertIn("- basis: total", text.stdout)
        self.assertNotIn("secret-", text.stdout + str(all))
        self.assertNotIn("second-secret", text.stdout + str(all))

        before = self.p.json("store", "show", "lampen")
        out = self.p.json("store", "rollback", "lampen", "--to", "2", "--note", "net was wrong")
        self.assertEqual((out["name"], out["basis"], out["consent"], out["version"], out["note"]),
                         ("lamps", "total", "required", 5, "net was wrong"))
        now = self.p.json("store", "show", "lamps")
        self.assertEqual({k for k in now if now[k] != before[k]}, {"name", "basis", "version"})
        self.refused(3, "no version 17", "store", "rollback", "lamps", "--to", "17")
        self.refused(4, "nothing to take back", "store", "rollback", "lamps", "--to", "5")
        self.refused(2, "say which store", "store", "rollback", "lamps")
        self.refused(3, "there is no store", "store", "history", "nowhere")
        # the routers were told
        revs = self.cluster.sql("SELECT what FROM revision ORDER BY rev DESC LIMIT 1")
        self.assertEqual(revs, [["store.set lamps"]])

    def test_b_pixel(self):
        self.p.run("pixel", "add", "--store", "1", "--name", "pins", "--platform", "pinterest", "--account",
                   "549755885175", "--token", "@/dev/stdin", stdin="a-token")
        self.p.run("pixel", "set", "pins", "--test-code", "T1", "--note", "rehearsal")
        self.p.run("pixel", "set", "pins", "--test-code", "")
        all = self.p.json("pixel", "history", "pins")
        self.assertEqual([v["changes"].get("test_code") for v in all], [["T1", None], [None, "T1"], None])
        self.assertEqual(all[1]["note"], "rehearsal")
        out = self.p.json("pixel", "rollback", "pins", "--to", "2")
        self.assertEqual((out["test_code"], out["note"]), ("T1", "back to version 2"))
        self.assertEqual(self.p.json("pixel", "show", "pins")["token"], "set")

    def test_c_rule(self):
        self.p.run("rule", "add", "--name", "big", "--expr", "value > 50", "--action", "drop", "--note", "why not")
        self.p.run("rule", "set", "big", "--priority", "7")
        self.p.run("rule", "rollback", "big", "--to", "1")
        all = self.p.json("rule", "history", "big")
        self.assertEqual([v["priority"] for v in all], [100, 7, 100])
        notes = self.cluster.sql("SELECT note FROM audit WHERE object LIKE 'rule %' ORDER BY id")
        self.assertEqual(notes, [["why not"], [""], ["back to version 1"]])


if __name__ == "__main__":
    unittest.main()
