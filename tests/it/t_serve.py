"""serve: refuses what cannot work, restarts what dies, stops within 10 s, takes its children along."""
import os
import shutil
import signal
import unittest

from lib import Cluster, Program, wait_until


class Serve(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster()
        cls.p = Program(cls.cluster)

    @classmethod
    def tearDownClass(cls):
        cls.p.destroy()
        cls.cluster.destroy()

    def refused(self, words, *args, **env):
        keep = dict(self.p.env)
        self.p.env.update(env)
        p = self.p.run("serve", *args, ok=False)
        self.p.env = keep
        self.assertEqual(p.returncode, 2, p.stderr)
        self.assertIn(words, p.stderr)

    def beat(self, role):
        rows = self.cluster.sql(f"SELECT pid FROM heartbeat WHERE role = '{role}' ORDER BY at_us DESC LIMIT 1")
        return int(rows[0][0]) if rows else 0

    def test_1_unmigrated(self):
        self.refused("trackai migrate")

    def test_2_keys(self):
        self.p.run("migrate")
        key = os.path.join(self.p.home, "keys", "ingest.key")
        os.rename(key, key + ".away")
        self.refused("is missing")
        with open(key, "w") as f:
            f.write("11" * 32 + "\n")
        os.chmod(key, 0o600)
        self.refused("is not this database's ingest key")
        os.chmod(key, 0o644)
        self.refused("chmod 600")
        os.rename(key + ".away", key)

    def test_3_usage(self):
        self.refused("is none of", "--roles", "listener,cook")
        self.refused("one word too many", "now")
        self.refused("no address:port", "--roles", "listener", TRACKAI_LISTEN="8090")
        for url in ("http://example.com/v24.0", "http://127.0.0.1.example.com/v24.0", "ftp://127.0.0.1/x", "meta"):
            self.refused("http to the loopback", "--roles", "listener", TRACKAI_META_URL=url)
        self.refused("is not a size such as", "--roles", "listener", TRACKAI_DISK_RESERVE="plenty")

    def test_4_restarts(self):
        p = self.p.serve()
        pid = wait_until(lambda: self.beat("listener"), what="the listener's beat")
        self.refused("cannot listen on")
        os.kill(pid, signal.SIGKILL)
        again = wait_until(lambda: self.beat("listener") not in (0, pid) and self.beat("listener"),
                           what="another listener")
        self.assertIn("was killed by signal 9", self.p.output())
        wait_until(lambda: self.p.get("/healthz")[0] == 200, what="an answer")
        p.send_signal(signal.SIGHUP)
        wait_until(lambda: "reloading" in self.p.output(), what="the reload")
        self.assertEqual(self.p.get("/healthz")[0], 200)
        self.assertEqual(self.p.stop(p), 0)
        self.assertNotIn("killing it", self.p.output())
        self.assertFalse(os.path.exists(f"/proc/{again}"))
        self.assertTrue(os.path.exists(os.path.join(self.p.home, "log", "trackai.log")))

    def test_5_children_die_with_it(self):
        p = self.p.serve()
        pid = wait_until(lambda: os.path.exists(f"/proc/{self.beat('listener')}") and self.beat("listener"),
                         what="the listener's beat")
        p.kill()
        p.wait()
        wait_until(lambda: not os.path.exists(f"/proc/{pid}"), what="the listener's end")

    def test_6_puller_is_accepted(self):
        p = self.p.serve("--roles", "listener,puller")
        wait_until(lambda: "nothing to pull" in self.p.output(), what="the word about the puller")
        self.assertEqual(self.p.stop(p), 0)

    def test_7_only_its_own_key(self):
        """A role that opens nothing needs no key at all."""
        keys = os.path.join(self.p.home, "keys")
        os.rename(os.path.join(keys, "deliver.key"), os.path.join(keys, "away"))
        p = self.p.serve("--roles", "listener")
        self.assertEqual(self.p.stop(p), 0)
        shutil.move(os.path.join(keys, "away"), os.path.join(keys, "deliver.key"))


if __name__ == "__main__":
    unittest.main()
