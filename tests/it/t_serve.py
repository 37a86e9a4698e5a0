"""serve: refuses what cannot work, restarts what dies, stops within 10 s, takes its children along."""
import os
import shutil
import signal
import unittest

from lib import OnCluster, wait_until


class Serve(OnCluster):
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
        self.refused("none of error, warn, info, debug", "--log-level", "loud")

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

    def test_6_puller(self):
        p = self.p.serve("--roles", "listener,puller")
        self.p.active("puller")
        self.assertEqual(self.p.stop(p), 0)

    def test_7_only_its_own_key(self):
        """A role that opens nothing needs no key at all."""
        keys = os.path.join(self.p.home, "keys")
        os.rename(os.path.join(keys, "deliver.key"), os.path.join(keys, "away"))
        p = self.p.serve("--roles", "listener")
        self.assertEqual(self.p.stop(p), 0)
        shutil.move(os.path.join(keys, "away"), os.path.join(keys, "deliver.key"))

    def test_8_debug_lines(self):
        """Switched on and off in a file, without a restart; a broken file changes nothing."""
        folder = os.path.join(self.p.home, ".config", "trackai")
        os.makedirs(folder)
        conf = os.path.join(folder, "trackai.conf")
        log = os.path.join(self.p.home, "log", "trackai.log")

        def lines():
            with open(log, errors="replace") as f:
                return [line.split(" ", 3) for line in f.read().splitlines()]

        def reload(text, role, words):
            with open(conf, "w") as f:
                f.write(text)
            p.send_signal(signal.SIGHUP)
            wait_until(lambda: self.p.get("/healthz")[0] == 200 and send() and
                       any(li[1] == role and words in li[3] for li in lines()), what=words)

        def send():
            self.n += 1
            h = {"Authorization": "Bearer " + key}
            body = b'{"event":"page_view","event_id":"e-%d"}' % self.n
            return self.p.request("POST", "/event/track", body, h)[0] == 200

        self.n = 0
        self.p.run("store", "add", "--name", "S", "--platform", "custom", "--currency", "EUR")
        key = self.p.json("key", "add", "--store", "S", "--scope", "track")["key"]
        p = self.p.serve("--roles", "listener,router")
        wait_until(lambda: send() and self.cluster.sql("SELECT 1 FROM event LIMIT 1"), what="an event")
        self.assertFalse([li for li in lines() if li[2] == "debug"])
        reload("log level = debug\n", "listener", "the log level is debug now")
        wait_until(lambda: {li[1] for li in lines() if li[2] == "debug"} >= {"listener", "router"},
                   what="debug lines of both")
        reload("log level = loud\n", "listener", "the log level stays debug")
        reload("log level = warn\n", "listener", "the log level is warn now")
        self.assertEqual(self.p.stop(p), 0)


if __name__ == "__main__":
    unittest.main()
