"""The router: signed webhooks and browser events become events and routes with reasons."""
import json
import signal
import unittest

from lib import ROOT, OnCluster, wait_until

SECRET = "router-secret"
SHOP = "router.myshopify.com"
DISP = ["queued", "held", "retrying", "delivered", "delivered_warning", "filtered", "duplicate", "no_consent",
        "rejected", "dead"]


def order(n, updated="2026-11-22T10:00:01Z", **more):
    body = {"id": 9000 + n, "name": f"#{n}", "currency": "EUR", "total_price": "50.00",
            "created_at": "2026-11-22T10:00:00Z", "processed_at": "2026-11-22T10:00:00Z", "updated_at": updated,
            "financial_status": "pending", "test": False, "source_name": "web", "email": f"buyer{n}@example.com",
            "checkout_token": f"token{n}", "note_attributes": [{"name": "ta_event_id", "value": f"ta-order-{n:04d}"}],
            "client_details": {"browser_ip": "198.51.100.7", "user_agent": "Mozilla/5.0"},
            "line_items": [{"id": n, "product_id": 7, "title": "Lamp", "quantity": 1, "price": "50.00"}]}
    body.update(more)
    return json.dumps(body).encode()


def refund(n, order_n):
    return json.dumps({"id": 100 + n, "order_id": 9000 + order_n, "created_at": "2026-11-22T10:20:00Z",
                       "processed_at": "2026-11-22T10:20:00Z", "refund_line_items": [],
                       "transactions": [{"id": n, "kind": "refund", "status": "success", "amount": "10.00"}]}).encode()


class Router(OnCluster):
    hooks = 0

    clock = "2026-11-22T10:40:00Z"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.p.run("migrate")
        cls.store("router", SHOP)
        cls.serve = cls.p.serve("--roles", "listener,router")

    @classmethod
    def tearDownClass(cls):
        cls.p.stop(cls.serve)

    @classmethod
    def store(cls, name, shop, *more):
        cls.p.run("store", "add", "--name", name, "--platform", "shopify", "--domain", shop, "--webhook-secret",
                  SECRET, "--currency", "EUR", *more)
        for platform in ("pinterest", "meta", "tiktok"):
            cls.p.run("pixel", "add", "--store", name, "--platform", platform, "--account", "1234567", "--token",
                      "token")

    def post(self, topic, body, shop=SHOP):
        Router.hooks += 1
        got = self.p.shopify(body, SECRET, topic=topic, shop=shop, webhook_id=f"hook-{Router.hooks}")
        self.assertEqual(got[0], 200, got)

    def routed(self):
        """Until every receipt is behind the router's position."""
        last = self.cluster.sql("SELECT coalesce(max(id), 0) FROM inbox")[0][0]
        wait_until(lambda: int(self.cluster.sql("SELECT coalesce(max(pos), 0) FROM curlog WHERE stage LIKE "
                                                "'router:%'")[0][0]) >= int(last), what="the router's position")

    def events(self, order_id):
        """[(name, wire id, amount, {(disposition, reason)})] of an order."""
        out = []
        for e, name, wire, amount in self.cluster.sql(
                f"SELECT id, name, wire_id, amount FROM event WHERE order_id = '{order_id}' ORDER BY id"):
            routes = self.cluster.sql(f"SELECT decision, reason FROM route WHERE event_id = {e}")
            out.append((int(name), wire, amount, {(DISP[int(d)], int(r)) for d, r in routes}, len(routes)))
        return out

    def reason(self, word):
        with open(f"{ROOT}/src/reasons.def") as f:
            return [line.split('"')[1] for line in f if line.startswith("REASON(")].index(word)

    def test_created_and_paid_are_one_purchase(self):
        self.post("orders/create", order(1))
        self.post("orders/paid", order(1, "2026-11-22T10:05:00Z", financial_status="paid"))
        self.routed()
        self.assertEqual(self.events(9001), [(8, "ta-order-0001", "5000", {("queued", 0)}, 3)])
        self.assertEqual(self.cluster.sql("SELECT count(*) FROM event_report WHERE topic = 'orders/paid'"), [["1"]])
        self.assertEqual(self.cluster.sql("SELECT financial, total, currency FROM order_state WHERE order_id = "
                                          "'9001'"), [["paid", "5000", "EUR"]])

    def test_an_older_report_changes_no_state(self):
        self.post("orders/updated", order(2, "2026-11-22T10:09:00Z", total_price="60.00"))
        self.post("orders/create", order(2))
        self.routed()
        self.assertEqual([e[:3] for e in self.events(9002)], [(8, "ta-order-0002", "6000")])
        self.assertEqual(self.cluster.sql("SELECT total FROM order_state WHERE order_id = '9002'"), [["6000"]])

    def test_refund_follows_its_order(self):
        self.post("refunds/create", refund(3, 3))
        self.routed()
        wait = self.reason("wait_order")
        self.assertEqual(self.events(9003), [(9, self.events(9003)[0][1], "", {("held", wait)}, 3)])
        self.post("orders/create", order(3))
        self.routed()
        got = self.events(9003)
        self.assertEqual([e[0] for e in got], [9, 8])
        self.assertEqual(got[0][2:], ("1000", {("filtered", self.reason("internal"))}, 3))
        self.assertEqual(self.cluster.sql("SELECT refunded FROM order_state WHERE order_id = '9003'"), [["1000"]])
        self.assertEqual(self.cluster.sql("SELECT count(*) FROM hold WHERE order_id = '9003'"), [["0"]])
        self.post("refunds/create", refund(4, 3))
        self.routed()
        self.assertEqual(self.cluster.sql("SELECT refunded FROM order_state WHERE order_id = '9003'"), [["2000"]])

    def test_filters(self):
        self.post("orders/create", order(10, test=True))
        self.post("orders/create", order(11, source_name="pos"))
        self.post("orders/create", order(12, source_name="shopify_draft_order"))
        self.post("orders/cancelled", order(13, cancelled_at="2026-11-22T10:30:00Z"))
        self.routed()
        for n, word in ((10, "test"), (11, "pos"), (12, "draft"), (13, "internal")):
            self.assertEqual(self.events(9000 + n)[0][3:], ({("filtered", self.reason(word))}, 3), word)

    def test_failures_are_typed_and_stop_nothing(self):
        for topic, body, word in (("orders/create", b"{", 1), ("orders/create", b"[" * 100, 2),
                                  ("orders/create", b"{}", 3), ("orders/create", order(20, total_price="x"), 4),
                                  ("carts/create", b"{}", 5)):
            self.post(topic, body)
            self.routed()
            self.assertEqual(self.cluster.sql("SELECT failure FROM failed_receipt ORDER BY id DESC LIMIT 1"),
                             [[str(word)]])

    def test_two_orders_cannot_share_a_wire_id(self):
        attribute = [{"name": "ta_event_id", "value": "ta-shared-0001"}]
        self.post("orders/create", order(30, note_attributes=attribute))
        self.post("orders/create", order(31, note_attributes=attribute))
        self.routed()
        self.assertEqual(self.events(9030)[0][1], "ta-shared-0001")
        self.assertRegex(self.events(9031)[0][1], "^[0-9a-f]{32}$")

    def test_paid_stores_wait_for_the_money(self):
        self.store("later", "later.myshopify.com", "--purchase-on", "paid")
        self.post("orders/create", order(40), "later.myshopify.com")
        self.routed()
        self.assertEqual([e[0] for e in self.events(9040)], [15])
        self.post("orders/paid", order(40, "2026-11-22T10:05:00Z", financial_status="paid"), "later.myshopify.com")
        self.routed()
        self.assertEqual([e[0] for e in self.events(9040)], [15, 8])

    def track(self, key, *items):
        body = json.dumps(items).encode()
        def send():
            return self.p.request("POST", f"/event/track?k={key}", body, {"Content-Type": "text/plain"})
        got = send()
        if got[0] == 401:  # the listener hears of a new key a moment later
            got = wait_until(lambda: next((g for g in [send()] if g[0] != 401), None), what="the key")
        self.assertEqual(got[0], 200, got)

    def key(self, scope):
        return self.p.json("key", "add", "--store", "router", "--scope", scope)["key"]

    def test_browser_copies(self):
        key = self.key("public")
        item = {"event": "purchase", "event_id": "ta-order-0050", "order_id": "9050", "value": "50.00",
                "currency": "EUR", "click": {"epik": "dj0yJnU9", "ttp": "ttp-1"}, "url": "https://shop.example/thanks"}
        self.track(key, item)
        self.routed()
        self.assertEqual(self.events(9050)[0][3:], ({("held", self.reason("wait_webhook"))}, 3))
        self.post("orders/create", order(50))
        self.routed()
        got = self.events(9050)
        self.assertEqual([(e[0], e[3]) for e in got],
                         [(8, {("duplicate", self.reason("webhook"))}), (8, {("queued", 0)})])
        self.assertEqual(got[1][1], "ta-order-0050")
        self.post("orders/create", order(51))
        self.routed()
        self.track(key, dict(item, event_id="ta-order-0051", order_id="9051"))
        self.routed()
        self.assertEqual([e[3] for e in self.events(9051)],
                         [{("queued", 0)}, {("duplicate", self.reason("webhook"))}])

    def test_consent(self):
        key = self.key("public")
        self.track(key, {"event": "page_view", "event_id": "denied-0001", "consent": {"ads": False}})
        self.routed()
        routes = self.cluster.sql("SELECT DISTINCT r.decision, r.reason FROM route r JOIN event e ON e.id = "
                                  "r.event_id WHERE e.wire_id = 'denied-0001'")
        self.assertEqual(routes, [[str(DISP.index("no_consent")), str(self.reason("denied"))]])

    def test_uninstalled(self):
        self.store("gone", "gone.myshopify.com")
        self.post("app/uninstalled", b'{"id":1,"myshopify_domain":null}', "gone.myshopify.com")
        self.routed()
        self.assertEqual(self.cluster.sql("SELECT state FROM store WHERE name = 'gone'"), [["uninstalled"]])
        self.assertEqual(self.cluster.sql("SELECT count(*) FROM audit WHERE action = 'store.uninstalled'"), [["1"]])

    def test_rules(self):
        self.store("ruled", "ruled.myshopify.com")
        for name, priority, expr, action, more in (
                ("r1", 1, "value >= 100 EUR", "send", ["--platform", "meta"]),
                ("r2", 2, "", "drop", ["--platform", "meta"]),
                ("r3", 3, "order.name starts with '#61'", "drop", [])):
            self.p.run("rule", "add", "--name", name, "--priority", str(priority), "--store", "ruled", "--expr", expr,
                       "--action", action, *more)
        self.post("orders/create", order(60), "ruled.myshopify.com")
        self.post("orders/create", order(61, total_price="100.00"), "ruled.myshopify.com")
        self.routed()
        got = self.cluster.sql("SELECT e.order_id, p.platform, r.decision, r.reason, l.name FROM event e JOIN route r "
                               "ON r.event_id = e.id JOIN pixel p ON p.id = r.pixel_id LEFT JOIN rule l ON l.id = "
                               "r.rule_id AND l.version = r.rule_version WHERE e.order_id IN ('9060', '9061') ORDER "
                               "BY 1, 2")
        drop = [str(DISP.index("filtered")), str(self.reason("rule"))]
        self.assertEqual(got, [["9060", "meta", *drop, "r2"], ["9060", "pinterest", "0", "0", ""],
                               ["9060", "tiktok", "0", "0", ""], ["9061", "meta", "0", "0", "r1"],
                               ["9061", "pinterest", *drop, "r3"], ["9061", "tiktok", *drop, "r3"]])
        e = self.cluster.sql("SELECT id FROM event WHERE order_id = '9061'")[0][0]
        shown = {d["pixel"]: d for d in self.p.json("event", "show", e)["deliveries"]}
        meta = next(d for name, d in shown.items() if "meta" in name)
        self.assertIn("value >= 100", json.dumps(meta["rule"]["trace"]))

    def test_z_books_balance(self):
        """Deltas of the book = what the routes say, per pixel and disposition."""
        routes = self.cluster.sql("SELECT pixel_id, decision, count(*) FROM route GROUP BY 1, 2 ORDER BY 1, 2")
        book = self.cluster.sql("SELECT pixel_id, item, sum(n) FROM tally WHERE pixel_id > 0 AND item < 20 GROUP BY "
                                "1, 2 HAVING sum(n) <> 0 ORDER BY 1, 2")
        self.assertEqual(routes, book)
        routed = self.cluster.sql("SELECT pixel_id, count(*) FROM route GROUP BY 1 ORDER BY 1")
        self.assertEqual(routed, self.cluster.sql("SELECT pixel_id, sum(n) FROM tally WHERE item = 20 GROUP BY 1 "
                                                  "ORDER BY 1"))

    def test_zz_killed_in_mid_batch(self):
        self.p.stop(self.serve)
        first = 1000
        for point in ("router.batch_read", "router.before_commit", "router.after_commit"):
            self.p.env["TRACKAI_FAULT"] = point
            serve = self.p.serve("--roles", "listener,router")
            for n in range(first, first + 20):
                self.post("orders/create", order(n))
            self.routed_after_restart(serve)
            got = self.cluster.sql(f"SELECT count(*), count(DISTINCT order_id) FROM event WHERE order_id::bigint "
                                   f"BETWEEN {9000 + first} AND {9019 + first}")
            self.assertEqual(got, [["20", "20"]], point)
            first += 20
        Router.serve = self.p.serve("--roles", "listener,router")
        self.test_z_books_balance()

    def routed_after_restart(self, serve):
        self.p.stop(serve, signal.SIGTERM)
        del self.p.env["TRACKAI_FAULT"]
        serve = self.p.serve("--roles", "listener,router")
        self.routed()
        self.p.stop(serve)



if __name__ == "__main__":
    unittest.main(verbosity=2)
