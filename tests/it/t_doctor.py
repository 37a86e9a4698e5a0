"""What the doctor says of the database, each condition made for real: settings, clocks, locks, old and
prepared transactions, a slot and an archive that hold the log back, growth, retention, deadlines."""
import json
import os
import subprocess
import unittest
from datetime import datetime, timezone

from lib import USER, OnCluster, pg_bin, wait_until

NOW = "2026-11-22T10:40:00Z"


class Session:
    """One psql that keeps its connection."""

    def __init__(self, cluster):
        self.p = subprocess.Popen([os.path.join(pg_bin(), "psql"), "-XqAt", "-h", cluster.dir, "-U", USER, "-d", "trackai"],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
                                  env=dict(os.environ, PGAPPNAME="forgotten session"))

    def say(self, sql, answers=True):
        self.p.stdin.write(sql + ";\n" + ("\\echo done\n" if answers else ""))
        self.p.stdin.flush()
        for line in self.p.stdout if answers else ():
            if line == "done\n":
                return

    def end(self):
        self.p.stdin.close()
        self.p.wait(30)
        self.p.stdout.close()


class Doctor(OnCluster):
    clock = NOW

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.set("max_prepared_transactions = 2", "archive_mode = on", "archive_command = '/bin/false'",
                "archive_timeout = 0")
        cls.cluster.stop()
        cls.cluster.start()
        cls.p.run("migrate")
        cls.p.run("store", "add", "--name", "Shop", "--platform", "shopify", "--domain", "demo.myshopify.com",
                  "--webhook-secret", "s", "--currency", "EUR")

    @classmethod
    def set(cls, *lines):
        with open(os.path.join(cls.cluster.data, "postgresql.conf"), "a") as f:
            f.write("\n".join(lines) + "\n")

    def lines(self, check, *args):
        found = [r for r in json.loads(self.p.run("doctor", "--json", *args, ok=False).stdout) if r["check"] == check]
        return found

    def says(self, check, state, *words, args=()):
        got = self.lines(check, *args)
        self.assertIn(state, {r["state"] for r in got}, got)
        text = " ".join(r["text"] for r in got)
        for word in words:
            self.assertIn(word, text)
        return text

    def session(self):
        s = Session(self.cluster)
        self.addCleanup(s.end)
        return s

    def test_settings(self):
        self.says("settings", "ok", "autovacuum is on")
        self.set("fsync = off", "full_page_writes = off", "synchronous_commit = off", "autovacuum = off")
        self.cluster.sql("SELECT pg_reload_conf()")
        wait_until(lambda: self.cluster.sql("SHOW fsync") == [["off"]], what="the reload")
        self.says("settings", "fail", "fsync is off", "full_page_writes is off", "synchronous_commit is off",
                  "autovacuum is off", "postgresql.conf:", "set fsync = on")
        self.says("durability", "fail", "fsync")
        self.assertEqual(self.p.run("doctor", ok=False).returncode, 1)
        self.set("fsync = on", "full_page_writes = on", "synchronous_commit = on", "autovacuum = on")
        self.cluster.sql("SELECT pg_reload_conf()")
        wait_until(lambda: self.cluster.sql("SHOW fsync") == [["on"]], what="the reload")
        self.says("settings", "ok")
        self.says("connections", "ok", " of 60")

    def test_clock(self):
        self.says("server clock", "warn", "our")  # ours is a moment of 2026
        clock = self.p.env.pop("TRACKAI_CLOCK")
        try:
            self.says("server clock", "ok", "within")
        finally:
            self.p.env["TRACKAI_CLOCK"] = clock

    def test_locks_and_transactions(self):
        self.says("locks", "ok", "longer than 5 s")
        self.says("transactions", "ok", "older than 300 s")
        holder, waiter = self.session(), self.session()
        holder.say("BEGIN; LOCK TABLE refused")
        waiter.say("DELETE FROM refused WHERE id < 0", answers=False)
        wait_until(lambda: self.cluster.sql("SELECT count(*) FROM pg_locks WHERE NOT granted AND waitstart IS NOT NULL")
                   == [["1"]], what="the wait")
        pid = self.cluster.sql("SELECT pid FROM pg_stat_activity WHERE state = 'idle in transaction'")[0][0]
        # What it counts itself is behind the same lock: it does not wait there.
        self.says("locks", "fail", "forgotten session", "refused", f"pg_terminate_backend({pid})",
                  args=("--patience", "0"))
        holder.say("COMMIT")
        waiter.say("SELECT 1")

    def test_an_old_snapshot(self):
        s = self.session()
        s.say("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM store")
        self.says("transactions", "warn", "forgotten session", "idle in transaction", "old snapshot",
                  "pg_terminate_backend", args=("--patience", "0"))
        s.say("COMMIT")

    def test_prepared(self):
        self.assertEqual(self.lines("prepared transactions"), [])
        self.cluster.sql("BEGIN; INSERT INTO revision (at_us, actor, what) VALUES (0, 'x', 'y'); PREPARE TRANSACTION 'lost'")
        self.says("prepared transactions", "warn", "lost", "ROLLBACK PREPARED")
        self.cluster.sql("ROLLBACK PREPARED 'lost'")

    def test_the_log(self):
        self.says("wal", "ok", "MiB")
        self.says("checkpoints", "ok", "by time")
        self.cluster.sql("SELECT pg_create_physical_replication_slot('forgotten', true)")
        self.cluster.sql("SELECT pg_switch_wal()")
        self.says("wal slot", "warn", "forgotten", "pg_drop_replication_slot")
        self.cluster.sql("SELECT pg_drop_replication_slot('forgotten')")
        self.assertEqual(self.lines("wal slot"), [])
        wait_until(lambda: self.cluster.sql("SELECT failed_count > 0 FROM pg_stat_archiver") == [["t"]],
                   what="a failed archiving")
        self.says("wal archive", "fail", "archiving fails", "archive_command")

    def test_growth(self):
        """A day's partition of some MiB: how long the room lasts, against the reserve."""
        self.says("days to full", "ok", "grows by")
        first, end = (int(datetime(2026, 11, d, tzinfo=timezone.utc).timestamp()) * 1000 << 21 for d in (21, 22))
        self.cluster.sql(f"CREATE TABLE event_doc_20261121 PARTITION OF event_doc FOR VALUES FROM ({first}) TO ({end})")
        self.cluster.sql(f"INSERT INTO event_doc SELECT {first} + i, decode(repeat(md5(i::text), 60), 'hex') FROM "
                         "generate_series(1, 4000) i; ANALYZE event_doc_20261121")
        text = self.says("days to full", "ok", "are free")
        self.assertRegex(text, r"^[0-9.]+: the database has \d+ MiB and grows by [1-9]\d* MiB a day")
        room = os.statvfs(self.cluster.data)
        self.p.env["TRACKAI_DISK_RESERVE"] = str(room.f_blocks * room.f_frsize)  # whatever others free meanwhile
        try:
            self.says("days to full", "fail", "0.0:", "the reserve is reached", "503")
        finally:
            del self.p.env["TRACKAI_DISK_RESERVE"]
            self.cluster.sql("DROP TABLE event_doc_20261121")

    def test_retention(self):
        self.says("retention", "ok", "nothing is behind")
        self.cluster.sql("CREATE TABLE inbox_body_20260801 PARTITION OF inbox_body FOR VALUES FROM ('1') TO ('2')")
        self.says("retention", "warn", "inbox_body_20260801", "folder")
        self.cluster.sql("DROP TABLE inbox_body_20260801")

    def test_expiring(self):
        self.assertEqual(self.lines("expiring"), [])
        self.cluster.sql("INSERT INTO retry (event_id, pixel_id, run, tries, due_us, deadline_us, reason) "
                         "VALUES (1, 1, 1, 3, 1, 1795344000000000 + 3600000000, 24)")
        self.says("expiring", "warn", "1 deliveries", "--expiring")
        self.cluster.sql("DELETE FROM retry")

    def test_wrong_words(self):
        self.assertEqual(self.p.run("doctor", "--patience", "-5", ok=False).returncode, 2)


if __name__ == "__main__":
    unittest.main()
