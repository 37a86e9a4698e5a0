"""sandbox: the three platforms' answers over HTTP, what it remembers, faults on demand, its speed."""
import copy
import http.client
import json
import os
import select
import signal
import socket
import subprocess
import time
import unittest

from lib import SLOW, TRACKAI, mortal

H = "86e0b9e56c17cc4d12387e1949b85053fbe73bc3ce5a1188713a9d300cc6133d"
NOW = int(time.time())

PINTEREST = {"event_name": "checkout", "action_source": "web", "event_time": NOW, "event_id": "id-00001",
             "user_data": {"em": [H], "client_ip_address": "203.0.113.9", "client_user_agent": "UA"},
             "custom_data": {"currency": "EUR", "value": "72.39", "order_id": "1",
                             "contents": [{"id": "a", "item_price": "9.50", "quantity": 2}]}}
META = {"event_name": "Purchase", "action_source": "website", "event_time": NOW, "event_id": "id-00001",
        "event_source_url": "https://shop.example/", "user_data": {"em": H, "client_user_agent": "UA"},
        "custom_data": {"currency": "EUR", "value": 72.39}}
TIKTOK = {"event": "Purchase", "event_time": NOW, "event_id": "id-00001", "user": {"email": H},
          "properties": {"currency": "EUR", "value": 72.39}}


class Sandbox:
    def __init__(self, *args):
        env = {k: v for k, v in os.environ.items() if not k.startswith("TRACKAI_")}
        self.p = subprocess.Popen(mortal([TRACKAI, "sandbox", "--listen", "127.0.0.1:0", *args]), env=env,
                                  stdout=subprocess.PIPE, text=True)
        self.urls = {}
        for line in self.p.stdout:
            if line == "ready\n":
                break
            key, url = line.strip().split("=", 1)
            self.urls[key] = url
        self.port = int(self.urls["TRACKAI_META_URL"].split(":")[2].split("/")[0])

    def request(self, method, path, body=None, headers=None, timeout=60 * SLOW):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            c.request(method, path, body, headers or {})
            r = c.getresponse()
            return r.status, r.read().decode(), r.headers
        finally:
            c.close()

    def json(self, method, path, body=None):
        status, text, _ = self.request(method, path, body)
        assert status == 200, text
        return json.loads(text)

    def pinterest(self, *events, account="549755885175", token="t", query="", **kw):
        return self.request("POST", f"/pinterest/v5/ad_accounts/{account}/events{query}",
                            json.dumps({"data": events}),
                            {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}, **kw)

    def meta(self, *events, pixel="123", token="t", **kw):
        return self.request("POST", f"/meta/v24.0/{pixel}/events",
                            json.dumps({"data": events, "access_token": token}),
                            {"Content-Type": "application/json"}, **kw)

    def tiktok(self, *events, pixel="C1", token="t", **kw):
        return self.request("POST", "/tiktok/open_api/v1.3/event/track/",
                            json.dumps({"event_source": "web", "event_source_id": pixel, "data": events}),
                            {"Content-Type": "application/json", "Access-Token": token}, **kw)

    def stop(self, sig=signal.SIGTERM):
        if self.p.poll() is None:
            self.p.send_signal(sig)
        self.p.stdout.close()
        return self.p.wait(60 * SLOW)


def event(base, **change):
    ev = copy.deepcopy(base)
    ev.update(change)
    return ev


class Answers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s = Sandbox()

    @classmethod
    def tearDownClass(cls):
        assert cls.s.stop() == 0, "a clean stop on SIGTERM"

    def setUp(self):
        self.s.json("DELETE", "/_sandbox/received")
        self.s.json("DELETE", "/_sandbox/fault")

    def counts(self, platform):
        return self.s.json("GET", "/_sandbox/summary")["platforms"][platform]

    def test_urls_hold_the_version(self):
        self.assertTrue(self.s.urls["TRACKAI_PINTEREST_URL"].endswith("/pinterest/v5"))
        self.assertTrue(self.s.urls["TRACKAI_META_URL"].endswith("/meta/v24.0"))
        self.assertTrue(self.s.urls["TRACKAI_TIKTOK_URL"].endswith("/tiktok/open_api/v1.3"))

    def test_pinterest_speaks_per_event(self):
        old = event(PINTEREST, event_id="id-00002", event_time=NOW - 9 * 86400)
        status, text, _ = self.s.pinterest(PINTEREST, old)
        got = json.loads(text)
        self.assertEqual((status, got["code"]), (422, 953))
        self.assertEqual([e["status"] for e in got["details"]["events"]], ["processed", "failed"])
        self.assertIn("in the past", got["details"]["events"][1]["error_message"])
        self.assertEqual(self.counts("pinterest")["events"], 1)
        self.assertEqual(self.counts("pinterest")["refused"], 1)
        status, text, _ = self.s.pinterest(PINTEREST, event(PINTEREST, category_name="x"))
        self.assertEqual((status, json.loads(text)["code"]), (400, 4196))

    def test_meta_takes_all_or_nothing(self):
        old = event(META, event_id="id-00002", event_time=NOW - 9 * 86400)
        status, text, _ = self.s.meta(META, old)
        self.assertEqual((status, json.loads(text)["error"]["error_subcode"]), (400, 2804003))
        self.assertEqual(self.counts("meta")["events"], 0)
        status, text, _ = self.s.meta(META)
        self.assertEqual((status, json.loads(text)["events_received"]), (200, 1))
        self.assertEqual(self.s.meta(META, token="expired")[0], 400)

    def test_tiktok_fails_inside_200(self):
        status, text, _ = self.s.tiktok(TIKTOK, event(TIKTOK, event_id="b", properties={"value": "1"}))
        got = json.loads(text)
        self.assertEqual((status, got["code"]), (200, 40002))
        self.assertIn("Batch.1.properties.value", got["message"])
        self.assertEqual(self.counts("tiktok")["events"], 0)
        self.assertEqual(json.loads(self.s.tiktok(TIKTOK)[1])["code"], 0)
        self.assertEqual(json.loads(self.s.tiktok(TIKTOK, token="bad1")[1])["code"], 40105)
        self.assertEqual(json.loads(self.s.tiktok(TIKTOK, pixel="forbidden1")[1])["code"], 40001)

    def test_repeats_and_conflicts(self):
        for _ in range(3):
            self.assertEqual(self.s.pinterest(PINTEREST)[0], 200)
        self.s.pinterest(PINTEREST, account="77")
        self.s.pinterest(PINTEREST, query="?test=true")
        c = self.counts("pinterest")
        self.assertEqual((c["events"], c["repeats"], c["conflicts"], c["test"]), (2, 2, 0, 1))
        other = event(PINTEREST, event_time=NOW - 1)
        self.assertEqual(self.s.pinterest(other)[0], 200)
        self.assertEqual(self.counts("pinterest")["conflicts"], 1)
        got = self.s.json("GET", "/_sandbox/received?platform=pinterest&account=549755885175&event_id=id-00001")
        real = [e for e in got["events"] if not e["test"]]
        self.assertEqual((got["total"], len(real)), (2, 1))
        self.assertEqual((real[0]["times"], real[0]["conflict"]), (4, True))
        self.assertEqual(real[0]["content"], PINTEREST)
        self.assertEqual(real[0]["conflicting"], other)
        self.assertEqual(self.s.json("GET", "/_sandbox/received?conflicts=1")["total"], 1)

    def test_faults(self):
        add = lambda spec: self.s.json("POST", "/_sandbox/fault", spec)
        add("pinterest:status=503*1,meta:html@9,meta:rate_limit=67150*1,tiktok:truncate*1,tiktok:partial=1@P1")
        self.assertEqual(self.s.pinterest(PINTEREST)[0], 503)
        self.assertEqual(self.s.pinterest(PINTEREST)[0], 200)
        status, text, _ = self.s.meta(META, pixel="9")
        self.assertEqual(status, 502)
        self.assertIn("<html>", text)
        status, text, headers = self.s.meta(META)
        self.assertEqual((status, headers["X-RateLimit-Reset"]), (429, "67150"))
        self.assertEqual(json.loads(text)["error"]["code"], 17)
        with self.assertRaises(http.client.IncompleteRead):
            self.s.tiktok(TIKTOK)
        self.assertEqual(self.counts("tiktok")["events"], 1)  # taken, though nobody was told
        self.assertEqual(json.loads(self.s.tiktok(TIKTOK, pixel="P1")[1])["code"], 20001)
        add("meta:reset*1,meta:auth@5")
        with self.assertRaises((http.client.RemoteDisconnected, ConnectionResetError)):
            self.s.meta(META)
        self.assertEqual(json.loads(self.s.meta(META, pixel="5")[1])["error"]["code"], 190)
        status, text, _ = self.s.request("POST", "/_sandbox/fault", "meta:nonsense")
        self.assertEqual(status, 400)
        self.assertIn("meta:nonsense", text)

    def test_latency(self):
        self.s.json("POST", "/_sandbox/fault", "meta:latency=300ms@1")
        begun = time.monotonic()
        self.assertEqual(self.s.meta(META, pixel="1")[0], 200)
        self.assertGreaterEqual(time.monotonic() - begun, 0.29)

    def test_slow_and_hanging_answers_block_nobody_else(self):
        self.s.json("POST", "/_sandbox/fault", "meta:latency=300s@1,meta:hang@2")
        waiting = []
        for pixel in ("1", "2", "1"):
            body = json.dumps({"data": [META], "access_token": "t"}).encode()
            c = socket.create_connection(("127.0.0.1", self.s.port), timeout=60 * SLOW)
            self.addCleanup(c.close)
            c.sendall(b"POST /meta/v24.0/%s/events HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" %
                      (pixel.encode(), len(body)) + body)
            waiting.append(c)
        for _ in range(50):
            self.assertEqual(self.s.meta(META, pixel="3")[0], 200)
        self.assertEqual(select.select(waiting, [], [], 0)[0], [])

    def test_a_thousand_at_once(self):
        many = [event(PINTEREST, event_id=f"m{i:06d}") for i in range(1000)]
        status, text, _ = self.s.pinterest(*many)
        self.assertEqual((status, json.loads(text)["num_events_processed"]), (200, 1000))
        self.assertEqual(self.counts("pinterest")["events"], 1000)
        self.assertEqual(self.s.pinterest(*many, PINTEREST)[0], 400)


class Start(unittest.TestCase):
    def test_only_the_loopback(self):
        p = subprocess.run([TRACKAI, "sandbox", "--listen", "0.0.0.0:8099"], stderr=subprocess.PIPE, text=True)
        self.assertEqual(p.returncode, 2)
        self.assertIn("loopback", p.stderr)

    def test_wrong_fault(self):
        p = subprocess.run([TRACKAI, "sandbox", "--listen", "127.0.0.1:0", "--fault", "x:y"],
                           stderr=subprocess.PIPE, text=True)
        self.assertEqual(p.returncode, 4)
        self.assertIn("platform:kind", p.stderr)

    def test_taken_port_and_interrupt(self):
        s = Sandbox("--fault", "pinterest:status=500")
        p = subprocess.run([TRACKAI, "sandbox", "--listen", f"127.0.0.1:{s.port}"], stderr=subprocess.PIPE,
                           text=True)
        self.assertEqual(p.returncode, 2)
        self.assertIn("cannot listen", p.stderr)
        self.assertEqual(s.pinterest(PINTEREST)[0], 500)
        self.assertEqual(s.stop(signal.SIGINT), 0)


if __name__ == "__main__":
    unittest.main()
