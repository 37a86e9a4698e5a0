"""The listener over real sockets and a real PostgreSQL: what is signed is durable before its 200,
what is not is refused, and neither slow nor silent clients nor a missing database stop it."""
import base64
import hashlib
import hmac
import json
import os
import resource
import signal
import socket
import threading
import time
import unittest

from lib import SLOW, Cluster, OnCluster, Program, wait_until, within

SECRET = "hush_test_secret"
SHOP = "demo.myshopify.com"
BODY = b'{"id":820982911946154500,"note":"a\\/b \\u0026 c"}'


def sign(body, secret=SECRET):
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


class Listener(OnCluster):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.p.run("migrate")
        cls.p.run("store", "add", "--name", "demo", "--platform", "shopify", "--domain", SHOP,
                  "--webhook-secret", SECRET, "--currency", "EUR")
        cls.serve = cls.p.serve("--roles", "listener")

    def sql(self, text):
        return self.cluster.sql(text)

    def count(self, table, where="true"):
        return int(self.sql(f"SELECT count(*) FROM {table} WHERE {where}")[0][0])

    def post(self, body, webhook_id=None, **kw):
        return self.p.shopify(body, kw.pop("secret", SECRET), webhook_id=webhook_id, **kw)

    def raw(self, data):
        """The bytes that come back on a connection of its own until it is closed."""
        with socket.create_connection(("127.0.0.1", self.p.port), timeout=60 * SLOW) as s:
            out = b""
            try:
                s.sendall(data)
                while True:
                    part = s.recv(65536)
                    if not part:
                        return out
                    out += part
            except (BrokenPipeError, ConnectionResetError):
                return out

    def head(self, length, path="/webhook/shopify", extra=""):
        return (f"POST {path} HTTP/1.1\r\nHost: x\r\nX-Shopify-Shop-Domain: {SHOP}\r\n"
                f"Content-Length: {length}\r\n{extra}\r\n").encode()

    def test_signed_is_stored(self):
        status, body, headers = self.post(BODY, "w-1")
        self.assertEqual((status, json.loads(body)), (200, {"ok": True}))
        row = self.sql("SELECT i.topic, i.webhook_id, i.store_id, i.source, i.remote, encode(i.body_hash, 'hex'), "
                       "length(b.body) FROM inbox i JOIN inbox_body b USING (writer, id) WHERE webhook_id = 'w-1'")
        self.assertEqual(row[0][:6], ["orders/create", "w-1", "1", "0", "127.0.0.1", hashlib.sha256(BODY).hexdigest()])
        self.assertEqual(headers["X-Content-Type-Options"], "nosniff")
        self.assertEqual(headers["Cache-Control"], "no-store")
        self.assertIn("default-src 'none'", headers["Content-Security-Policy"])

    def test_composed_bodies(self):
        folder = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "golden", "shopify",
                              "composed")
        if not os.path.isdir(folder):
            self.skipTest("no composed bodies")
        with open(os.path.join(folder, "HMAC.json")) as f:
            macs = json.load(f)["x-shopify-hmac-sha256"]
        self.assertEqual(len(macs), 6)
        for name, mac in macs.items():
            with open(os.path.join(folder, name), "rb") as f:
                body = f.read()
            h = {"X-Shopify-Topic": "orders/create", "X-Shopify-Shop-Domain": SHOP, "X-Shopify-Hmac-Sha256": mac,
                 "X-Shopify-Webhook-Id": name}
            self.assertEqual(self.p.request("POST", "/webhook/shopify", body, h)[0], 200, name)
            self.assertEqual(self.p.request("POST", "/webhook/shopify", body + b" ", h)[0], 401, name)
            self.assertEqual(self.count("inbox", f"webhook_id = '{name}'"), 1)

    def test_spellings_and_paths(self):
        h = {"shopify-topic": "orders/paid", "shopify-shop-domain": "DEMO.MyShopify.com",
             "shopify-hmac-sha256": sign(BODY), "shopify-webhook-id": "w-new", "shopify-event-id": "e-1"}
        self.assertEqual(self.p.request("POST", "/webhook/shopify", BODY, h)[0], 200)
        self.assertEqual(self.sql("SELECT topic, meta FROM inbox WHERE webhook_id = 'w-new'"),
                         [["orders/paid", '{"event_id":"e-1"}']])
        for path, topic in (("order", "orders/create"), ("checkout", "checkouts/create")):
            h = {"X-Shopify-Shop-Domain": SHOP, "X-Shopify-Hmac-Sha256": sign(BODY), "X-Shopify-Webhook-Id": path}
            self.assertEqual(self.p.request("POST", "/webhook/shopify/" + path, BODY, h)[0], 200)
            self.assertEqual(self.sql(f"SELECT topic FROM inbox WHERE webhook_id = '{path}'"), [[topic]])

    def test_refused(self):
        before = self.count("inbox")
        self.assertEqual(self.post(b'{"evil":1}', secret="wrong")[0], 401)
        self.assertEqual(self.post(BODY, shop="other.myshopify.com")[0], 404)
        self.assertEqual(self.p.request("POST", "/webhook/shopify", BODY)[0], 404)
        self.assertEqual(self.p.request("POST", "/webhook/shopify", BODY, {"X-Shopify-Shop-Domain": SHOP})[0], 401)
        for bad in ("", "AAAA", "*" * 44, sign(BODY)[:-1]):
            h = {"X-Shopify-Shop-Domain": SHOP, "X-Shopify-Hmac-Sha256": bad}
            self.assertEqual(self.p.request("POST", "/webhook/shopify", BODY, h)[0], 401, bad)
        self.assertEqual(self.count("inbox"), before)
        wait_until(lambda: self.count("refused", "head = '{\"evil\":1}'") == 1, what="the evidence")

    def test_evidence_is_bounded(self):
        """16 of one shop and 64 in all a second at most, however many come."""
        before = self.count("refused")
        wrong = sign(b"flood", "wrong")
        one = (f"POST /webhook/shopify HTTP/1.1\r\nHost: x\r\nX-Shopify-Shop-Domain: {SHOP}\r\n"
               f"X-Shopify-Hmac-Sha256: {wrong}\r\nContent-Length: 5\r\n\r\nflood").encode()
        sent = 0
        with socket.create_connection(("127.0.0.1", self.p.port), timeout=60 * SLOW) as s:
            def flood():
                nonlocal sent
                s.sendall(one * 200)
                got = b""
                while got.count(b"HTTP/1.1 401") < 200:
                    got += s.recv(1 << 20)
                sent += 200
                return self.count("refused", "head = 'flood'") < sent - 64
            wait_until(flood, what="less evidence than requests")
        wait_until(lambda: self.count("refused") > before, what="some evidence")
        self.assertEqual(self.post(BODY, "after-flood")[0], 200)

    def test_odd_bodies(self):
        for i, body in enumerate((b"", b"{", b"\xff\xfe\x00", b"x" * 200000, os.urandom(100000))):
            self.assertEqual(self.post(body, f"odd-{i}")[0], 200, i)
            self.assertEqual(self.count("inbox", f"webhook_id = 'odd-{i}'"), 1)
        self.assertEqual(self.post(BODY, "odd-\u00e9\u2028".encode().decode("latin-1"))[0], 200)
        self.assertEqual(self.post(BODY, "i" * 900)[0], 200)

    def test_repeats(self):
        self.assertEqual(self.post(BODY, "again")[0], 200)
        self.assertEqual(self.post(BODY, "again")[0], 200)
        self.assertEqual(self.post(BODY + b" ", "again")[0], 200)
        self.assertEqual(self.post(BODY, "again", topic="orders/paid")[0], 200)  # another topic: another receipt
        self.assertEqual(self.count("inbox", "webhook_id = 'again'"), 2)
        rows = self.sql("SELECT r.body IS NULL FROM receipt_repeat r JOIN inbox i ON i.writer = first_writer AND "
                        "i.id = first_id WHERE i.webhook_id = 'again' ORDER BY r.id")
        self.assertEqual(rows, [["t"], ["f"]])
        none = b'{"without":"an id"}'
        for _ in range(3):
            self.assertEqual(self.post(none)[0], 200)
        digest = hashlib.sha256(none).hexdigest()
        self.assertEqual(self.count("inbox", f"body_hash = '\\x{digest}'"), 1)
        self.assertEqual(self.count("receipt_repeat", f"body_hash = '\\x{digest}'"), 2)

    def test_rotation(self):
        self.p.run("store", "set", "demo", "--webhook-secret", "rotated")
        wait_until(lambda: self.post(BODY, "rot", secret="rotated")[0] == 200, what="the new secret")
        self.assertEqual(self.post(BODY, "rot-old")[0], 200)
        self.p.run("store", "set", "demo", "--webhook-secret", SECRET)
        wait_until(lambda: self.post(BODY, "rot-3", secret="rotated")[0] == 200 and self.post(BODY, "rot-4")[0] == 200,
                   what="both secrets")

    def test_routes(self):
        self.assertEqual(self.p.get("/healthz")[0], 200)
        ready = self.p.get("/readyz")
        self.assertEqual((ready[0], json.loads(ready[1])["ready"]), (200, True))
        status, body, _ = self.p.get("/nothing")
        self.assertEqual((status, list(json.loads(body))), (404, ["error"]))
        status, body, headers = self.p.get("/webhook/shopify")
        self.assertEqual((status, headers["Allow"]), (405, "POST"))
        self.assertEqual(self.p.request("POST", "/healthz")[2]["Allow"], "GET, HEAD")
        status, body, _ = self.p.request("HEAD", "/healthz")
        self.assertEqual((status, body), (200, b""))

    def test_oversize(self):
        answer = self.raw(self.head((2 << 20) + 1, extra="Connection: close\r\n"))
        self.assertIn(b" 413 ", answer.split(b"\r\n")[0])
        self.assertIn(b'{"error":', answer)
        big = b"x" * (2 << 20)
        self.assertEqual(self.post(big, "big")[0], 200)
        chunk = b"10000\r\n" + b"y" * 0x10000 + b"\r\n"
        head = self.head(0, extra="Transfer-Encoding: chunked\r\n").replace(b"Content-Length: 0\r\n", b"")
        self.assertNotIn(b" 200 ", self.raw(head + chunk * 40))
        small = b"5\r\nhello\r\n0\r\n\r\n"
        head = head.replace(b"\r\n\r\n", b"\r\nX-Shopify-Hmac-Sha256: " + sign(b"hello").encode() +
                            b"\r\nConnection: close\r\n\r\n")
        self.assertIn(b" 200 ", self.raw(head + small).split(b"\r\n")[0])

    def test_slow_and_idle_clients(self):
        """Thousands of silent and half-open connections; a normal request is answered at once."""
        idle = []
        try:
            for i in range(self.clients()):
                s = socket.create_connection(("127.0.0.1", self.p.port), timeout=60)
                if i % 3 == 1:
                    s.sendall(b"POST /webhook/shopify HTTP/1.1\r\nHost: x\r\nX-Slow: ")
                elif i % 3 == 2:
                    s.sendall(self.head(5000) + b"half a body")
                idle.append(s)
            for i in range(5):
                within(1, lambda: self.assertEqual(self.post(BODY, f"idle-{i}")[0], 200), "an answer")
            idle[1].settimeout(60 * SLOW)
            stop = threading.Event()

            def trickle():
                while not stop.wait(0.5):
                    try:
                        idle[1].sendall(b"a")
                    except OSError:
                        return
            t = threading.Thread(target=trickle)
            t.start()
            try:
                self.assertEqual(idle[1].recv(100), b"")  # one byte at a time does not keep it
            except ConnectionResetError:
                pass
            finally:
                stop.set()
                t.join()
        finally:
            for s in idle:
                s.close()

    def clients(self):
        """Ten thousand where the limits of this process allow it."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        want = 10500 if hard == resource.RLIM_INFINITY else min(hard, 10500)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, want), hard))
        return min(max(soft, want) - 500, 10000)

    def test_keep_alive_and_pipelining(self):
        def one(i):
            return (f"POST /webhook/shopify HTTP/1.1\r\nHost: x\r\nX-Shopify-Shop-Domain: {SHOP}\r\n"
                    f"X-Shopify-Hmac-Sha256: {sign(BODY)}\r\nX-Shopify-Webhook-Id: pipe-{i}\r\n"
                    f"Content-Length: {len(BODY)}\r\n{'Connection: close' if i == 19 else 'X-A: b'}\r\n\r\n").encode() + BODY
        out = self.raw(b"".join(one(i) for i in range(20)))
        self.assertEqual(out.count(b"HTTP/1.1 200"), 20)
        self.assertEqual(self.count("inbox", "webhook_id LIKE 'pipe-%'"), 20)

    def test_heartbeat(self):
        got = wait_until(lambda: self.sql("SELECT detail FROM heartbeat WHERE role = 'listener' AND active"),
                         what="the heartbeat")
        detail = json.loads(got[0][0])
        self.assertTrue(detail["ready"])
        self.assertGreaterEqual(detail["stored"], 0)


class Track(OnCluster):
    """POST /event/track: keys, items, CORS, limits."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.p.run("migrate")
        cls.p.run("store", "add", "--name", "own", "--platform", "custom", "--domain", "own.example",
                  "--currency", "EUR")
        cls.keys = {s: cls.p.json("key", "add", "--store", "own", "--scope", s)
                    for s in ("public", "track", "read", "write")}
        cls.serve = cls.p.serve("--roles", "listener")

    def send(self, items, scope="track", headers=None, **kw):
        body = items if isinstance(items, bytes) else json.dumps(items).encode()
        h = {"Content-Type": "application/json", **(headers or {})}
        path = "/event/track"
        if scope == "public":
            path += "?k=" + self.keys["public"]["key"]
        elif scope:
            h["Authorization"] = "Bearer " + self.keys.get(scope, {"key": scope})["key"]
        status, out, headers = self.p.request("POST", path, body, h)
        return status, json.loads(out), headers

    def item(self, i, **more):
        return {"event": "page_view", "event_id": f"id-{i}", "url": "https://own.example/", **more}

    def count(self, where):
        return int(self.cluster.sql(f"SELECT count(*) FROM inbox WHERE {where}")[0][0])

    def test_items(self):
        status, out, _ = self.send([self.item("a"), {"event": "nonsense", "event_id": "x"}, self.item("a"),
                                    self.item("a", event="purchase", value="12.30", currency="EUR"), 7])
        self.assertEqual(status, 200)
        self.assertEqual([r["status"] for r in out["results"]],
                         ["accepted", "rejected", "duplicate", "accepted", "rejected"])
        self.assertEqual(out["accepted"], 2)
        self.assertTrue(out["results"][1]["error"])
        status, out, _ = self.send(self.item("a"))
        self.assertEqual((status, out), (200, {"accepted": 0, "results": [{"status": "duplicate"}]}))
        self.assertEqual(self.cluster.sql("SELECT topic, source FROM inbox WHERE webhook_id = 'id-a' ORDER BY id"),
                         [["page_view", "1"], ["purchase", "1"]])
        status, out, _ = self.send(self.item("a"), scope="public")
        self.assertEqual(out["accepted"], 1)  # another origin: another receipt

    def test_a_hundred(self):
        status, out, _ = self.send([self.item(f"many-{i}") for i in range(100)])
        self.assertEqual((status, out["accepted"]), (200, 100))
        self.assertEqual(self.count("webhook_id LIKE 'id-many-%'"), 100)
        self.assertEqual(self.send([self.item(f"many-{i}") for i in range(101)])[0], 400)
        self.assertEqual(self.send([{}] * 3)[1]["accepted"], 0)

    def test_keys(self):
        self.assertEqual(self.send(self.item("k-1"), scope="write")[0], 200)
        self.assertEqual(self.send(self.item("k-2"), scope="read")[0], 401)
        self.assertEqual(self.send(self.item("k-3"), scope="unknown")[0], 401)
        self.assertEqual(self.send(self.item("k-4"), scope=None)[0], 401)
        public = {"Authorization": "Bearer " + self.keys["public"]["key"]}
        self.assertEqual(self.send(self.item("k-5"), scope=None, headers=public)[0], 401)
        self.assertEqual(self.count("webhook_id IN ('id-k-2', 'id-k-3', 'id-k-4', 'id-k-5')"), 0)
        self.p.run("key", "revoke", str(self.keys["write"]["id"]))
        wait_until(lambda: self.send(self.item("k-6"), scope="write")[0] == 401, what="the revocation")

    def test_bad_bodies(self):
        for body in (b"", b"{", b"[]", b"7", b"\xff"):
            self.assertEqual(self.send(body)[0], 400, body)
        big = b'{"event":"page_view","event_id":"big","custom":{"x":"' + b"y" * (256 << 10) + b'"}}'
        h = {"Authorization": "Bearer " + self.keys["track"]["key"]}
        self.assertIn(self.p.request("POST", "/event/track", big, h)[0], (0, 413))

    def test_cors(self):
        status, body, headers = self.p.request("OPTIONS", "/event/track", b"", {
            "Origin": "https://own.example", "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type"})
        self.assertEqual((status, body), (204, b""))
        self.assertEqual(headers["Access-Control-Allow-Origin"], "https://own.example")
        self.assertIn("POST", headers["Access-Control-Allow-Methods"])
        self.assertIn("content-type", headers["Access-Control-Allow-Headers"].lower())
        for origin in ("https://own.example", "null"):
            status, out, headers = self.send(self.item("cors-" + origin[:4]), scope="public",
                                             headers={"Origin": origin, "Content-Type": "text/plain"})
            self.assertEqual((status, out["accepted"]), (200, 1))
            self.assertEqual(headers["Access-Control-Allow-Origin"], origin)
            self.assertEqual(headers["Vary"], "Origin")
        self.assertIsNone(self.send(self.item("cors-3"), headers={"Origin": "https://own.example"})[2]
                          ["Access-Control-Allow-Origin"])
        self.assertIsNone(self.p.request("GET", "/healthz", b"", {"Origin": "null"})[2]["Access-Control-Allow-Origin"])

    def test_cors_of_a_refusal_by_the_head(self):
        """A page can read why its event was too large; nobody else's answer changes."""
        big = str((256 << 10) + 1)
        for path, extra, want in (("/event/track?k=x", {}, "null"),
                                  ("/event/track", {"Authorization": "Bearer x"}, None),
                                  ("/webhook/shopify", {"Content-Length": str(3 << 20)}, None)):
            h = {"Origin": "null", "Content-Length": big, **extra}
            status, out, headers = self.p.request("POST", path, b"", h)
            self.assertEqual((status, headers["Access-Control-Allow-Origin"]), (413, want), path)
        status, out, headers = self.p.request("PUT", "/event/track?k=x", b"", {"Origin": "null"})
        self.assertEqual((status, headers["Access-Control-Allow-Origin"]), (405, "null"))

    def test_limits(self):
        def full():
            """A hundred items of an address at once; five a second are allowed, 120 in a burst."""
            full.n = getattr(full, "n", 0) + 1
            status, out, headers = self.send([self.item(f"l-{full.n}-{k}") for k in range(100)], scope="public",
                                             headers={"X-Forwarded-For": "203.0.113.9"})
            if status == 429:
                self.assertGreaterEqual(int(headers["Retry-After"]), 1)
            self.assertEqual(status, 200 if full.n == 1 else status)
            return status == 429
        wait_until(full, what="the limit")
        self.assertEqual(self.send(self.item("l-other"), scope="public", headers={
            "X-Forwarded-For": "203.0.113.9, 203.0.113.10"})[0], 200)


class Trouble(unittest.TestCase):
    """Each test has a database and a listener of its own, which it may break."""

    def setUp(self):
        self.cluster = Cluster()
        self.p = Program(self.cluster)
        self.p.run("migrate")
        self.p.run("store", "add", "--name", "demo", "--platform", "shopify", "--domain", SHOP,
                   "--webhook-secret", SECRET, "--currency", "EUR")

    def tearDown(self):
        self.p.destroy()
        self.cluster.destroy()

    def post(self, n):
        return self.p.shopify(b'{"id":%d}' % n, SECRET, shop=SHOP, webhook_id=f"w{n}")[0]

    def stored(self):
        return {r[0] for r in self.cluster.sql("SELECT webhook_id FROM inbox")}

    def test_database_stopped(self):
        self.p.serve("--roles", "listener")
        self.assertEqual(self.post(1), 200)
        self.cluster.stop("immediate")
        status, body, headers = within(4.5, lambda: self.p.shopify(b"{}", SECRET, shop=SHOP), "the refusal")
        self.assertEqual(status, 503)
        self.assertTrue(headers["Retry-After"])
        self.assertIn("error", json.loads(body))
        self.assertEqual(self.p.get("/healthz")[0], 200)
        wait_until(lambda: self.p.get("/readyz")[0] == 503, what="readyz to say so")
        self.cluster.start()
        wait_until(lambda: self.post(2) == 200, what="recovery")
        wait_until(lambda: self.p.get("/readyz")[0] == 200, what="readyz")
        self.assertEqual(self.stored(), {"w1", "w2"})

    def load(self, disturb, seconds=6):
        """Eight senders; returns the ids that were answered 200."""
        acked, lock, stop, n = set(), threading.Lock(), threading.Event(), [0]

        def sender():
            while not stop.is_set():
                with lock:
                    n[0] += 1
                    i = n[0]
                if self.post(i) == 200:
                    with lock:
                        acked.add(f"w{i}")
        threads = [threading.Thread(target=sender) for _ in range(8)]
        for t in threads:
            t.start()
        try:
            wait_until(lambda: len(acked) > 100, what="traffic")
            disturb()
            after = len(acked)
            wait_until(lambda: len(acked) > after + 100, what="traffic after the disturbance")
        finally:
            stop.set()
            for t in threads:
                t.join()
        return acked

    def test_postgres_killed_under_load(self):
        self.p.serve("--roles", "listener")

        def kill():
            self.cluster.crash()
            self.cluster.start()
        acked = self.load(kill)
        self.assertEqual(acked - self.stored(), set())

    def test_backend_killed_under_load(self):
        self.p.serve("--roles", "listener")
        acked = self.load(lambda: [self.cluster.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'trackai%'")
            for _ in range(3)])
        self.assertEqual(acked - self.stored(), set())

    def test_frozen_database(self):
        self.p.serve("--roles", "listener")
        self.assertEqual(self.post(1), 200)
        pids = [int(r[0]) for r in self.cluster.sql(
            "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'trackai%'")]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            within(4, lambda: self.assertEqual(self.post(2), 503), "the refusal")
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)
        wait_until(lambda: self.post(2) == 200, what="the repeat")
        self.assertEqual(self.stored(), {"w1", "w2"})

    def test_disk_reserve(self):
        self.p.env["TRACKAI_DISK_RESERVE"] = "1000000GiB"
        self.p.serve("--roles", "listener")
        wait_until(lambda: json.loads(self.p.get("/readyz")[1] or b"{}").get("disk") is False, what="the disk check")
        status, body, headers = self.p.shopify(b"{}", SECRET, shop=SHOP)
        self.assertEqual(status, 503)
        self.assertIn("reserve", json.loads(body)["error"])
        self.assertTrue(headers["Retry-After"])
        self.assertEqual(self.stored(), set())

    def test_term_answers_what_is_queued(self):
        serve = self.p.serve("--roles", "listener")
        answers = []
        threads = [threading.Thread(target=lambda i=i: answers.append((i, self.post(i)))) for i in range(40)]
        for t in threads:
            t.start()
        self.assertEqual(self.p.stop(serve), 0)
        self.assertNotIn("killing it", self.p.output())
        for t in threads:
            t.join()
        acked = {f"w{i}" for i, status in answers if status == 200}
        self.assertEqual(acked - self.stored(), set())

    def test_reload_by_signal(self):
        serve = self.p.serve("--roles", "listener")
        self.p.run("store", "add", "--name", "two", "--platform", "shopify", "--domain", "two.myshopify.com",
                   "--webhook-secret", "second", "--currency", "EUR")
        serve.send_signal(signal.SIGHUP)
        wait_until(lambda: self.p.shopify(b"{}", "second", shop="two.myshopify.com")[0] == 200,
                   what="the new store")


if __name__ == "__main__":
    unittest.main()
