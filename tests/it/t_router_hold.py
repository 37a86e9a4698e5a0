"""What waits in the router, with a clock that the test moves: browser purchases without a webhook, late
webhooks, refunds without an order; and receipts that the database refuses."""
import json
import os
import struct
import unittest

import t_router
from lib import Cluster, Program, wait_until
from t_router import DISP, SHOP, order, refund


def unpack(data):
    """src/lz.h: the raw length, then one LZ4 block."""
    size, = struct.unpack("<I", data[:4])
    out, i = bytearray(), 4
    while i < len(data):
        token = data[i]
        i += 1
        n = token >> 4
        if n == 15:
            while True:
                n += data[i]
                i += 1
                if data[i - 1] != 255:
                    break
        out += data[i:i + n]
        i += n
        if i >= len(data):
            break
        back = data[i] | data[i + 1] << 8
        i += 2
        n = (token & 15) + 4
        if token & 15 == 15:
            while True:
                n += data[i]
                i += 1
                if data[i - 1] != 255:
                    break
        for _ in range(n):
            out.append(out[-back])
    assert len(out) == size
    return bytes(out)


class Hold(unittest.TestCase):
    post, routed, events, reason = (t_router.Router.post, t_router.Router.routed, t_router.Router.events,
                                    t_router.Router.reason)
    track, key = t_router.Router.track, t_router.Router.key
    store = classmethod(t_router.Router.store.__func__)

    def setUp(self):
        self.cluster = Cluster()
        self.clock = os.path.join(self.cluster.dir, "clock")
        self.at("2026-11-22T10:40:00Z")
        Hold.p = self.p = Program(self.cluster, clock="@" + self.clock)
        self.p.run("migrate")
        self.store("router", SHOP)
        self.serve = self.p.serve("--roles", "listener,router")

    def tearDown(self):
        self.p.stop(self.serve)
        self.p.destroy()
        self.cluster.destroy()

    def at(self, instant):
        with open(self.clock, "w") as f:
            f.write(instant)

    def doc(self, order_id, name=8, source=0):
        got = self.cluster.sql(f"SELECT encode(d.doc, 'hex') FROM event e JOIN event_doc d USING (id) WHERE e.order_id "
                               f"= '{order_id}' AND e.name = {name} AND e.source = {source}")
        return json.loads(unpack(bytes.fromhex(got[0][0])))

    def browser(self, n, **more):
        item = {"event": "purchase", "event_id": f"ta-order-{n:04d}", "order_id": str(9000 + n), "value": "50.00",
                "currency": "EUR", "click": {"epik": "dj0yJnU9"}, "user": {"user_agent": "Browser/1"}}
        item.update(more)
        return item

    def test_click_ids_are_lent(self):
        key = self.key("public")
        self.track(key, self.browser(1))
        self.routed()
        self.post("orders/create", order(1, client_details=None))
        self.routed()
        doc = self.doc(9001)
        self.assertEqual(doc["click"]["epik"], "dj0yJnU9")

    def test_denied_consent_is_lent(self):
        key = self.key("public")
        self.track(key, self.browser(2, consent={"ads": False}))
        self.routed()
        self.post("orders/create", order(2))
        self.routed()
        self.assertEqual(self.events(9002)[1][3], {("no_consent", self.reason("denied"))})

    def test_both_in_one_batch(self):
        key = self.key("public")
        self.track(key, {"event": "page_view", "event_id": "warm-up-0001"})  # the key is known now
        self.p.stop(self.serve)
        self.serve = self.p.serve("--roles", "listener")
        self.track(key, self.browser(3))
        self.post("orders/create", order(3))
        self.post("refunds/create", refund(8, 4))
        self.post("orders/create", order(4))
        self.p.stop(self.serve)
        self.serve = self.p.serve("--roles", "listener,router")
        self.routed()
        self.assertEqual([e[3] for e in self.events(9003)],
                         [{("duplicate", self.reason("webhook"))}, {("queued", 0)}])
        self.assertEqual(self.doc(9003)["click"]["epik"], "dj0yJnU9")
        self.assertEqual([e[2:4] for e in self.events(9004)],
                         [("1000", {("filtered", self.reason("internal"))}), ("5000", {("queued", 0)})])
        self.balanced()
        # who told: the page of one purchase (a pair), the server of two; a refund that found its order
        self.assertEqual(self.cluster.sql("SELECT item, bin % 4, sum(n) FROM tally WHERE item = 33 OR bin / 4 = 8 AND item = 31 "
                                          "GROUP BY 1, 2 ORDER BY 1, 2"), [["31", "0", "1"], ["31", "1", "2"], ["31", "2", "1"],
                                                             ["33", "0", "1"]])

    def test_unconfirmed(self):
        key = self.key("public")
        self.track(key, self.browser(5))
        self.routed()
        self.assertEqual(self.events(9005)[0][3], {("held", self.reason("wait_webhook"))})
        self.at("2026-11-22T11:09:00Z")
        self.post("orders/create", order(6))
        self.routed()
        self.assertEqual(self.events(9005)[0][3], {("held", self.reason("wait_webhook"))})
        self.at("2026-11-22T11:11:00Z")
        wait_until(lambda: self.events(9005)[0][3] == {("filtered", self.reason("unconfirmed"))},
                   what="the end of the wait")
        self.assertEqual(self.cluster.sql("SELECT count(*) FROM hold"), [["0"]])
        self.post("orders/create", order(5))  # hours late, yet it knows the click
        self.routed()
        self.assertEqual([e[3] for e in self.events(9005)],
                         [{("filtered", self.reason("unconfirmed"))}, {("queued", 0)}])
        self.assertEqual(self.doc(9005)["click"]["epik"], "dj0yJnU9")
        self.balanced()

    def test_refund_whose_order_never_comes(self):
        self.post("refunds/create", refund(1, 7))
        self.routed()
        self.at("2026-11-30T10:41:00Z")
        wait_until(lambda: self.events(9007)[0][3] == {("filtered", self.reason("internal"))},
                   what="the end of the wait")
        self.balanced()
        self.assertEqual(self.cluster.sql("SELECT bin, sum(n) FROM tally WHERE item = 33 GROUP BY 1"), [["1", "1"]])

    def test_a_refused_receipt_is_set_aside(self):
        self.cluster.sql("CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.label = '#13' "
                         "THEN RAISE EXCEPTION 'poison' USING ERRCODE = '22000'; END IF; RETURN NEW; END $$")
        self.cluster.sql("CREATE TRIGGER refuse BEFORE INSERT ON event FOR EACH ROW EXECUTE FUNCTION refuse()")
        self.p.stop(self.serve)
        self.serve = self.p.serve("--roles", "listener")
        for n in range(10, 17):
            self.post("orders/create", order(n))
        self.p.stop(self.serve)
        self.serve = self.p.serve("--roles", "listener,router")
        self.routed()
        self.assertEqual(self.cluster.sql("SELECT count(*) FROM event"), [["6"]])
        failed = self.cluster.sql("SELECT f.detail FROM failed_receipt f")
        self.assertEqual(len(failed), 1)
        self.assertIn("poison", failed[0][0])
        self.balanced()

    def test_pixels_begin_where_they_were_added(self):
        self.post("orders/create", order(20))
        self.routed()
        self.at("2026-11-22T10:40:05Z")
        self.p.run("pixel", "add", "--store", "router", "--platform", "meta", "--account", "7654321", "--token", "t",
                   "--name", "later")
        self.p.run("pixel", "delete", "router/tiktok")
        self.at("2026-11-22T10:40:10Z")
        self.post("orders/create", order(21))
        self.routed()
        got = self.cluster.sql("SELECT e.label, split_part(p.name, ' ', 1) FROM route r JOIN event e ON e.id = r.event_id JOIN pixel p ON "
                               "p.id = r.pixel_id ORDER BY 1, 2")
        self.assertEqual(got, [["#20", "meta"], ["#20", "pinterest"], ["#20", "tiktok"], ["#21", "later"],
                               ["#21", "meta"], ["#21", "pinterest"]])

    balanced = t_router.Router.test_z_books_balance


if __name__ == "__main__":
    unittest.main(verbosity=2)
