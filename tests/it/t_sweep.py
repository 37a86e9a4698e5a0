"""The sweeper: work that does not move although nothing keeps it is found, told, and taken up again."""
import json
import os
import signal
import time
import unittest

from delivering import DELIVERED, DOWN, NOW, Delivering, took_all
from lib import SLOW, wait_until


class Sweep(Delivering):
    def serve_and_sweep(self):
        self.p.start("serve", "--roles", "dispatcher,folder")
        self.p.active("dispatcher")
        self.p.active("folder")

    def stuck(self):
        """kind -> deliveries that do not move."""
        return {int(k): int(n) for k, n in self.cluster.sql("SELECT kind, n FROM stuck WHERE ended_us IS NULL")}

    def test_what_was_forgotten_is_taken_up_again(self):
        """A route behind the dispatcher's position, a claim that it does not know."""
        self.begin(clock=self.set_clock(NOW), platforms=("meta",))
        self.serve_and_sweep()
        self.put(3)
        self.settle(3)
        wait_until(lambda: self.one("SELECT max(pos) >= (SELECT max(id) FROM event) FROM curlog WHERE stage = "
                                    "'dispatch'") == "t", what="the position behind them")
        us = int(self.one("SELECT min(received_us) FROM event"))
        self.put(2, us=us - 5000)
        self.put(2, us=us - 4000)
        self.cluster.sql("INSERT INTO inflight (id, pixel_id, events, runs, tries, pixel_version, first_sent_us) SELECT "
                         f"min(event_id), 1, array_agg(event_id), '{{1,1}}', '{{0,0}}', 1, {us} FROM route WHERE "
                         f"event_id >> 21 = {us - 4000} / 1000")
        self.set_clock("2026-11-22T10:41:30Z")
        begun = time.monotonic()
        self.settle(7)
        self.assertLess(time.monotonic() - begun, 20 * SLOW)
        self.assertEqual(self.finals(), {DELIVERED: 7})
        self.assertEqual(self.cluster.sql("SELECT kind, n FROM stuck ORDER BY 1"), [["2", "2"], ["3", "2"]])
        wait_until(lambda: not self.stuck(), what="the end of it")
        self.assertEqual(self.one("SELECT count(*) FROM audit WHERE action = 'dispatcher.resume'"), "1")
        self.assertEqual(sum(v["repeats"] for v in self.sandbox.summary().values()), 0)
        self.assertIn("2 deliveries of pixel 1 are stuck", self.p.output())
        self.check_books()

    def test_a_next_attempt_in_the_past_is_found(self):
        """Trap 15: nobody takes it, because the dispatcher stands still; a held pixel is no alarm."""
        down = [True]
        stub = self.stub(lambda body: DOWN if down[0] else took_all(body))
        self.begin(clock=self.set_clock(NOW), platforms=("meta", "tiktok"),
                   urls={"TRACKAI_META_URL": stub.url, "TRACKAI_TIKTOK_URL": stub.url})
        self.serve_and_sweep()
        self.put(2)
        self.waiting(4)
        self.p.run("pixel", "hold", "tiktok")
        pid = int(self.one("SELECT pid FROM heartbeat WHERE role = 'dispatcher' AND active"))
        os.kill(pid, signal.SIGSTOP)
        try:
            self.set_clock("2026-11-22T10:45:00Z")
            wait_until(lambda: self.stuck() == {1: 2}, 30, what="the finding")
            self.assertEqual(self.one("SELECT pixel_id FROM stuck"), "1")
            lines = {x["check"]: x["text"] for x in json.loads(self.p.run("doctor", "--json", ok=False).stdout)}
            self.assertIn("2 deliveries of shop/meta do not move since 2026-11-22T10:40:", lines["stuck work"])
        finally:
            os.kill(pid, signal.SIGCONT)
        down[0] = False
        self.settle(2)
        wait_until(lambda: not self.stuck(), what="the end of it")


if __name__ == "__main__":
    unittest.main()
