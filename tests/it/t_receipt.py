"""What made no event is shown, and a failed receipt can be read again once it is understood."""
import json
import unittest

from lib import OnCluster, wait_until

SECRET = "receipt-secret"


class Receipt(OnCluster):
    clock = "2026-11-22T10:40:00Z"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.p.run("migrate")
        cls.p.run("store", "add", "--name", "shop", "--platform", "shopify", "--domain", "demo.myshopify.com",
                  "--webhook-secret", SECRET, "--currency", "EUR")
        cls.p.run("pixel", "add", "--store", "shop", "--platform", "meta", "--account", "1", "--token", "t")
        cls.serve = cls.p.serve("--roles", "listener,router,folder")

    @classmethod
    def tearDownClass(cls):
        cls.p.stop(cls.serve)

    def fail(self, body, topic="orders/create"):
        """The failed receipt that this body makes, as the command lists it."""
        known = {r["id"] for r in self.p.json("receipt", "list")}
        self.assertEqual(self.p.shopify(body, SECRET, topic=topic)[0], 200)

        def new():
            return [r for r in self.p.json("receipt", "list", "--failed") if r["id"] not in known]
        return wait_until(new, what="the failed receipt")[0]

    def test_failed_receipts_are_listed_and_shown_with_their_body(self):
        got = self.fail(b'{"id":1,')
        self.assertEqual((got["failure"], got["topic"], got["store"]), ("invalid_json", "orders/create", "shop"))
        self.assertIn("byte 8", got["detail"])
        self.assertEqual(self.p.json("receipt", "show", got["id"])["body"], '{"id":1,')
        self.assertIn(got["id"], self.p.run("receipt", "list").stdout)
        self.assertIn("receipt list", self.p.run("doctor", ok=False).stdout)

    def test_refused_signatures_and_repeats_are_listed(self):
        self.assertEqual(self.p.shopify(b'{"id":2}', "wrong", webhook_id="r1")[0], 401)
        got = wait_until(lambda: self.p.json("receipt", "list", "--refused"), what="the refusal")[0]
        self.assertEqual((got["domain"], got["remote"]), ("demo.myshopify.com", "127.0.0.1"))
        self.assertIn("signature", got["reason"])
        for body in (b'{"id":3', b'{"id":3', b'{"id":33'):
            self.assertEqual(self.p.shopify(body, SECRET, webhook_id="again")[0], 200)
        repeats = wait_until(lambda: len(r := self.p.json("receipt", "list", "--repeats")) == 2 and r,
                             what="the repeats")
        self.assertEqual([r["differs"] for r in repeats], [True, False])
        self.assertEqual(len({r["first"] for r in repeats}), 1)

    def test_a_receipt_that_still_fails_stays(self):
        got = self.fail(b'{"id":4}', topic="carts/create")
        p = self.p.run("receipt", "replay", got["id"], ok=False)
        self.assertEqual(p.returncode, 4)
        self.assertIn("still makes no event: unsupported_topic", p.stderr)
        self.assertIn(got["id"], [r["id"] for r in self.p.json("receipt", "list")])

    def test_a_receipt_that_is_understood_now_becomes_an_event_once(self):
        order = {"id": 77, "name": "#77", "currency": "EUR", "total_price": "12.00", "email": "a@example.com",
                 "created_at": "2026-11-22T10:00:00Z", "updated_at": "2026-11-22T10:00:00Z"}
        got = self.fail(json.dumps(order).encode(), topic="orders/unheard")
        self.cluster.sql(f"UPDATE inbox SET topic = 'orders/create' WHERE id = {got['id'].split('/')[1]}")
        self.assertIn("is event", self.p.json("receipt", "replay", got["id"])["answer"])
        events = self.p.json("event", "list", "--where", "order.id == \"77\"")
        self.assertEqual([(e["name"], e["value"]["amount"]) for e in events], [("purchase", "12.00")])
        self.assertEqual(len(events[0]["deliveries"]), 1)
        again = self.p.run("receipt", "replay", got["id"], ok=False)
        self.assertEqual(again.returncode, 4)
        self.assertIn("no failed receipt", again.stderr)
        failed = int(self.cluster.sql("SELECT count(*) FROM failed_receipt")[0][0])
        wait_until(lambda: int(self.cluster.sql("SELECT coalesce(sum(n), 0) FROM tally WHERE item = 24")[0][0])
                   == failed, what="the count of failures")
        self.p.run("ledger", "--recount")

    def test_what_cannot_be_named(self):
        for words, status in ((("show", "x"), 4), (("show", "1/5"), 3), (("show",), 2), (("bogus",), 2),
                              (("list", "--failed", "--refused"), 2), (("list", "--since", "soon"), 2)):
            self.assertEqual(self.p.run("receipt", *words, ok=False).returncode, status, words)


if __name__ == "__main__":
    unittest.main()
