"""Circuits of pixels: told to everybody, kept over a restart, opened and closed by hand; and how slowly what
waited comes back."""
import unittest

from delivering import DELIVERED, DOWN, NOW, Delivering, took_all
from lib import wait_until


class Circuit(Delivering):
    def circuit(self, pixel="meta"):
        return self.p.json("pixel", "circuit", pixel)

    def fail_often(self):
        """Five failures in a row, one request each."""
        for i in range(5):
            self.put(1)
            self.cluster.sql("NOTIFY route")
            wait_until(lambda: self.one("SELECT count(*) FROM retry") == str(i + 1), what="a failure")

    def test_is_told_and_outlives_a_restart(self):
        down = [True]
        stub = self.stub(lambda body: DOWN if down[0] else took_all(body))
        self.begin(clock=self.set_clock(NOW), platforms=("meta",), urls={"TRACKAI_META_URL": stub.url})
        serve = self.start()
        self.assertEqual(self.circuit()["state"], "closed")
        self.fail_often()
        wait_until(lambda: self.circuit()["state"] == "open", what="the open circuit")
        told = self.p.json("pixel", "show", "meta")["circuit"]
        self.assertEqual((told["state"], told["failures"], told["error"]), ("open", 5, "temporarily unavailable"))
        self.assertEqual(self.p.json("pixel", "list")[0]["circuit"], told)
        self.assertIn("open until 10:40:", self.p.run("pixel", "circuit", "meta").stdout)
        self.put(3)
        self.p.stop(serve)
        self.start()
        self.p.active("dispatcher")
        self.assertEqual(self.p.run("delivery", "retry", "--pixel", "meta").returncode, 0)  # it is at work
        self.assertEqual(len(stub.seen), 5)
        self.set_clock("2026-11-22T10:40:20Z")
        wait_until(lambda: len(stub.seen) == 6, what="the probe")
        wait_until(lambda: self.one("SELECT opened FROM circuit") == "2", what="the longer pause")
        down[0] = False
        self.set_clock("2026-11-22T10:50:00Z")
        self.settle(8)
        wait_until(lambda: self.circuit()["state"] == "closed", what="the closed circuit")
        self.check_books()

    def test_by_hand(self):
        self.begin(clock=self.set_clock(NOW), platforms=("meta", "tiktok"))
        serve = self.start()
        self.p.active("dispatcher")
        self.assertEqual(self.p.run("pixel", "circuit", "meta", "shut", ok=False).returncode, 2)
        self.assertEqual(self.p.run("pixel", "circuit", "meta", "close", "--for", "1h", ok=False).returncode, 2)
        self.assertIn("held open by", self.p.run("pixel", "circuit", "meta", "open").stdout)
        self.put(20)
        self.settle(20)
        self.p.stop(serve)
        serve = self.start()
        self.put(5)
        self.settle(25)
        self.assertEqual(self.sandbox.summary()["meta"]["events"], 0)
        told = self.circuit()
        self.assertEqual((told["state"], told["until"]), ("open", None))
        self.assertTrue(told["held_by"])
        self.p.run("pixel", "circuit", "meta", "close")
        self.settle(50)
        wait_until(lambda: self.circuit()["state"] == "closed", what="the closed circuit")
        self.assertIn("until 12:40:00Z", self.p.run("pixel", "circuit", "meta", "open", "--for", "2h").stdout)
        self.put(5)
        self.settle(55)
        self.set_clock("2026-11-22T12:39:00Z")
        self.assertEqual(self.circuit()["state"], "open")
        self.set_clock("2026-11-22T12:40:00Z")
        self.settle(60)
        self.assertEqual(self.one("SELECT count(*) FROM audit WHERE action LIKE 'pixel.circuit%'"), "3")
        self.assertEqual(self.finals(), {DELIVERED: 60})
        self.assertEqual(sum(v["repeats"] for v in self.sandbox.summary().values()), 0)
        self.check_books()

    def test_no_flood_when_it_comes_back(self):
        """Trap 24: a probe, then more each second; live traffic goes before what waited."""
        self.begin(clock="", platforms=("meta",), fault="meta:status=503")
        self.start()
        self.fail_often()
        wait_until(lambda: self.circuit()["state"] == "open", what="the open circuit")
        for _ in range(4):
            self.put(1000)
        wait_until(lambda: self.one("SELECT max(pos) >= (SELECT max(id) FROM event) FROM curlog WHERE stage = "
                                    "'dispatch'") == "t", what="the scan behind them")
        self.sandbox.heal()
        self.p.run("pixel", "circuit", "meta", "close")
        wait_until(lambda: self.circuit()["state"] == "closed", what="the closed circuit")
        self.put(1)
        self.cluster.sql("NOTIFY route")
        live = self.next - 1
        wait_until(lambda: self.one(f"SELECT count(*) FROM verdict WHERE event_id & 65535 = {live}") == "1",
                   what="the live event")
        waited = 4005 - int(self.one("SELECT count(*) FROM verdict WHERE after >= 3"))
        self.assertGreater(waited, 1000)
        self.settle(4006)
        self.check_books()
        rows = self.sandbox.request("GET", "/_sandbox/seconds")["meta"]
        first = next(i for i, row in enumerate(rows) if row[2] >= 50)
        back = [row[2] for row in rows if row[0] >= rows[first][0]]
        # 200 in the first second of the return, then twice as many in each; a bucket of ours may hold parts of two
        most = [50 + 200 + 50] + [400 << i for i in range(8)]
        self.assertGreaterEqual(len(back), 3, back)
        for n, limit in zip(back, most):
            self.assertLessEqual(n, 1.3 * limit, back)
        self.assertEqual(sum(v["repeats"] for v in self.sandbox.summary().values()), 0)


if __name__ == "__main__":
    unittest.main()
