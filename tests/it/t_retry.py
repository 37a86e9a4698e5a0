"""Retries: nearest deadline first, dead exactly at the deadline, now by hand and never twice; lists of what
waits and of what is dead."""
import datetime
import json
import os
import re
import threading
import time
import unittest

from delivering import DELIVERED, DOWN, NOW, Delivering, took_all
from lib import wait_until


class Retry(Delivering):
    def test_lists(self):
        """What waits, nearest deadline first, and what is dead, by what."""
        stub = self.stub(lambda body: DOWN)
        self.begin(clock=self.set_clock(NOW), platforms=("meta",), urls={"TRACKAI_META_URL": stub.url})
        self.start()
        self.put(2, age=3 * 86400)
        self.waiting(2)
        self.put(3, age=6 * 86400)
        self.waiting(5)
        rows = self.p.json("delivery", "list", "--expiring")
        self.assertEqual([r["deadline"] for r in rows], sorted(r["deadline"] for r in rows))
        self.assertEqual([r["tries"] for r in rows], [1] * 5)
        self.assertEqual({r["message"] for r in rows}, {"temporarily unavailable"})
        self.assertLess(rows[0]["left_s"], 86410)
        self.assertEqual(len(self.p.json("delivery", "list", "--expiring", "25h")), 3)
        self.assertEqual(len(self.p.json("delivery", "list", "--expiring", "--pixel", "meta", "--limit", "4")), 4)
        self.assertIn("temporarily unavailable", self.p.run("delivery", "list", "--expiring").stdout)
        self.assertEqual(self.p.run("delivery", "list", "--expiring", "soon", ok=False).returncode, 2)
        self.assertEqual(self.p.json("delivery", "list", "--dead"), [])
        self.set_clock("2026-11-23T10:50:00Z")
        self.settle(3)
        dead = self.p.json("delivery", "list", "--dead")
        self.assertEqual([(d["disposition"], d["reason"], d["attempts"]) for d in dead], [("dead", "expired", 1)] * 3)
        for by, what in ("reason", "expired"), ("pixel", "shop/meta"), ("code", "-"):
            groups = self.p.json("delivery", "list", "--dead", "--by", by)
            self.assertEqual([(g[by], g["n"]) for g in groups], [(what, 3)])
        self.assertEqual(self.p.json("delivery", "list", "--dead", "--reason", "budget"), [])
        self.assertEqual(self.p.run("delivery", "list", "--dead", "--by", "colour", ok=False).returncode, 2)

    def test_by_hand(self):
        """The next attempt now: the next number, the pending one is gone, one entry in the audit log."""
        down = [True]
        stub = self.stub(lambda body: DOWN if down[0] else took_all(body))
        self.begin(clock=self.set_clock(NOW), platforms=("meta",), urls={"TRACKAI_META_URL": stub.url})
        self.start()
        self.put(3)
        self.waiting(3)
        tried = self.p.json("delivery", "retry", "--where", "state == retrying")
        self.assertEqual((tried["retried"], tried["behind_circuit"], tried["not_waiting"]), (3, 0, 0))
        wait_until(lambda: self.one("SELECT count(*) FROM verdict WHERE attempt = 2") == "3", what="the second attempt")
        self.assertEqual(self.one("SELECT count(*) FROM retry WHERE tries = 2 AND due_us > 0"), "3")
        down[0] = False
        first = self.one("SELECT min(event_id) FROM retry")
        self.assertIn("1 are tried now", self.p.run("delivery", "retry", "--ids", first).stdout)
        self.settle(1)
        self.assertEqual(self.cluster.sql("SELECT event_id, attempt FROM verdict WHERE after = 3"), [[first, "3"]])
        self.assertIn("trackai delivery replay", self.p.run("delivery", "retry", "--ids", first).stdout)
        self.assertEqual(self.p.json("delivery", "retry", "--pixel", "meta")["retried"], 2)
        self.settle(3)
        self.assertEqual(self.p.json("delivery", "retry", "--pixel", "meta")["retried"], 0)
        self.assertEqual(self.one("SELECT count(*) FROM audit WHERE action = 'delivery.retry'"), "4")
        self.assertEqual(len(stub.seen), 4)
        self.check_books()

    def test_by_hand_within_the_budget(self):
        stub = self.stub(lambda body: DOWN)
        self.begin(clock=self.set_clock(NOW), platforms=("meta",), urls={"TRACKAI_META_URL": stub.url})
        self.start()
        self.put(2)
        self.waiting(2)
        self.cluster.sql("UPDATE retry SET tries = 249")
        self.p.run("delivery", "retry", "--pixel", "meta")
        self.settle(2)
        self.assertEqual(self.cluster.sql("SELECT DISTINCT after, reason, attempt FROM verdict WHERE after >= 3"),
                         [["9", "21", "250"]])
        self.assertEqual(self.one("SELECT count(*) FROM retry"), "0")

    def test_by_hand_at_a_held_pixel_and_behind_a_circuit(self):
        down = [True]
        stub = self.stub(lambda body: DOWN if down[0] else took_all(body))
        self.begin(clock=self.set_clock(NOW), platforms=("meta",), urls={"TRACKAI_META_URL": stub.url})
        self.start()
        for i in range(5):
            self.put(1)
            self.waiting(i + 1)
        self.put(4)  # they wait behind the circuit
        self.p.run("pixel", "hold", "meta")
        self.assertEqual(self.p.json("delivery", "retry", "--pixel", "meta")["held"], 5)
        self.p.run("pixel", "circuit", "meta", "open", "--for", "2h")
        self.p.run("pixel", "release", "meta")
        self.assertIn("held open by hand", self.p.run("delivery", "retry", "--pixel", "meta", "--force").stdout)
        self.assertEqual(len(stub.seen), 5)
        self.p.run("pixel", "circuit", "meta", "close")
        wait_until(lambda: len(stub.seen) == 6, what="the probe")
        wait_until(lambda: self.p.json("pixel", "circuit", "meta")["state"] == "open", what="the open circuit")
        answer = self.p.json("delivery", "retry", "--pixel", "meta")
        self.assertEqual((answer["retried"], answer["behind_circuit"]), (5, 5))
        self.assertIn("--force probes now", self.p.run("delivery", "retry", "--pixel", "meta").stdout)
        self.assertEqual(len(stub.seen), 6)
        down[0] = False
        self.assertIn("go with the probe", self.p.run("delivery", "retry", "--pixel", "meta", "--force").stdout)
        self.settle(9)
        self.check_books()

    def test_by_hand_in_the_very_moment_of_the_schedule(self):
        """Trap 16: whoever comes first takes the attempt; nothing is sent twice."""
        lock, times = threading.Lock(), {}

        def answer(body):
            ids = re.findall(rb'"event_id":"([^"]+)"', body)
            with lock:
                for i in ids:
                    times[i] = times.get(i, 0) + 1
                again = any(times[i] > 1 for i in ids)
            time.sleep(0.02)  # the race is wide
            return took_all(body) if again else DOWN
        stub = self.stub(answer)
        self.begin(clock="", platforms=("meta",), urls={"TRACKAI_META_URL": stub.url})
        self.start()
        now = time.time_ns() // 1000
        for i in range(4):
            self.put(20, us=now + i)
        self.cluster.sql("NOTIFY route")
        wait_until(lambda: self.one("SELECT count(*) FROM verdict") == "80", what="the first attempts")
        listed = ",".join(f"[{e},{p}]" for e, p in self.cluster.sql("SELECT event_id, pixel_id FROM route"))
        order = json.dumps({"deliveries": json.loads(f"[{listed}]"), "force": True})
        n = 0
        while int(self.one("SELECT count(*) FROM verdict WHERE after >= 3")) < 80 and n < 400:
            self.cluster.sql("INSERT INTO command (at_us, actor, kind, args) VALUES (1, 'test', 'delivery.retry', "
                             f"'{order}'); NOTIFY command")
            n += 1
        self.settle(80)
        self.assertEqual(set(times.values()), {2})
        self.assertEqual(self.finals(), {DELIVERED: 80})
        self.assertEqual(self.one("SELECT max(attempt) FROM verdict"), "2")
        self.check_books()

    def round_of_the_dispatcher(self):
        """Waits until it has looked at everything once more."""
        n = self.one("INSERT INTO command (at_us, actor, kind, args) VALUES (1, 'test', 'delivery.retry', "
                     "'{\"deliveries\":[]}') RETURNING id")
        self.cluster.sql("NOTIFY command")
        wait_until(lambda: self.one(f"SELECT done_us IS NOT NULL FROM command WHERE id = {n}") == "t", what="a round")

    def at(self, us):
        self.set_clock(f"{datetime.datetime.fromtimestamp(us // 1000000, datetime.timezone.utc):%Y-%m-%dT%H:%M:%S}"
                       f".{us % 1000000:06d}Z")
        self.round_of_the_dispatcher()

    def test_across_the_horizon(self):
        """Tried for 6.5 days; what cannot arrive any more is dead in that very moment: at a pixel that fails, at
        one that is held, behind a circuit held open; what may have arrived ends with the dedup window."""
        stub, mute = self.stub(lambda body: DOWN), self.stub(lambda body: None)
        urls = {"TRACKAI_META_URL": stub.url, "TRACKAI_TIKTOK_URL": stub.url, "TRACKAI_PINTEREST_URL": mute.url}
        self.begin(clock=self.set_clock(NOW), urls=urls)
        self.shop("other", ("meta",), "777")
        self.start()
        self.put(1)
        self.put(1, store=2, us=int(self.one("SELECT max(received_us) FROM event")) + 1)
        self.waiting(4)
        self.p.run("pixel", "hold", "tiktok")
        self.p.run("pixel", "circuit", "other/meta", "open")
        deadlines = {int(p): int(d) for p, d in self.cluster.sql("SELECT pixel_id, deadline_us FROM retry")}
        received = int(self.one("SELECT max(received_us) FROM event WHERE store_id = 1"))
        self.assertEqual(deadlines[2] - received, 6.5 * 86400 * 1000000)
        self.assertEqual(deadlines[3], deadlines[2])
        first = int(self.one("SELECT first_sent_us FROM retry WHERE pixel_id = 1"))
        self.assertEqual(deadlines[1] - first, (86400 - 60) * 1000000)
        tries = 1
        for hour in range(6, 6 * 26, 6):
            us = received + hour * 3600 * 1000000
            if us - 6 * 3600 * 1000000 < deadlines[1] <= us:
                self.check_moment(deadlines[1], 1, "20")
            self.at(us)
            wait_until(lambda: int(self.one("SELECT max(attempt) FROM verdict WHERE pixel_id = 2")) > tries,
                       what=f"another attempt in hour {hour}")
            tries = int(self.one("SELECT max(attempt) FROM verdict WHERE pixel_id = 2"))
            self.assertEqual(self.one("SELECT count(*) FROM retry"), "4" if us < deadlines[1] else "3")
        self.check_moment(deadlines[2], 2, "19", 3)
        self.check_moment(deadlines[4], 4, "19")
        self.assertEqual(self.one("SELECT count(*) FROM retry"), "0")
        self.assertEqual(self.one("SELECT count(*) FROM verdict WHERE pixel_id IN (3, 4)"), "4")
        self.assertGreater(tries, 24)
        self.check_books()

    def check_moment(self, deadline, pixel, reason, *more):
        """Alive a microsecond before, dead by that reason at the deadline."""
        self.at(deadline - 1)
        self.assertEqual(self.one(f"SELECT count(*) FROM retry WHERE pixel_id = {pixel}"), "1")
        self.at(deadline)
        for p in (pixel, *more):
            wait_until(lambda p=p: self.one(f"SELECT count(*) FROM verdict WHERE pixel_id = {p} AND after >= 3") == "1",
                       what="the verdict")
            self.assertEqual(self.cluster.sql(f"SELECT after, reason, at_us FROM verdict WHERE pixel_id = {p} AND "
                                              "after >= 3"), [["9", reason, str(deadline)]])

    def test_nearest_deadline_first(self):
        """Of more than one read takes, whatever order it became due in."""
        stub = self.stub(took_all)
        self.begin(platforms=("meta",), urls={"TRACKAI_META_URL": stub.url})
        self.put(2500)
        self.cluster.sql("UPDATE route SET decision = 2; INSERT INTO retry (event_id, pixel_id, run, tries, due_us, "
                         "deadline_us, reason) SELECT event_id, pixel_id, 1, 1, 5000 - (event_id & 65535) % 5000, "
                         "9000000000000000 + (event_id & 65535) % 5000, 0 FROM route")
        self.start()
        self.settle(2500)
        order = [[int(i) for i in re.findall(rb'"event_id":"wire-0*(\d+)"', body)] for body in stub.seen]
        self.assertEqual(sum(map(len, order)), 2500)
        # four at a time: among those they may overtake one another
        self.assertEqual(sorted(sum(order[:4], [])), list(range(1, 2001)))
        self.assertIn(list(range(1, 501)), order[:4])


if __name__ == "__main__":
    unittest.main()
