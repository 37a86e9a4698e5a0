"""kill -9 of each process at each named fault point, of the supervisor and of PostgreSQL, under load.
Afterwards every acknowledged receipt is an event, a further report, a recorded repeat or a failed
receipt; every delivery has one disposition; the books balance; no platform saw one (event name,
event id) under two contents."""
import json
import os
import threading
import unittest

from lib import Cluster, Program, Sandbox, wait_until

POINTS = ["listener.before_commit", "listener.after_commit", "listener.before_answer",
          "router.batch_read", "router.before_commit", "router.after_commit",
          "dispatcher.after_claim", "dispatcher.after_send", "dispatcher.before_verdict",
          "dispatcher.after_verdict"]
SECRET = "crash-secret"
PLATFORMS = ("pinterest", "meta", "tiktok")
DEATHS = 3  # at each point: of the process, and of those that were started in its place
ORDERS = int(os.environ.get("TA_CRASH_ORDERS", "60"))


def order(n):
    return json.dumps({
        "id": 7000000000000 + n, "name": f"#{n}", "currency": "EUR", "total_price": f"{n % 90 + 10}.50",
        "created_at": "2026-11-22T10:00:00Z", "updated_at": "2026-11-22T10:00:01Z",
        "processed_at": "2026-11-22T10:00:00Z", "financial_status": "paid", "test": False,
        "source_name": "web", "email": f"buyer{n}@example.com",
        "client_details": {"browser_ip": "198.51.100.7", "user_agent": "Mozilla/5.0"},
        "line_items": [{"id": n, "product_id": 4000 + n % 7, "title": "Lamp", "quantity": 1,
                        "price": f"{n % 90 + 10}.50"}]}).encode()


class Crash(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster()
        cls.sandbox = Sandbox(clock="2026-11-22T10:40:00Z")
        cls.p = Program(cls.cluster, clock="2026-11-22T10:40:00Z", **cls.sandbox.urls)
        cls.p.run("migrate")
        cls.p.run("store", "add", "--name", "crash", "--platform", "shopify", "--domain",
                  "crash.myshopify.com", "--webhook-secret", SECRET, "--currency", "EUR")
        for platform in PLATFORMS:
            cls.p.run("pixel", "add", "--store", "crash", "--platform", platform, "--account", "1234567",
                      "--token", "token")
        cls.acked = set()
        cls.next = 0

    @classmethod
    def tearDownClass(cls):
        cls.p.destroy()
        cls.sandbox.stop()
        cls.cluster.destroy()

    def load(self, disturb=None):
        """Four shops post ORDERS orders; each repeats its webhook until it is acknowledged."""
        first, lock = Crash.next, threading.Lock()
        Crash.next += ORDERS
        todo = list(range(first, first + ORDERS))
        failed = []

        def shop():
            while True:
                with lock:
                    if not todo:
                        return
                    n = todo.pop()
                try:
                    wait_until(lambda: self.p.shopify(order(n), SECRET, shop="crash.myshopify.com",
                                                      webhook_id=f"w{n}")[0] == 200,
                               what=f"the acknowledgement of order {n}")
                except AssertionError as e:
                    failed.append(str(e))
                    return
                with lock:
                    self.acked.add(f"w{n}")

        threads = [threading.Thread(target=shop) for _ in range(4)]
        for t in threads:
            t.start()
        if disturb:
            wait_until(lambda: len(self.acked) > first + ORDERS // 4, what="some load")
            disturb()
        for t in threads:
            t.join()
        self.assertEqual(failed, [])

    def drained(self):
        open_ones = 0
        for line in self.p.json("ledger"):
            d = line["dispositions"]
            open_ones += sum(d.get(k, 0) for k in ("queued", "held", "retrying"))
            if line["events"] < Crash.next:
                return False
        return open_ones == 0

    def check(self):
        wait_until(self.drained, what="drained queues")
        stored = {r[0] for r in self.cluster.sql("SELECT webhook_id FROM inbox")}
        self.assertEqual(self.acked - stored, set(), "acknowledged but not stored")
        unexplained = self.cluster.sql(
            "SELECT i.webhook_id FROM inbox i WHERE NOT EXISTS (SELECT FROM event e WHERE e.receipt = i.id "
            "AND e.writer = i.writer) AND NOT EXISTS (SELECT FROM event_report r WHERE r.receipt = i.id AND "
            "r.writer = i.writer) AND NOT EXISTS (SELECT FROM failed_receipt f WHERE f.id = i.id AND "
            "f.writer = i.writer)")
        self.assertEqual(unexplained, [], "stored but not explained")
        events = self.cluster.sql("SELECT count(*), count(DISTINCT order_id) FROM event")
        self.assertEqual(events, [[str(Crash.next), str(Crash.next)]])
        for line in self.p.json("ledger", "--recount"):
            self.assertEqual(line["balance"], 0, line)
            self.assertEqual(line["dispositions"].get("delivered", 0), Crash.next, line)
        summary = self.sandbox.summary()
        for platform in PLATFORMS:
            self.assertEqual(summary[platform]["conflicts"], 0, summary)
            ids = {r["event_id"] for r in self.sandbox.received(platform)}
            self.assertEqual(len(ids), Crash.next, platform)

    def crash_at(self, point):
        deaths = os.path.join(self.p.home, "deaths")
        with open(deaths, "w") as f:
            f.write("." * DEATHS)
        self.p.env["TRACKAI_FAULT"] = f"{point}:3:{deaths}"
        seen = len(self.p.output())
        p = self.p.serve()

        def died():
            """Each load passes the point at least once, however many orders a group takes."""
            self.load()
            wait_until(lambda: os.path.getsize(deaths) == 0 or self.drained(), what="drained queues")
            return os.path.getsize(deaths) == 0
        wait_until(died, what=f"the third passing of {point}, {DEATHS} times")
        wait_until(lambda: self.p.output()[seen:].count("was killed") >= DEATHS,
                   what="the supervisor's word")
        self.p.stop(p)
        del self.p.env["TRACKAI_FAULT"]
        p = self.p.serve()
        self.check()
        self.p.stop(p)

    def test_supervisor(self):
        p = self.p.serve()

        def kill():
            p.kill()
            p.wait()
            self.p.serve()
        self.load(kill)
        self.check()
        self.p.stop(self.p.children[-1])

    def test_postgresql(self):
        p = self.p.serve()

        def kill():
            self.cluster.crash()
            self.cluster.start()
        self.load(kill)
        self.check()
        self.p.stop(p)


def case(point):
    return lambda self: self.crash_at(point)


for _point in POINTS:
    setattr(Crash, "test_" + _point.replace(".", "_"), case(_point))


if __name__ == "__main__":
    unittest.main()
