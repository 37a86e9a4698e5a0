"""The main job on real bodies: six signed Shopify bodies x three platforms, against the table of
tests/golden/contract. A sandbox stands where the platforms stand; the clock starts at the
bodies' own time."""
import json
import os
import re
import unittest

from lib import ROOT, Cluster, Program, Sandbox, wait_until

GOLDEN = os.path.join(ROOT, "tests", "golden")
COMPOSED = os.path.join(GOLDEN, "shopify", "composed")
SECRET = "hush_test_secret"
SHOP = "jsmith.myshopify.com"
PLATFORMS = ("pinterest", "meta", "tiktok")


def missing(want, got, path="$"):
    """Where `got` lacks what `want` demands: a list of sentences."""
    if want == "<hash>":
        return [] if re.fullmatch(r"[0-9a-f]{32}", str(got)) else [f"{path}: {got!r} is no hash"]
    if isinstance(want, dict):
        if not isinstance(got, dict):
            return [f"{path}: {got!r} is no object"]
        return [w for k, v in want.items() for w in missing(v, got.get(k), f"{path}.{k}")]
    if isinstance(want, list):
        if not isinstance(got, list) or len(got) != len(want):
            return [f"{path}: {got!r} instead of {want!r}"]
        return [w for i, v in enumerate(want) for w in missing(v, got[i], f"{path}[{i}]")]
    same = want == got and isinstance(want, str) == isinstance(got, str)
    return [] if same else [f"{path}: {got!r} instead of {want!r}"]


class Contract(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with open(os.path.join(GOLDEN, "contract", "table.json")) as f:
            cls.rows = json.load(f)["rows"]
        with open(os.path.join(COMPOSED, "HMAC.json")) as f:
            cls.macs = json.load(f)["x-shopify-hmac-sha256"]
        cls.cluster = Cluster()
        cls.sandbox = Sandbox(clock="2026-11-22T10:40:00Z")
        cls.p = Program(cls.cluster, clock="2026-11-22T10:40:00Z", **cls.sandbox.urls)
        cls.p.run("migrate")
        cls.p.run("store", "add", "--name", "jsmith", "--platform", "shopify", "--domain", SHOP,
                  "--webhook-secret", SECRET, "--currency", "USD")
        for platform in PLATFORMS:
            cls.p.run("pixel", "add", "--store", "jsmith", "--platform", platform, "--account",
                      "549755885175", "--token", f"token-{platform}")
        cls.serve = cls.p.serve()
        order = ["orders_create_pinterest", "orders_paid_pinterest", "orders_create_test_order",
                 "orders_create_jpy_minimal", "checkouts_create_anonymous", "refunds_create"]
        topics = {r["body"]: r["topic"] for r in cls.rows}
        for n, body in enumerate(order):
            cls.post(body, topics[body], f"id-{n}")
        # purchases: created, test, JPY; one checkout; one refund
        wait_until(lambda: cls.done(5), what="five events with final dispositions")

    @classmethod
    def tearDownClass(cls):
        cls.p.destroy()
        cls.sandbox.stop()
        cls.cluster.destroy()

    @classmethod
    def post(cls, body, topic, webhook_id):
        with open(os.path.join(COMPOSED, body + ".json"), "rb") as f:
            raw = f.read()
        status, answer, _ = cls.p.request(
            "POST", "/webhook/shopify", raw,
            {"X-Shopify-Topic": topic, "X-Shopify-Shop-Domain": SHOP, "X-Shopify-Webhook-Id": webhook_id,
             "X-Shopify-Hmac-Sha256": cls.macs[body + ".json"], "Content-Type": "application/json"})
        if status != 200:
            raise AssertionError(f"{body}: {status} {answer}")

    @classmethod
    def done(cls, n):
        events = cls.p.json("event", "list", "--limit", "100")
        shown = [cls.p.json("event", "show", e["id"]) for e in events]
        finals = {"delivered", "delivered_warning", "filtered", "rejected", "dead", "duplicate"}
        ready = all(len(e["deliveries"]) == 3 and
                    all(d["disposition"] in finals for d in e["deliveries"]) for e in shown)
        return shown if len(shown) == n and ready else None

    def find(self, body):
        """The event that a body made."""
        with open(os.path.join(COMPOSED, body + ".json")) as f:
            raw = json.load(f)
        for e in self.done(5):
            if body.startswith("checkouts"):
                if e["name"] == "initiate_checkout":
                    return e
            elif body.startswith("refunds"):
                if e["name"] == "refund":
                    return e
            elif e["name"] == "purchase" and e["doc"].get("order_id") == str(raw["id"]):
                return e
        raise AssertionError(f"{body} made no event")

    def test_table(self):
        received = {p: self.sandbox.received(p) for p in PLATFORMS}
        wrong, expected = [], {p: 0 for p in PLATFORMS}
        for row in self.rows:
            event = self.find(row["body"])
            where = f"{row['body']} x {row['platform']}"
            delivery = next(d for d in event["deliveries"] if d["pixel"].startswith(row["platform"]))
            if row["disposition"].startswith("same as"):
                continue
            got = (delivery["disposition"], delivery["reason"])
            if got != (row["disposition"], row["reason"]):
                wrong.append(f"{where}: {got}")
            sent = [r for r in received[row["platform"]] if r["event_id"] == event["wire_id"]]
            if row["receipt"] is None:
                if sent:
                    wrong.append(f"{where}: sent although it should not be")
                continue
            expected[row["platform"]] += 1
            if len(sent) != 1:
                wrong.append(f"{where}: received {len(sent)} times")
                continue
            wrong += [f"{where}: {m}" for m in missing(row["receipt"], sent[0]["content"])]
        for p in PLATFORMS:
            if len(received[p]) != expected[p]:
                wrong.append(f"{p} received {len(received[p])} events instead of {expected[p]}")
        self.assertEqual(wrong, [])

    def test_one_purchase_of_created_and_paid(self):
        purchases = [e for e in self.done(5) if e["name"] == "purchase" and
                     e["doc"]["order_id"] == "820982911946154508"]
        self.assertEqual(len(purchases), 1)
        reports = self.cluster.sql("SELECT topic FROM event_report ORDER BY topic")
        self.assertIn(["orders/paid"], reports)

    def test_refund_follows_its_order(self):
        refund = self.find("refunds_create")
        self.assertEqual(refund["doc"]["value"], "85.00")
        self.assertEqual(refund["doc"]["currency"], "USD")
        self.assertEqual(self.cluster.sql("SELECT refunded FROM order_state WHERE order_id = "
                                          "'820982911946154508'"), [["8500"]])

    def test_books_balance(self):
        for line in self.p.json("ledger", "--recount"):
            self.assertEqual(line["balance"], 0, line)
            self.assertEqual(line["events"], 5, line)

    def test_redelivery_changes_nothing(self):
        before = self.cluster.sql("SELECT count(*) FROM event")
        self.post("orders_create_pinterest", "orders/create", "id-0")
        self.assertEqual(self.cluster.sql("SELECT count(*) FROM receipt_repeat"), [["1"]])
        self.assertEqual(self.cluster.sql("SELECT count(*) FROM event"), before)


if __name__ == "__main__":
    unittest.main()
