"""What the tests of deliveries share: events and routes put in by SQL as the router would, platforms that
a test scripts, and the books checked."""
import os
import socket
import threading
import unittest

from lib import Cluster, Program, Sandbox, wait_until

NOW = "2026-11-22T10:40:00Z"
PLATFORMS = ("pinterest", "meta", "tiktok")
Q, RETRYING, DELIVERED, WARNING, REJECTED, DEAD = 0, 2, 3, 4, 8, 9

PUT = """
CREATE FUNCTION t_lz(t text) RETURNS bytea LANGUAGE sql AS $$
  SELECT decode(lpad(to_hex(n & 255), 2, '0') || lpad(to_hex(n >> 8 & 255), 2, '0') || lpad(to_hex(n >> 16), 2, '0')
    || '00f0' || repeat('ff', (n - 15) / 255) || lpad(to_hex((n - 15) % 255), 2, '0'), 'hex') || d
  FROM (SELECT convert_to(t, 'UTF8') d, octet_length(convert_to(t, 'UTF8')) n) x $$;
-- n purchases of a store from event number k on, received at us, happened age_s before that.
CREATE FUNCTION t_put(store int, k bigint, n int, us bigint, age_s bigint, email text) RETURNS void LANGUAGE sql AS $$
  INSERT INTO event (id, store_id, name, source, at_us, received_us, writer, receipt, key, wire_id)
    SELECT (us / 1000 << 21) + i, store, 8, 0, us - age_s * 1000000, us, 1, i, decode(md5('k' || i), 'hex'),
      'wire-' || lpad(i::text, 8, '0') FROM generate_series(k, k + n - 1) i;
  INSERT INTO event_doc SELECT (us / 1000 << 21) + i, t_lz(json_build_object('v', 1, 'event', 'purchase',
      'source', 'shopify', 'event_time', us / 1000000 - age_s, 'event_id', 'wire-' || i, 'value', '10.50',
      'currency', 'EUR', 'order', json_build_object('id', i::text), 'user', json_build_object('email',
      replace(email, '#', i::text), 'ip', '198.51.100.7', 'user_agent', 'Mozilla/5.0'))::text)
    FROM generate_series(k, k + n - 1) i;
  INSERT INTO route (event_id, pixel_id, decision, reason, rev)
    SELECT (us / 1000 << 21) + i, p.id, 0, 0, 1 FROM generate_series(k, k + n - 1) i, pixel p
    WHERE p.store_id = store $$;
"""


class Stub:
    """A platform that a test scripts: answer(body) -> (status, headers, body), or None: hang up."""

    def __init__(self, answer):
        self.answer = answer
        self.seen = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = "http://127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                c, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(c,), daemon=True).start()

    def serve(self, c):
        f = c.makefile("rb")
        try:
            while self.exchange(c, f):
                pass
        except OSError:
            pass
        c.close()

    def exchange(self, c, f):
        length, line = 0, f.readline()
        if not line:
            return False
        while line.strip():
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
            line = f.readline()
        body = f.read(length)
        self.seen.append(body)
        got = self.answer(body)
        if got is None:
            return False
        status, headers, text = got
        head = "".join(f"{k}: {v}\r\n" for k, v in headers.items())
        c.sendall(f"HTTP/1.1 {status} X\r\nContent-Length: {len(text)}\r\n{head}\r\n".encode() + text)
        return True

    def close(self):
        self.listener.close()


def took_all(body):
    return 200, {}, b'{"events_received":%d,"messages":[],"fbtrace_id":"x"}' % body.count(b'"event_id"')


DOWN = 503, {}, b'{"error":{"message":"temporarily unavailable","code":2,"is_transient":true}}'


class Delivering(unittest.TestCase):
    def setUp(self):
        self.cluster = Cluster()
        self.addCleanup(self.cluster.destroy)
        self.next = 1
        self.stubs = []

    def tearDown(self):
        for word in ("Sanitizer", "runtime error", "broken invariant"):
            self.assertNotIn(word, self.p.output())

    def begin(self, clock=NOW, platforms=PLATFORMS, urls=None, fault=None):
        self.clock = clock
        self.sandbox = None
        if urls is None:
            self.sandbox = Sandbox(clock=clock and NOW, fault=fault)
            self.addCleanup(self.sandbox.stop)
            urls = self.sandbox.urls
        self.p = Program(self.cluster, clock=clock, **urls)
        self.addCleanup(self.p.destroy)
        self.p.run("migrate")
        self.cluster.sql(PUT)
        self.shop("shop", platforms)

    def shop(self, name, platforms=PLATFORMS, account="1234567"):
        self.p.run("store", "add", "--name", name, "--platform", "shopify", "--domain", f"{name}.myshopify.com",
                   "--webhook-secret", "s", "--currency", "EUR")
        for platform in platforms:
            self.p.run("pixel", "add", "--store", name, "--platform", platform, "--account", account,
                       "--token", "token-" + name)

    def stub(self, answer):
        s = Stub(answer)
        self.addCleanup(s.close)
        self.stubs.append(s)
        return s

    def start(self, **env):
        self.p.env.update(env)
        return self.p.start("serve", "--roles", "dispatcher")

    def put(self, n, store=1, us=None, age=0, email="buyer#@example.com"):
        us = us or int(self.one("SELECT greatest(max(created_us) + 1000000, (SELECT max(received_us) + 1 FROM event)) "
                                "FROM store"))
        self.cluster.sql(f"SELECT t_put({store}, {self.next}, {n}, {us}, {age}, '{email}')")
        self.next += n

    def one(self, sql):
        return self.cluster.sql(sql)[0][0]

    def finals(self):
        """after -> deliveries whose latest verdict says so."""
        rows = self.cluster.sql("SELECT after, count(*) FROM (SELECT DISTINCT ON (event_id, pixel_id) after FROM "
                                "verdict ORDER BY event_id, pixel_id, attempt = 0 DESC, attempt DESC) x GROUP BY 1")
        return {int(a): int(n) for a, n in rows}

    def settle(self, n, seconds=60):
        """Waits until n deliveries are final."""
        def done():
            if self.p.children[-1].poll() is not None:
                raise AssertionError(self.p.output())
            return int(self.one("SELECT count(*) FROM verdict WHERE after >= 3")) >= n
        try:
            wait_until(done, seconds, f"{n} final verdicts")
        except AssertionError:
            attempts = self.stubs and self.stubs[0].seen[-1:] or self.cluster.sql("SELECT id & 15, http, class, error, n, (SELECT max(message) FROM verdict WHERE attempt_id = attempt.id) FROM attempt ORDER BY id DESC LIMIT 9")
            raise AssertionError(f"{self.finals()} {attempts} {self.p.output()[-1500:]}") from None

    def check_books(self):
        """Each delivery at most one final, no rest, and tally = what the verdicts say."""
        self.assertEqual(self.cluster.sql("SELECT event_id, pixel_id FROM verdict WHERE after >= 3 GROUP BY 1, 2 "
                                          "HAVING count(*) > 1"), [])
        tally = {int(i): int(n) for i, n in self.cluster.sql(
            "SELECT item, sum(n) FROM tally WHERE stage = 2 AND item < 10 GROUP BY 1 HAVING sum(n) <> 0")}
        moved = self.finals()
        moved[Q] = -sum(moved.values())
        self.assertEqual(tally, {k: v for k, v in moved.items() if v})

    def pixel(self, i):
        return self.cluster.sql(f"SELECT state, state_reason, state_detail FROM pixel WHERE id = {i}")[0]

    def set_clock(self, text):
        path = os.path.join(self.cluster.dir, "clock")
        with open(path, "w") as f:
            f.write(text)
        os.chmod(path, 0o644)
        return "@" + path

    def waiting(self, n):
        wait_until(lambda: self.one("SELECT count(*) FROM retry") == str(n), what=f"{n} retries")
