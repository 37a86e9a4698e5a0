"""Test sends (trackai pixel test): one stored event through a pixel's live or draft settings in the
platform's test mode. What counts: the exact exchange comes back, secrets do not, and the live
traffic, its books and the platforms' real events know nothing of it."""
import json
import threading
import unittest

from lib import Cluster, Program, Sandbox, wait_until
from delivering import NOW, PLATFORMS, PUT, Stub, took_all


class PixelTest(unittest.TestCase):
    def setUp(self):
        self.cluster = Cluster()
        self.addCleanup(self.cluster.destroy)
        self.put_so_far = 0

    def tearDown(self):
        for word in ("Sanitizer", "runtime error", "broken invariant"):
            self.assertNotIn(word, self.p.output())

    def begin(self, urls=None, fault=None, platforms=PLATFORMS):
        self.sandbox = None
        if urls is None:
            self.sandbox = Sandbox(clock=NOW, fault=fault)
            self.addCleanup(self.sandbox.stop)
            urls = self.sandbox.urls
        self.p = Program(self.cluster, clock=NOW, **urls)
        self.addCleanup(self.p.destroy)
        self.p.run("migrate")
        self.cluster.sql(PUT)
        self.p.run("store", "add", "--name", "shop", "--platform", "shopify", "--domain", "shop.myshopify.com",
                   "--webhook-secret", "s", "--currency", "EUR")
        for platform in platforms:
            self.p.run("pixel", "add", "--store", "shop", "--platform", platform, "--account", "1234567",
                       "--token", "token-shop")

    def serve(self):
        serve = self.p.start("serve", "--roles", "dispatcher")
        self.p.active("dispatcher")
        return serve

    def put(self, n=1, email="buyer#@example.com", age=0):
        """Events of the store without routes: nothing is live."""
        us = self.cluster.sql("SELECT greatest(max(created_us) + 1000000, (SELECT max(received_us) + 1 FROM event)) "
                              "FROM store")[0][0]
        self.cluster.sql(f"SELECT t_put(1, {self.put_so_far + 1}, {n}, {us}, {age}, '{email}'); DELETE FROM route")
        self.put_so_far += n
        return self.cluster.sql("SELECT max(id) FROM event")[0][0]

    def one(self, sql):
        return self.cluster.sql(sql)[0][0]

    def send(self, *args, ok=True):
        p = self.p.run("pixel", "test", *args, "--json", ok=False)
        if ok:
            self.assertEqual(p.returncode, 0, p.stderr)
            return json.loads(p.stdout)
        return p.returncode, p.stderr, p.stdout

    def check_untouched(self):
        for table in ("route", "inflight", "retry", "verdict", "attempt", "tally"):
            self.assertEqual(self.one(f"SELECT count(*) FROM {table}"), "0", table)
        self.assertEqual(self.one("SELECT count(*) FROM pixel WHERE state <> 'active'"), "0")

    def test_each_platform(self):
        self.begin()
        self.serve()
        event = self.put(3)
        for platform in PLATFORMS:
            code = () if platform == "pinterest" else ("--test-code", "TEST77")
            got = self.send(platform, *code)
            self.assertEqual((got["platform"], got["event"], got["http"], got["verdict"], got["class"]),
                             (platform, event, 200, "delivered", "ok"))
            self.assertTrue(got["wire_id"].startswith("test-"))
            self.assertEqual(got["live"], platform == "pinterest")
            self.assertTrue(json.loads(got["answer"]))
            head, body = got["request"].split("\n\n", 1)
            self.assertNotIn("token-shop", got["request"])
            self.assertIn("***", got["request"])
            sent = json.loads(body)
            self.assertEqual(sent["data"][0]["event_id"], got["wire_id"])
            self.assertEqual("?test=true" in head, platform == "pinterest")
            self.assertEqual(sent.get("test_event_code"), None if platform == "pinterest" else "TEST77")
            taken = self.sandbox.received(platform)
            self.assertEqual([(e["event_id"], e["test"]) for e in taken], [(got["wire_id"], True)])
        self.check_untouched()
        self.assertEqual(self.one("SELECT count(*) FROM command WHERE position('token-shop' IN answer || args) > 0"), "0")
        audit = self.cluster.sql("SELECT object, after FROM audit WHERE action = 'pixel.test' ORDER BY id")
        self.assertEqual(audit[0][0], "pixel 1 (pinterest)")
        self.assertEqual(json.loads(audit[1][1]), {"event": event, "draft": "test_code", "http": 200,
                                                   "verdict": "delivered"})

    def test_drafts(self):
        self.begin()
        self.serve()
        first = self.put()
        self.put()
        got = self.send("pinterest", "--event", first, "--account", "7654321", "--content-id", "sku",
                        "--token", "another-token")
        self.assertEqual(got["event"], first)
        self.assertIn("/ad_accounts/7654321/events?test=true", got["request"])
        self.assertNotIn("another-token", self.one("SELECT args || answer FROM command"))
        self.assertEqual(self.p.json("pixel", "show", "pinterest")["account"], "1234567")
        self.p.run("pixel", "set", "meta", "--test-code", "LIVE1")
        self.assertIn('"test_event_code":"LIVE1"', self.send("meta")["request"])
        status, err, _ = self.send("meta", "--test-code", "", ok=False)
        self.assertEqual(status, 4)
        self.assertIn("only under a test code", err)
        status, err, _ = self.send("meta", "--content-id", "colour", ok=False)
        self.assertEqual(status, 4)
        self.assertIn("content_id", err)

    def test_refusals(self):
        self.begin()
        status, err, _ = self.send("meta", ok=False)
        self.assertEqual(status, 5)
        self.assertIn("no dispatcher took the order", err)
        self.serve()
        wait_until(lambda: self.one("SELECT count(*) FROM heartbeat WHERE role = 'dispatcher'") == "1", what="serve")
        self.assertEqual(self.one("SELECT count(*) FROM command WHERE done_us IS NULL"), "0")
        for args, want, words in ((("tiktok",), 4, "only under a test code"), (("pinterest",), 4, "no events yet"),
                                  (("pinterest", "--event", "12345"), 3, "no event 12345"),
                                  (("nobody",), 3, "no pixel")):
            status, err, _ = self.send(*args, ok=False)
            self.assertEqual(status, want, err)
            self.assertIn(words, err)
        self.put(2, age=30 * 86400)
        status, err, _ = self.send("pinterest", ok=False)
        self.assertEqual(status, 4)
        self.assertIn("none of the newest 2 events", err)
        self.assertIn("Pinterest takes 7 days", err)
        event = self.put()
        doc = ('{"v":1,"event":"purchase","source":"shopify","event_time":1795344000,"value":"1.00","currency":"EUR",'
               '"consent":{"ads":false},"user":{"email":"a@example.com"}}')
        self.cluster.sql(f"UPDATE event_doc SET doc = t_lz('{doc}') WHERE id = {event}")
        status, err, _ = self.send("pinterest", "--event", event, ok=False)
        self.assertEqual(status, 4)
        self.assertIn("denied consent", err)
        self.check_untouched()

    def test_what_the_platform_refuses(self):
        self.begin(fault="meta:auth")
        self.serve()
        self.put()
        status, _, out = self.send("meta", "--test-code", "T1", ok=False)
        got = json.loads(out)
        self.assertEqual((status, got["class"], got["verdict"]), (1, "auth", "held"))
        self.assertGreaterEqual(got["http"], 400)
        self.check_untouched()  # the pixel goes on

    def test_a_slow_platform_blocks_nobody(self):
        hang = threading.Event()
        self.addCleanup(hang.set)

        def answer(body):
            if b"test-" in body:
                hang.wait(30)
            return took_all(body)
        stub = Stub(answer)
        self.addCleanup(stub.close)
        self.begin(urls={"TRACKAI_META_URL": stub.url}, platforms=("meta",))
        self.serve()
        self.put()
        done = []
        slow = threading.Thread(target=lambda: done.append(self.send("meta", "--test-code", "T1")))
        slow.start()
        wait_until(lambda: stub.seen, what="the test send")
        us = self.one("SELECT max(received_us) + 1 FROM event")
        self.cluster.sql(f"SELECT t_put(1, 100, 50, {us}, 0, 'buyer#@example.com')")
        wait_until(lambda: self.one("SELECT count(*) FROM verdict WHERE after = 3") == "50", what="the live events")
        self.assertFalse(done)
        hang.set()
        slow.join(30)
        self.assertEqual(done[0]["verdict"], "delivered")

    def test_no_answer(self):
        stub = Stub(lambda body: None)
        self.addCleanup(stub.close)
        self.begin(urls={"TRACKAI_META_URL": stub.url}, platforms=("meta",))
        self.serve()
        self.put()
        status, _, out = self.send("meta", "--test-code", "T1", ok=False)
        got = json.loads(out)
        self.assertEqual((status, got["class"], got["verdict"], got["http"]), (1, "no_answer", "retrying", 0))
        self.assertTrue(got["error"])
        self.check_untouched()

    def test_killed_meanwhile(self):
        hang = threading.Event()
        self.addCleanup(hang.set)
        stub = Stub(lambda body: hang.wait(30) and None)
        self.addCleanup(stub.close)
        self.begin(urls={"TRACKAI_META_URL": stub.url}, platforms=("meta",))
        serve = self.serve()
        self.put()
        got = []
        slow = threading.Thread(target=lambda: got.append(self.send("meta", "--test-code", "T1", ok=False)))
        slow.start()
        wait_until(lambda: stub.seen, what="the test send")
        serve.kill()
        serve.wait()
        self.serve()
        slow.join(30)
        self.assertEqual(got[0][0], 4)
        self.assertIn("was stopped meanwhile", got[0][1])


if __name__ == "__main__":
    unittest.main()
