"""Retries: nearest deadline first, dead exactly at the deadline, now by hand and never twice; lists of what
waits and of what is dead."""
import os
import unittest

from delivering import NOW, Delivering
from lib import wait_until

DOWN = 503, {}, b'{"error":{"message":"temporarily unavailable","code":2,"is_transient":true}}'


class Retry(Delivering):
    def set_clock(self, text):
        path = os.path.join(self.cluster.dir, "clock")
        with open(path, "w") as f:
            f.write(text)
        os.chmod(path, 0o644)
        return "@" + path

    def waiting(self, n):
        wait_until(lambda: self.one("SELECT count(*) FROM retry") == str(n), what=f"{n} retries")

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


if __name__ == "__main__":
    unittest.main()
