"""The ledger, checked all the time: a row that is damaged by hand raises an alarm that names exactly its
event, and it is over when the row is back."""
import json
import unittest

from lib import Cluster, Program, Sandbox, wait_until

NOW = "2026-11-22T10:40:00Z"
SIGHT = 40  # seconds; a look every five, an alert after two of health


def order(n):
    return json.dumps({
        "id": 8000 + n, "name": f"#{n}", "total_price": "10.00", "currency": "EUR", "email": f"b{n}@example.com",
        "created_at": "2026-11-22T10:35:00Z", "processed_at": "2026-11-22T10:35:00Z",
        "updated_at": "2026-11-22T10:35:00Z", "financial_status": "paid", "source_name": "web", "test": False,
        "client_details": {"browser_ip": "198.51.100.7", "user_agent": "Mozilla/5.0"},
        "line_items": [{"id": 1, "product_id": 11, "variant_id": 111, "title": "Mug", "price": "10.00",
                        "quantity": 1}]}).encode()


class LedgerAlarm(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster()
        cls.addClassCleanup(cls.cluster.destroy)
        cls.sandbox = Sandbox(clock=NOW)
        cls.addClassCleanup(cls.sandbox.stop)
        cls.p = p = Program(cls.cluster, clock=NOW, **cls.sandbox.urls)
        cls.addClassCleanup(p.destroy)
        p.run("migrate")
        p.run("store", "add", "--name", "Shop", "--platform", "shopify", "--domain", "demo.myshopify.com",
              "--webhook-secret", "hush", "--currency", "EUR")
        for platform, account in (("meta", "1234567890"), ("tiktok", "C4A1B2C3D4E5F6G7H8I9")):
            p.run("pixel", "add", "--store", "Shop", "--platform", platform, "--account", account, "--token",
                  f"sandbox-token-{platform}")
        cls.sandbox.fault("tiktok:status=503")
        cls.serve = p.serve()
        for n in range(12):
            assert p.shopify(order(n), "hush", webhook_id=f"w-{n}")[0] == 200
        cls.pixels = {name: int(i) for i, name in cls.cluster.sql("SELECT id, name FROM pixel")}
        wait_until(lambda: cls.cluster.sql("SELECT count(*) FROM verdict WHERE after = 3") == [["12"]] and
                   cls.cluster.sql("SELECT count(*) FROM retry") == [["12"]], what="12 delivered, 12 waiting")
        p.run("pixel", "hold", "tiktok")  # so that no retry moves while one is taken away

    taken = set()

    def faults(self):
        return [(int(p), int(e), int(r), int(b)) for p, e, r, b in self.cluster.sql(
            "SELECT pixel_id, event_id, rows, book FROM ledger_fault ORDER BY 1, 2")]

    def found(self, want):
        wait_until(lambda: self.faults() == sorted(want), SIGHT, f"exactly {want}")

    def take(self, table, event, pixel):
        """Takes a row away and keeps it aside."""
        where = f"event_id = {event} AND pixel_id = {self.pixels[pixel]}"
        self.cluster.sql(f"CREATE TABLE IF NOT EXISTS spare_{table} AS SELECT * FROM {table} LIMIT 0")
        self.cluster.sql(f"WITH d AS (DELETE FROM {table} WHERE {where} RETURNING *) INSERT INTO spare_{table} "
                         "SELECT * FROM d")
        self.taken.add(table)

    def put_back(self):
        for table in self.taken:
            self.cluster.sql(f"INSERT INTO {table} SELECT * FROM spare_{table}; DROP TABLE spare_{table}")
        self.taken.clear()
        self.found([])
        self.assertEqual(self.p.run("ledger").stderr, "")

    def event(self, n):
        return int(self.cluster.sql(f"SELECT id FROM event ORDER BY id OFFSET {n} LIMIT 1")[0][0])

    def test_1_all_is_well(self):
        def judged():
            rows = self.p.run("health", "--json", ok=False)
            parts = {r["pixel"]: r["parts"].get("ledger", {}) for r in json.loads(rows.stdout)}
            return all(p.get("n") == 12 and p["status"] == "ok" for p in parts.values())
        wait_until(judged, SIGHT, "12 events at each, all accounted for")
        self.assertEqual(self.faults(), [])

    def test_2_what_is_damaged_is_named(self):
        """A verdict, a retry and a route, each of another event: those three are named, and no other."""
        verdict, retry, route = self.event(3), self.event(5), self.event(7)
        self.take("verdict", verdict, "meta")
        self.take("retry", retry, "tiktok")
        self.take("route", route, "meta")
        meta, tiktok = self.pixels["meta"], self.pixels["tiktok"]
        self.found([(meta, verdict, 0, 3), (meta, route, 3, 3), (tiktok, retry, 2, -1)])
        p = self.p.run("ledger", ok=False)
        self.assertEqual(p.returncode, 1)
        said = (f"event {verdict} at Shop/meta: the book says delivered, the rows say queued: the dispatcher is past it",
                f"event {route} at Shop/meta: the book says delivered, the rows say delivered: it has verdicts and no route",
                f"event {retry} at Shop/tiktok: the rows say retrying: nothing will try it again")
        log = self.p.output()
        for words in said:
            self.assertIn("trackai ledger: " + words, p.stderr)
            self.assertEqual(log.count("ledger: " + words), 1, log)

        def alerts():
            found = {a["object"]: a for a in self.p.json("alert", "list") if a["cause"] == "ledger"}
            return found if len(found) == 2 else None
        alerts = wait_until(alerts, SIGHT, "an alert for each pixel")
        self.assertEqual({k: (a["level"], a["scope"]) for k, a in alerts.items()},
                         {"Shop/meta": ("crit", "pixel"), "Shop/tiktok": ("crit", "pixel")})
        self.assertIn("2 do not add up; one: the book says delivered", alerts["Shop/meta"]["why"])
        self.assertIn("the rows say retrying: nothing will try it again", alerts["Shop/tiktok"]["why"])
        self.put_back()
        for event in (verdict, route, retry):
            self.assertIn(f"event {event} at Shop/", [w for w in self.p.output().splitlines() if "adds up again" in w
                                                      and str(event) in w][0])

    def test_3_in_a_sealed_block_and_in_the_books(self):
        """What was counted once must count the same for ever: the sum of the ids names the one that is gone
        without a trace. Of the books only the pixel can be named."""
        e, meta, tiktok = self.event(2), self.pixels["meta"], self.pixels["tiktok"]
        first, last = self.cluster.sql("SELECT min(id) - 1, max(id) FROM event")[0]
        self.p.stop(self.serve)
        self.cluster.sql(f"INSERT INTO ledger_block SELECT {first}, {last}, pixel_id, count(*), sum(event_id - {first}) "
                         f"FROM route GROUP BY 3; INSERT INTO ledger_block VALUES ({first}, {last}, 0, 0, 0)")
        self.take("verdict", e, "meta")
        self.take("route", e, "meta")
        self.cluster.sql(f"INSERT INTO ledger VALUES ({tiktok}, 3, 2)")
        LedgerAlarm.serve = self.p.serve()
        self.found([(meta, e, -1, 3), (tiktok, 0, -1, -1)])
        said = self.p.run("ledger", ok=False).stderr
        self.assertIn(f"event {e} at Shop/meta: the book says delivered, the rows say nothing: it has no route", said)
        self.assertIn("the books at Shop/tiktok: the books count 12 events and 14 in all dispositions", said)
        self.cluster.sql(f"INSERT INTO ledger VALUES ({tiktok}, 3, -2)")
        self.put_back()

    def test_4_the_command_lists_what_is_behind_a_number(self):
        rows = self.p.json("ledger", "--events", "Shop/tiktok", "--disposition", "retrying")
        self.assertEqual(len(rows), 12)
        self.assertEqual({(r["store"], r["pixel"], r["disposition"]) for r in rows}, {("Shop", "tiktok", "retrying")})
        self.assertEqual([r["event"] for r in rows], [str(self.event(n)) for n in range(11, -1, -1)])
        self.assertEqual(self.p.json("ledger", "--events", "meta", "--disposition", "dead"), [])
        self.assertIn("#11", self.p.run("ledger", "--events", "meta", "--limit", "1").stdout)
        for wrong, code in ((("--disposition", "dead"), 2), (("--events", "nobody"), 3),
                            (("--events", "meta", "--disposition", "lost"), 2)):
            self.assertEqual(self.p.run("ledger", *wrong, ok=False).returncode, code, wrong)


if __name__ == "__main__":
    unittest.main()
