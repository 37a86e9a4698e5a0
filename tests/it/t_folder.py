"""The folder on a real PostgreSQL with a clock that the test moves: books add up once, buckets are
those of the store, compaction changes no sum, and nothing goes that somebody needs."""
import datetime
import json
import os
import signal
import subprocess
import unittest

from lib import USER, Cluster, Program, pg_bin, wait_until

SHIFT = 21
CURSORS = {1: "folder:1", 2: "folder:2"}
DAY = 86400
NOW = "2026-11-22T10:40:00Z"
NOW_S = 1795344000


def log_id(seconds, n=0):
    return (int(seconds * 1000) << SHIFT) + n


class Folder(unittest.TestCase):
    def setUp(self):
        self.cluster = Cluster()
        self.clock = os.path.join(self.cluster.dir, "clock")
        self.set_clock(NOW)
        self.p = Program(self.cluster, clock="@" + self.clock)
        self.p.run("migrate")
        for name, zone in (("utc", "UTC"), ("india", "Asia/Kolkata"), ("york", "America/New_York"),
                           ("newfoundland", "America/St_Johns")):
            self.p.run("store", "add", "--name", name, "--platform", "custom", "--domain", name + ".example",
                       "--currency", "EUR", "--timezone", zone)
        self.next = [0, log_id(NOW_S), log_id(NOW_S)]
        self.serve = self.start()

    def tearDown(self):
        self.p.destroy()
        self.cluster.destroy()

    def start(self):
        return self.p.start("serve", "--roles", "folder")

    def set_clock(self, text):
        with open(self.clock, "w") as f:
            f.write(text + "\n")

    def sql(self, text):
        return self.cluster.sql(text)

    def one(self, text):
        return int(self.sql(text)[0][0])

    def tally(self, rows, stage=1):
        """rows of (minute, store, pixel, item, bin, currency, n, amount), as a stage commits them."""
        values = []
        for r in rows:
            self.next[stage] += 1
            minute, store, pixel, item, bin_, currency, n, amount = r
            values.append(f"({stage}, {self.next[stage]}, {minute}, {store}, {pixel}, {item}, {bin_}, "
                          f"'{currency}', {n}, {amount})")
        self.sql("INSERT INTO tally VALUES " + ", ".join(values) + f"; NOTIFY {'route' if stage == 1 else 'verdict'}")

    def folded(self, stage=1):
        wait_until(lambda: self.one(f"SELECT coalesce(max(pos), 0) FROM curlog WHERE stage = '{CURSORS[stage]}'") ==
                   self.next[stage], what="the fold")

    def test_books_once(self):
        minute = NOW_S // 60
        self.tally([(minute, 1, 5, 20, 0, "", 3, 0), (minute, 1, 5, 0, 0, "", 3, 0), (minute, 1, 0, 22, 0, "EUR", 2, 7239)])
        self.tally([(minute, 1, 5, 0, 0, "", -2, 0), (minute, 1, 5, 3, 0, "", 2, 0), (minute, 1, 5, 26, 40, "", 2, 0)], 2)
        self.folded(1)
        self.folded(2)
        self.assertEqual(self.sql("SELECT item, sum(n) FROM ledger WHERE pixel_id = 5 GROUP BY item ORDER BY item"),
                         [["0", "1"], ["3", "2"], ["20", "3"]])
        self.assertEqual(self.sql("SELECT sum(n), sum(amount), min(currency) FROM roll_hour WHERE item = 22"),
                         [["2", "7239", "EUR"]])
        self.p.stop(self.serve, signal.SIGKILL)
        self.tally([(minute, 1, 5, 20, 0, "", 1, 0), (minute, 1, 5, 0, 0, "", 1, 0)])
        self.serve = self.start()
        self.folded(1)
        self.assertEqual(self.one("SELECT sum(n) FROM ledger WHERE item = 20"), 4)
        self.assertEqual(self.one("SELECT sum(n) FROM roll_minute WHERE item = 20"), 4)
        self.assertEqual(self.one("SELECT sum(n) FROM roll_day WHERE item = 20"), 4)

    def test_local_buckets(self):
        at = NOW_S // 60 + 5  # 10:45 UTC
        self.tally([(at, s, 0, 21, 12, "", s, 0) for s in (1, 2, 3, 4)])
        self.folded()
        hour = NOW_S // 3600
        # 10:45 UTC is 16:15 in India (+5:30), 05:45 in New York, 07:15 in Newfoundland (-3:30)
        offsets = {1: 0, 2: 19800, 3: -18000, 4: -12600}
        local = {1: 10, 2: 16, 3: 5, 4: 7}
        for store, h in self.sql("SELECT store_id, hour FROM roll_hour ORDER BY store_id"):
            seconds = int(h) * 3600 + offsets[int(store)]
            self.assertEqual(seconds % DAY // 3600, local[int(store)])
            self.assertLessEqual(abs(int(h) - hour), 1)
        late = (NOW_S // DAY * DAY + 20 * 3600) // 60  # 20:00 UTC is already tomorrow in India
        self.tally([(late, s, 0, 21, 12, "", 10, 0) for s in (1, 2)])
        self.folded()
        self.assertEqual(self.sql("SELECT store_id, day FROM roll_day WHERE n = 10 ORDER BY store_id"),
                         [["1", str(NOW_S // DAY)], ["2", str(NOW_S // DAY + 1)]])

    def test_unknown_zone(self):
        self.sql("UPDATE store SET timezone = 'Mars/Olympus' WHERE id = 2")
        self.tally([(NOW_S // 60, 2, 0, 21, 12, "", 1, 0), (NOW_S // 60, 3, 0, 21, 12, "", 1, 0)])
        self.folded()
        self.assertEqual(self.one("SELECT hour FROM roll_hour WHERE store_id = 2"), NOW_S // 3600)
        self.assertIn("Mars/Olympus", self.p.output())

    def test_compaction_keeps_sums(self):
        minute = NOW_S // 60
        sums = ("SELECT 'm', minute, store_id, pixel_id, item, bin, currency, sum(n), sum(amount) FROM roll_minute "
                "GROUP BY 1,2,3,4,5,6,7 HAVING sum(n) <> 0 UNION ALL SELECT 'h', hour, store_id, pixel_id, item, bin, "
                "currency, sum(n), sum(amount) FROM roll_hour GROUP BY 1,2,3,4,5,6,7 HAVING sum(n) <> 0 UNION ALL "
                "SELECT 'd', day, store_id, pixel_id, item, bin, currency, sum(n), sum(amount) FROM roll_day GROUP BY "
                "1,2,3,4,5,6,7 HAVING sum(n) <> 0 UNION ALL SELECT 'l', 0, 0, pixel_id, item, 0, '', sum(n), 0 FROM "
                "ledger GROUP BY pixel_id, item ORDER BY 1,2,3,4,5,6,7")
        for i in range(6):
            self.tally([(minute - m, 1, p, item, 0, "", n, 5) for m in (0, 1) for p in (5, 6)
                        for item, n in ((20, 2), (0, 2), (3, i), (7, (-1) ** i))])
            self.folded()
        before = self.sql(sums)
        self.assertGreater(self.one("SELECT count(*) FROM roll_hour"), 30)
        self.set_clock("2026-11-22T10:41:30Z")
        wait_until(lambda: self.one("SELECT count(*) FROM roll_hour") <= 8, what="compaction")
        wait_until(lambda: self.one("SELECT count(*) FROM ledger") <= 8, what="compaction of the ledger")
        self.assertEqual([r for r in self.sql(sums) if r[7] != "0"], [r for r in before if r[7] != "0"])

    def test_ticks_and_heartbeat(self):
        wait_until(lambda: self.sql("SELECT 1 FROM heartbeat WHERE role = 'folder' AND active"), what="the heartbeat")
        detail = json.loads(self.sql("SELECT detail FROM heartbeat WHERE role = 'folder'")[0][0])
        self.assertEqual((detail["alarm"], detail["error"]), ("", ""))

    def days(self, table):
        return {r[0] for r in self.sql(f"SELECT right(c.relname, 8) FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid "
                                       f"WHERE inhparent = '{table}'::regclass")}

    def test_partitions_come_and_go(self):
        wait_until(lambda: "20261125" in self.days("event"), what="three days ahead")
        old = log_id(NOW_S, 7)
        self.sql("INSERT INTO writer (name) VALUES ('gone/away')")
        self.sql(f"INSERT INTO inbox VALUES (1, {old}, 0, 1, 0, '', '', '', '', '')")
        self.sql(f"INSERT INTO inbox_body VALUES (1, {old}, '')")
        self.set_clock("2026-12-30T00:00:00Z")
        # the body is 37 days old, but the router has not read it
        wait_until(lambda: "20261125" not in self.days("inbox_body"), what="empty days to go")
        self.assertIn("20261122", self.days("inbox_body"))
        wait_until(lambda: "stays: the router has not read writer 1" in self.p.output(), what="the alarm")
        wait_until(lambda: "stays" in self.sql("SELECT detail FROM heartbeat WHERE role = 'folder' ORDER BY at_us DESC")
                   [0][0], what="the alarm in the heartbeat")
        self.assertIn("20261122", self.days("inbox"))
        self.sql(f"INSERT INTO curlog VALUES ('router:1', {old})")
        self.set_clock("2026-12-30T01:00:00Z")
        wait_until(lambda: "20261122" not in self.days("inbox_body"), what="the body to go")
        self.assertEqual(self.sql("SELECT count(*) FROM pg_class WHERE relname = 'inbox_body_20261122'"), [["0"]])
        self.assertTrue({"20261230", "20270102"} <= self.days("inbox_body"))

    def test_what_deliveries_need_stays(self):
        event = log_id(NOW_S, 3)
        self.sql(f"INSERT INTO route VALUES ({event}, 5, 0, 0, 0, 0, 1)")
        self.sql(f"INSERT INTO curlog VALUES ('dispatch', {event})")
        self.sql(f"INSERT INTO retry VALUES ({event}, 5, 1, 1, 0, 0, 0, 0, 0)")
        self.set_clock("2028-02-01T00:00:00Z")
        wait_until(lambda: "20261123" not in self.days("route"), what="later days to go")
        self.assertIn("20261122", self.days("route"))
        wait_until(lambda: "pixel 5 has retries in it" in self.p.output(), what="the alarm")
        self.sql("DELETE FROM retry")
        self.sql(f"INSERT INTO range VALUES (1, 5, 'live', {event - 1}, 9223372036854775807, 0, 1, 'frozen', 0)")
        self.set_clock("2028-02-01T01:00:00Z")
        wait_until(lambda: "pixel 5 has deliveries waiting" in self.p.output(), what="the range's alarm")
        self.assertIn("20261122", self.days("route"))
        self.sql(f"INSERT INTO range_pos VALUES (1, {log_id(NOW_S + 2 * DAY)})")
        self.set_clock("2028-02-01T02:00:00Z")
        wait_until(lambda: "20261122" not in self.days("route"), what="the routes to go")

    def test_keys_go_with_their_events(self):
        """Key, wire id and order stay as long as the event's day, and go with it, not with others."""
        old, young, late = log_id(NOW_S, 3), log_id(NOW_S + DAY, 3), (NOW_S - 401 * DAY) * 1000000
        for i, e in enumerate((old, young)):
            self.sql(f"INSERT INTO event VALUES ({e}, 1, 9, 0, 0, 0, 1, {e}, 0, '\\x0{i}', 'wire-{i}')")
            self.sql(f"INSERT INTO event_key VALUES ('\\x0{i}', {e})")
            self.sql(f"INSERT INTO wire VALUES (1, 'wire-{i}', {e})")
        # Of another event than the row's: not its own.
        self.sql(f"INSERT INTO wire VALUES (2, 'wire-0', {young})")
        for order, seen in (("gone", late), ("held", late), ("fresh", (NOW_S + DAY) * 1000000)):
            self.sql("INSERT INTO order_state (store_id, order_id, updated_us, purchase_event, seen_us) VALUES "
                     f"(1, '{order}', 0, {old}, {seen})")
        self.sql(f"INSERT INTO hold (event_id, store_id, reason, due_us, order_id) VALUES ({young}, 1, 0, 0, 'held')")
        self.sql(f"INSERT INTO retry (event_id, pixel_id, run, tries, due_us, deadline_us, reason) VALUES ({old}, 5, 1, "
                 "1, 0, 0, 0)")
        left = ("SELECT (SELECT count(*) FROM event_key), (SELECT count(*) FROM wire), "
                "(SELECT string_agg(order_id, ' ' ORDER BY order_id) FROM order_state)")
        self.set_clock("2026-11-22T11:45:00Z")
        wait_until(lambda: self.sql(left) == [["2", "3", "fresh held"]], what="the old order to go")
        at = NOW_S + int(400.75 * DAY)  # the first day is over, the second is not
        self.set_clock(self.at(at))
        wait_until(lambda: "has retries in it" in self.p.output(), what="the alarm")
        self.assertEqual(self.sql(left)[0][:2], ["2", "3"])
        self.sql("DELETE FROM retry")
        self.sql("DELETE FROM hold")
        self.set_clock(self.at(at + 3600))
        wait_until(lambda: self.sql(left) == [["1", "2", "fresh"]], what="key and wire id to go")
        self.assertEqual(self.sql("SELECT wire_id, store_id FROM wire ORDER BY 1"), [["wire-0", "2"], ["wire-1", "1"]])
        self.assertEqual(self.sql(f"SELECT event_id = {young} FROM event_key"), [["t"]])

    def at(self, seconds):
        return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")

    def test_a_recount_explains_what_is_gone(self):
        self.p.run("pixel", "add", "--store", "utc", "--platform", "meta", "--account", "1", "--token", "-", stdin="t")
        pixel = int(self.p.json("pixel", "list")[0]["id"])
        minute = NOW_S // 60
        for day, (n, sent) in enumerate(((5, 3), (4, 4), (2, 0))):
            for i in range(n):
                e = log_id(NOW_S + day * DAY, i)
                self.sql(f"INSERT INTO route VALUES ({e}, {pixel}, {0 if i < sent else 5}, 0, 0, 0, 1)")
                if i < sent:
                    self.sql(f"INSERT INTO verdict VALUES ({e}, {pixel}, 1, 1, 0, 0, 3, 0)")
            self.tally([(minute, 1, pixel, 20, 0, "", n, 0), (minute, 1, pixel, 3, 0, "", sent, 0),
                        (minute, 1, pixel, 5, 0, "", n - sent, 0)])
        self.sql(f"INSERT INTO curlog VALUES ('dispatch', {log_id(NOW_S + 3 * DAY)})")
        self.folded()

        def recount():
            return self.p.json("ledger", "--recount")[0]["recount"]
        self.assertEqual((recount()["events"], recount()["gone"]), (11, 0))
        for days, gone in ((400.75, 5), (401.75, 9), (450, 11)):
            self.set_clock(self.at(NOW_S + int(days * DAY)))
            wait_until(lambda: self.one("SELECT count(*) FROM route") == 11 - gone, what="the routes to go")
            r = recount()
            self.assertEqual((r["events"], r["gone"], r["difference"], r["unguarded"]), (11, gone, 0, 0))
            self.assertEqual((r["dispositions"]["delivered"], r["dispositions"]["filtered"]), (7, 4))
        # A day whose verdicts are gone and whose routes are not yet: counted, and not twice.
        self.assertIn("11 of them were counted", self.p.run("ledger", "--recount").stdout)
        self.sql(f"INSERT INTO ledger_gone SELECT {log_id(NOW_S + 460 * DAY)}, {log_id(NOW_S + 461 * DAY)}, p, i, 1 FROM "
                 f"(VALUES (0, 0), ({pixel}, 20), ({pixel}, 3)) v(p, i)")
        wait_until(lambda: self.sql("SELECT to_regclass('route_20280225') IS NOT NULL") == [["t"]] or
                   self.set_clock(self.at(NOW_S + 460 * DAY)), what="the day's partition")
        self.sql(f"INSERT INTO route VALUES ({log_id(NOW_S + 460 * DAY, 5)}, {pixel}, 0, 0, 0, 0, 1)")
        self.next[1] = log_id(NOW_S + 460 * DAY)
        self.tally([(minute, 1, pixel, 20, 0, "", 1, 0), (minute, 1, pixel, 3, 0, "", 1, 0)])
        r = recount()
        self.assertEqual((r["events"], r["gone"], r["difference"]), (12, 12, 0))

    def test_a_reader_is_not_disturbed(self):
        """A session that holds the old partition: nothing waits behind a lock, the drop comes later."""
        self.sql(f"INSERT INTO route VALUES ({log_id(NOW_S, 3)}, 5, 3, 0, 0, 0, 1)")
        self.sql(f"INSERT INTO curlog VALUES ('dispatch', {log_id(NOW_S, 9)})")
        reader = subprocess.Popen([os.path.join(pg_bin(), "psql"), "-XqAt", "-h", self.cluster.dir, "-U", USER, "-d",
                                   "trackai"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        reader.stdin.write("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM route;\n")
        reader.stdin.flush()
        self.assertEqual(reader.stdout.readline(), "1\n")
        self.set_clock("2028-02-01T00:00:00Z")
        wait_until(lambda: "letting" in self.p.output(), what="the refusal")
        self.tally([(NOW_S // 60, 1, 5, 20, 0, "", 1, 0)])
        self.folded()
        reader.stdin.write("COMMIT;\n")
        reader.stdin.close()
        reader.wait(10)
        reader.stdout.close()
        self.set_clock("2028-02-01T00:05:00Z")
        wait_until(lambda: self.sql("SELECT to_regclass('route_20261122') IS NULL") == [["t"]], what="the drop")

    def test_small_logs(self):
        us = 1000000
        self.sql(f"INSERT INTO receipt_key SELECT decode(md5(i::text), 'hex'), 1, i, {NOW_S * us} - i * 3600 * {us}::bigint,"
                 " '' FROM generate_series(1, 300) i")
        self.sql(f"INSERT INTO refused (at_us, domain, topic, remote, reason, hash, head) SELECT {NOW_S * us}, '', '', '', "
                 "'', '', '' FROM generate_series(1, 10100)")
        self.sql(f"INSERT INTO roll_minute SELECT {NOW_S // 60} - i * 60, 1, 0, 21, 0, '', 1, 0 FROM generate_series(1, 60) i")
        self.sql("INSERT INTO curlog SELECT 'router:1', i FROM generate_series(1, 500) i")
        old = (NOW_S - 401 * 86400) * 1000 << 21
        self.sql(f"INSERT INTO failed_receipt SELECT 1, {old} + i, 1, 1, '', 0 FROM generate_series(1, 30) i")
        self.sql(f"INSERT INTO event_report SELECT {old} + i, 1, i, 0, 0, '' FROM generate_series(1, 30) i")
        self.set_clock("2026-11-22T11:00:00Z")
        wait_until(lambda: self.one("SELECT count(*) FROM failed_receipt") == 0, what="old failures to go")
        wait_until(lambda: self.one("SELECT count(*) FROM event_report") == 0, what="old reports to go")
        wait_until(lambda: self.one("SELECT count(*) FROM receipt_key") == 191, what="old keys to go")
        wait_until(lambda: self.one("SELECT count(*) FROM refused") == 10000, what="old evidence to go")
        wait_until(lambda: self.one("SELECT count(*) FROM roll_minute") in (47, 48), what="old minutes to go")
        wait_until(lambda: self.sql("SELECT pos FROM curlog WHERE stage = 'router:1'") == [["500"]],
                   what="old positions to go")


if __name__ == "__main__":
    unittest.main()
