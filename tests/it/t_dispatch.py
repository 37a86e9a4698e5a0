"""The dispatcher against the sandbox: events and routes are put in by SQL, as the router would. What
counts: every delivery gets exactly one final verdict, books follow, nothing goes out twice under
two contents, one sick pixel slows nobody."""
import os
import signal
import threading
import time
import unittest

from delivering import (DEAD, DELIVERED, NOW, PLATFORMS, PUT, REJECTED, Delivering, Stub,  # noqa: F401
                        took_all)
from lib import Sandbox, wait_until


class Dispatch(Delivering):
    # ------------------------------------------------------------------------------------------------

    def test_happy_path(self):
        self.begin()
        serve = self.start()
        self.put(120)
        self.settle(360)
        self.assertEqual(self.finals(), {DELIVERED: 360})
        self.check_books()
        for platform, got in self.sandbox.summary().items():
            if platform in PLATFORMS:
                self.assertEqual((got["events"], got["repeats"], got["conflicts"], got["refused"]), (120, 0, 0, 0))
        self.assertEqual(self.one("SELECT count(*) FROM inflight"), "0")
        leaked = self.one("SELECT count(*) FROM attempt WHERE position('token-shop'::bytea IN request) > 0")
        self.assertEqual(leaked, "0")
        self.assertEqual(int(self.one("SELECT sum(n) FROM tally WHERE item = 28")), 360)
        wait_until(lambda: '"in_flight"' in str(self.cluster.sql("SELECT detail FROM heartbeat WHERE role = "
                                                                 "'dispatcher'")), what="the heartbeat")
        self.p.stop(serve)
        self.start()  # nothing goes again after an orderly stop
        self.put(1)
        self.settle(363)
        self.assertEqual(sum(v["repeats"] for v in self.sandbox.summary().values()), 0)

    def test_events_that_cannot_go(self):
        self.begin()
        self.start()
        self.put(3, email="")
        self.put(2, age=30 * 86400)
        self.settle(15)
        rows = self.cluster.sql("SELECT p.platform, v.after, v.reason, v.attempt, count(*) FROM verdict v JOIN pixel p "
                                "ON p.id = v.pixel_id WHERE reason NOT IN (1, 2) GROUP BY 1, 2, 3, 4 ORDER BY 1")
        for platform, after, reason, attempt, n in rows:
            self.assertEqual((after, attempt), (str(REJECTED), "0"))
        self.assertEqual({r[0]: int(r[4]) for r in rows}, {"pinterest": 2, "meta": 2, "tiktok": 2})
        self.check_books()

    def test_bisect_takes_only_the_bad_one(self):
        def answer(body):
            if b"wire-00000017" in body:
                return 400, {}, b'{"error":{"message":"Invalid parameter","code":100,"error_subcode":2804050}}'
            return took_all(body)
        stub = self.stub(answer)
        self.begin(platforms=("meta",), urls={"TRACKAI_META_URL": stub.url})
        self.put(50)
        self.start()
        self.settle(50)
        self.assertEqual(self.finals(), {DELIVERED: 49, REJECTED: 1})
        self.assertEqual(self.cluster.sql("SELECT reason, code, event_id & 1023 FROM verdict WHERE after = 8"),
                         [["2", "100/2804050", "17"]])
        self.check_books()
        self.assertLess(len(stub.seen), 16)
        self.assertEqual(self.one("SELECT count(*) FROM inflight"), "0")

    def test_throttled_and_gateway(self):
        answers = [(429, {"X-RateLimit-Reset": "67150"}, b'{"code":8,"message":"slow down"}')]

        def answer(body):
            if answers:
                return answers.pop()
            n = body.count(b'"event_id"')
            one = b'{"status":"processed","error_message":null,"warning_message":null}'
            return 200, {}, (b'{"num_events_received":%d,"num_events_processed":%d,"events":[' % (n, n)
                             + b",".join([one] * n) + b"]}")
        stub = self.stub(answer)
        clock = os.path.join(self.cluster.dir, "clock")
        self.write_clock(clock, "2026-11-22T10:40:00Z")
        self.begin(clock="@" + clock, platforms=("pinterest",), urls={"TRACKAI_PINTEREST_URL": stub.url})
        self.put(10)
        self.start()
        wait_until(lambda: self.one("SELECT count(*) FROM retry") == "10", what="the retries")
        due = int(self.one("SELECT max(due_us) - min(at_us) FROM retry, verdict"))
        self.assertLessEqual(due, 3600 * 1000000 + 1)
        self.put(5)
        answers.append((502, {}, b"<html><body>Bad gateway</body></html>"))
        self.write_clock(clock, "2026-11-22T11:40:10Z")
        wait_until(lambda: self.one("SELECT count(*) FROM attempt") == "2", what="the probe")
        self.assertEqual(self.one("SELECT count(*) FROM verdict WHERE after >= 3"), "0")
        self.write_clock(clock, "2026-11-22T13:00:00Z")
        self.settle(15)
        self.assertEqual(self.finals(), {DELIVERED: 15})
        self.assertEqual(self.one("SELECT max(attempt) FROM verdict"), "3")
        self.check_books()

    @staticmethod
    def write_clock(path, text):
        with open(path, "w") as f:
            f.write(text)
        os.chmod(path, 0o644)

    def test_no_answer_goes_again_under_the_same_id(self):
        state = {"drop": 1}

        def answer(body):
            if state["drop"]:
                state["drop"] -= 1
                return None
            return took_all(body)
        stub = self.stub(answer)
        self.begin(platforms=("meta",), urls={"TRACKAI_META_URL": stub.url})
        self.put(8)
        self.start()
        self.settle(8)
        self.assertEqual(self.finals(), {DELIVERED: 8})
        self.assertEqual(stub.seen[0], stub.seen[-1])
        self.assertEqual(self.one("SELECT class FROM attempt ORDER BY id LIMIT 1"), "ambiguous")
        self.check_books()

    def test_outcome_unknown_after_the_window(self):
        stub = self.stub(lambda body: None)
        clock = os.path.join(self.cluster.dir, "clock")
        self.write_clock(clock, "2026-11-22T10:40:00Z")
        self.begin(clock="@" + clock, platforms=("meta",), urls={"TRACKAI_META_URL": stub.url})
        self.put(4)
        self.start()
        wait_until(lambda: self.one("SELECT count(*) FROM retry WHERE first_sent_us > 0 AND pixel_version > 0") == "4",
                   20, "the pinned retries")
        self.write_clock(clock, "2026-11-24T10:41:00Z")
        self.settle(4)
        self.assertEqual(self.cluster.sql("SELECT DISTINCT after, reason FROM verdict WHERE after >= 3"), [["9", "20"]])
        self.check_books()

    def test_deadline(self):
        stub = self.stub(lambda body: (503, {}, b'{"error":{"message":"x","code":2,"is_transient":true}}'))
        clock = os.path.join(self.cluster.dir, "clock")
        self.write_clock(clock, "2026-11-22T10:40:00Z")
        self.begin(clock="@" + clock, platforms=("meta",), urls={"TRACKAI_META_URL": stub.url})
        self.put(4)
        self.start()
        wait_until(lambda: self.one("SELECT count(*) FROM retry") == "4", what="the retries")
        self.write_clock(clock, "2026-11-28T23:40:00Z")
        self.settle(4)
        self.assertEqual(self.cluster.sql("SELECT DISTINCT after, reason FROM verdict WHERE after >= 3"), [["9", "19"]])
        self.check_books()

    def test_bad_token_pauses_and_release_resumes(self):
        self.begin(fault="meta:auth")
        self.start()
        self.put(40)
        self.settle(80)
        wait_until(lambda: self.pixel(2)[0] == "held", what="the pause")
        self.assertEqual(self.pixel(2)[1], "auth")
        self.put(10)
        self.settle(100)
        self.assertEqual(self.one("SELECT count(*) FROM verdict WHERE pixel_id = 2"), "0")
        self.assertEqual(self.one("SELECT count(*) FROM inflight WHERE pixel_id = 2 AND state = 1"), "1")
        self.sandbox.heal()
        self.p.run("pixel", "release", "2")
        self.settle(150)
        self.assertEqual(self.finals(), {DELIVERED: 150})
        self.assertEqual(self.pixel(2)[0], "active")
        self.assertEqual(self.one("SELECT count(*) FROM audit WHERE action IN ('pixel.hold', 'pixel.release')"), "2")
        self.assertEqual(sum(v["repeats"] for v in self.sandbox.summary().values()), 0)
        self.assertEqual(self.one("SELECT count(*) FROM inflight"), "0")
        self.check_books()

    def test_what_the_router_let_go(self):
        """A route that was held and then released comes through the table retry, once."""
        self.begin(platforms=("meta",))
        self.put(3)
        self.cluster.sql("UPDATE route SET decision = 2; INSERT INTO retry (event_id, pixel_id, run, tries, due_us, "
                         "deadline_us, reason) SELECT event_id, pixel_id, 1, 0, 0, 9000000000000000, 0 FROM route")
        self.start()
        self.settle(3)
        self.assertEqual(self.cluster.sql("SELECT DISTINCT before, after FROM verdict"), [["2", "3"]])
        self.assertEqual(self.one("SELECT count(*) FROM retry"), "0")

    def test_what_waits_at_a_deleted_pixel_is_explained(self):
        """Nothing is left queued for ever: it would keep its day's partitions for ever, too."""
        self.begin(platforms=("meta", "tiktok"))
        serve = self.start()
        self.p.active("dispatcher")
        self.p.run("pixel", "hold", "meta")
        self.put(20)
        wait_until(lambda: self.sandbox.summary()["tiktok"]["events"] == 20, what="tiktok's events")
        self.p.run("pixel", "delete", "meta")
        self.settle(40)
        self.assertEqual(self.cluster.sql("SELECT DISTINCT after, message FROM verdict WHERE pixel_id = 1"),
                         [[str(DEAD), "its pixel was deleted before it could be sent"]])
        self.assertEqual(self.sandbox.summary()["meta"]["events"], 0)
        wait_until(lambda: self.one("SELECT count(*) FROM range WHERE state <> 'done'") == "0",
                   what="the end of its range")
        self.check_books()
        self.p.stop(serve)

    def test_no_answer_lies_about(self):
        """Answers that come while a round is being written are read at once, not at the next tick."""
        self.begin()
        self.start()
        self.put(1)
        self.settle(3)
        def one_round():
            self.put(1)
            begun = time.monotonic()
            self.cluster.sql("NOTIFY route")
            wait_until(lambda: int(self.one("SELECT count(*) FROM verdict")) == 3 * (self.next - 1),
                       what="the verdicts")
            return time.monotonic() - begun

        for _ in range(4):  # a busy machine spoils some rounds; a tick is a second
            took = sorted(one_round() for _ in range(9))
            if took[4] < 0.5:
                return
        self.fail(f"most rounds took about a tick: {took}")

    def test_hold_survives_a_restart(self):
        self.begin()
        serve = self.start()
        self.put(5)
        self.settle(15)
        self.p.run("pixel", "hold", "1")
        self.put(20)
        self.settle(55)
        self.p.stop(serve)
        self.start()
        self.put(3)
        self.settle(61)
        self.assertEqual(self.one("SELECT count(*) FROM verdict WHERE pixel_id = 1"), "5")
        self.p.run("pixel", "release", "1")
        self.put(2)
        self.settle(90)
        self.assertEqual(self.finals(), {DELIVERED: 90})
        wait_until(lambda: self.one("SELECT count(*) FROM range WHERE state <> 'done'") == "0", what="the rejoining")
        self.check_books()

    def test_release_at_a_rate(self):
        """What waited comes evenly behind live traffic, also after a restart; --rate 0 lets it go."""
        self.begin(platforms=("meta",))
        serve = self.start()
        self.put(1)
        self.settle(1)
        self.p.run("pixel", "hold", "meta")
        self.put(200)
        wait_until(lambda: self.one("SELECT max(pos) >= (SELECT max(id) FROM event) FROM curlog WHERE stage = 'dispatch'")
                   == "t", what="the scan behind them")
        self.assertEqual(self.p.run("pixel", "release", "meta", "--rate", "-1", ok=False).returncode, 2)
        self.assertEqual(self.p.run("pixel", "hold", "meta", "--rate", "9", ok=False).returncode, 2)
        begun = time.monotonic()
        self.assertIn("20 events a second", self.p.run("pixel", "release", "meta", "--rate", "20").stdout)
        self.put(1)
        live = self.next - 1
        wait_until(lambda: self.one(f"SELECT count(*) FROM verdict WHERE event_id & 65535 = {live}") == "1",
                   what="the live event")
        took = time.monotonic() - begun
        self.assertLessEqual(int(self.one("SELECT count(*) FROM verdict")), 2 + 20 * took + 10)
        self.settle(2 + 20)
        self.assertGreater(time.monotonic() - begun, (20 - 10) / 20)
        self.assertLessEqual(int(self.one("SELECT max(n) FROM attempt WHERE id > (SELECT min(id) FROM attempt)")), 5)
        self.assertEqual(self.one("SELECT rate FROM range WHERE kind = 'backlog'"), "20")
        self.p.stop(serve)
        left = 202 - int(self.one("SELECT count(*) FROM verdict"))
        begun = time.monotonic()
        self.start()
        self.settle(202 - left + 20)
        self.assertGreater(time.monotonic() - begun, (20 - 10) / 20)
        self.p.run("pixel", "release", "meta")
        self.settle(202)
        self.assertEqual(self.finals(), {DELIVERED: 202})
        wait_until(lambda: self.one("SELECT count(*) FROM range WHERE state <> 'done'") == "0", what="the end")
        self.check_books()

    def test_undecryptable_token(self):
        self.begin()
        self.cluster.sql("UPDATE pixel SET token = '\\x0102' WHERE id = 3")
        self.start()
        self.put(5)
        self.settle(10)
        wait_until(lambda: self.pixel(3)[0] == "held", what="the pause")
        self.assertEqual(self.pixel(3)[1], "config")
        self.assertIn("set the token again", self.pixel(3)[2])
        self.p.run("pixel", "set", "3", "--token", "fresh")
        self.p.run("pixel", "release", "3")
        self.settle(15)
        self.check_books()

    def test_sick_pixel_slows_nobody(self):
        hang = threading.Event()
        self.addCleanup(hang.set)

        def never(body):
            hang.wait(60)
        stub = self.stub(never)
        self.begin(platforms=("meta",), urls={"TRACKAI_META_URL": stub.url + "/", "TRACKAI_PINTEREST_URL": stub.url})
        sandbox = Sandbox(clock=NOW)
        self.addCleanup(sandbox.stop)
        self.p.env.update(TRACKAI_META_URL=sandbox.urls["TRACKAI_META_URL"])
        self.p.run("pixel", "add", "--store", "shop", "--platform", "pinterest", "--account", "77", "--token", "x")
        self.start()
        for _ in range(10):
            self.put(1000)
        self.settle(10000)
        self.assertEqual(self.finals(), {DELIVERED: 10000})
        # All of it while the sick pixel's first four requests were waiting for their answers.
        self.assertEqual(self.one("SELECT count(*) FROM inflight WHERE pixel_id = 2"), "4")
        self.assertEqual(self.one("SELECT count(*) FROM attempt WHERE pixel_id = 2"), "0")

    def test_database_restart(self):
        self.begin()
        self.start()
        self.put(10)
        self.settle(30)
        self.cluster.stop("immediate")
        self.cluster.start()
        self.put(10)
        self.settle(60)
        self.check_books()

    def killed(self, serve):
        """Within half a second?"""
        try:
            return wait_until(lambda: "signal 9" in self.p.output() or serve.poll() is not None, 0.5)
        except AssertionError:
            return False

    def test_killed_at_each_fault_point(self):
        self.begin()
        total = 0
        for point in ("after_claim", "after_send", "before_verdict", "after_verdict"):
            for times in (1, 3):
                serve = self.start(TRACKAI_FAULT=f"dispatcher.{point}:{times}")
                dead = False
                while not dead and total < 9000:
                    self.put(30)
                    total += 90
                    dead = self.killed(serve)
                self.assertTrue(dead, point)
                serve.kill()
                serve.wait()
                open(os.path.join(self.p.home, "out.log"), "w").close()
        self.p.env.pop("TRACKAI_FAULT")
        self.start()
        self.settle(total, 60)
        self.assertEqual(self.finals(), {DELIVERED: total})
        self.check_books()
        for got in self.sandbox.summary().values():
            self.assertEqual(got["conflicts"], 0)
        self.assertEqual(self.one("SELECT count(*) FROM inflight"), "0")

    def test_stops_in_time(self):
        hang = threading.Event()
        self.addCleanup(hang.set)

        def never(body):
            hang.wait(60)
        stub = self.stub(never)
        self.begin(platforms=("meta",), urls={"TRACKAI_META_URL": stub.url})
        self.put(3)

        def stops_by_itself():
            """It gives an answer 8 s; where the machine stands still the supervisor's 9.5 s may be over first."""
            seen, said = len(stub.seen), len(self.p.output())
            serve = self.start()
            wait_until(lambda: len(stub.seen) > seen, what="the request")
            self.assertEqual(self.p.stop(serve, signal.SIGTERM), 0)
            return "killing it" not in self.p.output()[said:]
        self.assertTrue(any(stops_by_itself() for _ in range(3)))
        self.assertEqual(self.one("SELECT count(*) FROM inflight WHERE state = 0"), "1")


if __name__ == "__main__":
    unittest.main()
