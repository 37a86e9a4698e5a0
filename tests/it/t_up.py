"""up, status, down: the private cluster and serve, and what goes wrong with them."""
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import unittest

from lib import SLOW, TRACKAI, ensure_user, free_port, scratch_dir, wait_until


class Up(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        ensure_user()
        cls.base = scratch_dir("ta-up-")
        cls.data = os.path.join(cls.base, "d")
        cls.port = free_port()
        cls.env = {k: v for k, v in os.environ.items()
                   if not k.startswith(("TRACKAI_", "PG", "XDG_")) and k != "DATABASE_URL"}
        cls.env.update(TRACKAI_DATA=cls.data, TRACKAI_LISTEN=f"127.0.0.1:{cls.port}", HOME=cls.base,
                       TZ="UTC", LC_ALL="C.UTF-8")

    @classmethod
    def tearDownClass(cls):
        subprocess.run([TRACKAI, "down"], env=cls.env, stdout=subprocess.DEVNULL)
        shutil.rmtree(cls.base, ignore_errors=True)

    def run_(self, *args, status=0, **env):
        p = subprocess.run([TRACKAI, *args], env={**self.env, **env}, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, text=True, timeout=120 * SLOW)
        self.assertEqual(p.returncode, status, p.stdout + p.stderr)
        return p

    def status(self):
        p = subprocess.run([TRACKAI, "status", "--json"], env=self.env, stdout=subprocess.PIPE, text=True)
        return json.loads(p.stdout)

    def role_pid(self, role):
        for r in self.status()["roles"]:
            if r["role"] == role and not r["silent"] and os.path.exists(f"/proc/{r['pid']}"):
                return r["pid"]
        return 0

    def answers(self):
        return self.status()["listener"]["answers"]

    def test_01_nothing_yet(self):
        self.assertIn("trackai up", self.run_("store", "list", status=2).stderr)
        self.assertIn("not running", self.run_("status", status=3).stdout)
        self.assertIn("nothing was running", self.run_("down").stdout)

    def test_02_first_use(self):
        out = self.run_("up").stdout
        self.assertIn("private database", out)
        self.assertIn(f"http://127.0.0.1:{self.port}", out)
        self.assertTrue(self.answers())
        self.assertEqual(self.run_("store", "list", "--json").stdout, "[]\n")
        s = self.status()
        self.assertTrue(s["database"]["private"] and s["database"]["reachable"])
        self.assertFalse(s["separation"])
        self.assertEqual(os.stat(os.path.join(self.data, "sock")).st_mode & 0o777, 0o700)
        self.assertEqual(os.stat(os.path.join(self.data, "keys")).st_mode & 0o777, 0o700)
        owner = os.stat(f"/proc/{s['serve']['pid']}").st_uid
        want = pwd.getpwnam("trackai").pw_uid if os.geteuid() == 0 else os.geteuid()
        self.assertEqual(owner, want)
        with open(f"/proc/{s['database']['pid']}/net/tcp") as f:
            self.assertNotIn(f":{5432:04X} ", f.read())

    def test_03_second_up(self):
        before = self.status()
        self.assertIn("already running", self.run_("up").stdout)
        after = self.status()
        self.assertEqual((before["serve"], before["database"]), (after["serve"], after["database"]))

    def test_04_killed_server_comes_back(self):
        pid = self.status()["database"]["pid"]
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: self.status()["database"]["pid"] not in (0, pid) and
                   self.status()["database"]["reachable"], what="a new server")
        self.assertEqual(self.run_("store", "list", "--json").stdout, "[]\n")

    def test_05_killed_supervisor_is_followed_by_another(self):
        before = self.status()
        listener = wait_until(lambda: self.role_pid("listener"), what="the listener's beat")
        os.kill(before["serve"]["pid"], signal.SIGKILL)
        wait_until(lambda: not os.path.exists(f"/proc/{listener}"), what="the listener's end")
        self.assertIn("running (pid", self.run_("up").stdout)
        after = self.status()
        self.assertEqual(before["database"]["pid"], after["database"]["pid"])
        self.assertNotEqual(before["serve"]["pid"], after["serve"]["pid"])
        # The adopted server is watched too.
        os.kill(after["database"]["pid"], signal.SIGKILL)
        wait_until(lambda: self.status()["database"]["pid"] not in (0, after["database"]["pid"]) and
                   self.status()["database"]["reachable"], what="a new server")

    def test_06_down(self):
        self.assertIn("stopped", self.run_("down").stdout)
        s = self.status()
        self.assertEqual((s["database"]["pid"], s["serve"]["pid"], s["listener"]["answers"]), (0, 0, False))

    def test_06_stale_pid_files(self):
        path = os.path.join(self.data, "pg", "postmaster.pid")
        with open(path, "w") as f:
            f.write(f"{os.getpid()}\n{self.data}/pg\n0\n5432\n")
        with open(os.path.join(self.data, "run", "up.pid"), "w") as f:
            f.write(f"{os.getpid()}\n")
        lock = os.path.join(self.data, "sock", ".s.PGSQL.5432.lock")
        shutil.copy(path, lock)
        for p in (path, lock):
            shutil.chown(p, os.stat(self.data).st_uid, os.stat(self.data).st_gid)
        self.run_("up")
        self.assertTrue(self.answers())

    def test_07_everything_killed(self):
        """Supervisor and server at once, as a power cut does."""
        s = self.status()
        for pid in (s["serve"]["pid"], s["database"]["pid"]):
            os.kill(pid, signal.SIGKILL)
        self.run_("up")
        self.assertTrue(self.answers())
        self.assertEqual(self.run_("store", "list", "--json").stdout, "[]\n")
        self.run_("down")

    def test_08_orphaned_server_is_stopped(self):
        self.run_("up")
        s = self.status()
        os.kill(s["serve"]["pid"], signal.SIGKILL)
        wait_until(lambda: self.status()["serve"]["pid"] == 0, what="the supervisor's end")
        self.assertIn("stopped", self.run_("down").stdout)
        self.assertEqual(self.status()["database"]["pid"], 0)
        wait_until(lambda: not self.answers(), what="the listener's end")

    def test_09_address_taken(self):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            s.listen()
            p = self.run_("up", status=2, TRACKAI_LISTEN="127.0.0.1:%d" % s.getsockname()[1])
        self.assertIn("cannot listen on", p.stderr)
        self.assertEqual(self.status()["database"]["pid"], 0)

    def test_10_other_major(self):
        path = os.path.join(self.data, "pg", "PG_VERSION")
        with open(path) as f:
            was = f.read()
        with open(path, "w") as f:
            f.write("14\n")
        self.assertIn("pg_upgrade", self.run_("up", status=2).stderr)
        with open(path, "w") as f:
            f.write(was)
        self.run_("up")
        self.run_("down")

    def test_11_named_database(self):
        p = self.run_("up", status=2, TRACKAI_DATABASE="host=/nowhere")
        self.assertIn("nothing private is started", p.stderr)
        self.assertIn("nothing private is started", self.run_("up", status=2, PGHOST="/nowhere").stderr)

    def test_12_long_path(self):
        p = self.run_("up", status=2, TRACKAI_DATA="/tmp/" + "a" * 100)
        self.assertIn("too long", p.stderr)

    def test_13_foreign_contents(self):
        data = os.path.join(self.base, "foreign")
        os.makedirs(os.path.join(data, "pg", "something"))
        shutil.chown(data, os.stat(self.data).st_uid, os.stat(self.data).st_gid)
        self.assertIn("holds no database", self.run_("up", status=2, TRACKAI_DATA=data).stderr)

    def test_14_plain_without_a_terminal(self):
        p = self.run_(status=2)
        self.assertIn("needs a terminal", p.stderr)


if __name__ == "__main__":
    unittest.main()
