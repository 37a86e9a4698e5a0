"""Twenty-five traps that others have fallen into, one test each: the mistake is named in the test's
words, the program runs whole against the sandbox, and a table at the end says what was seen. Each
trap has a store with pixels of its own, so that faults meet nobody else."""
import hashlib
import json
import os
import threading
import time
import unittest
from datetime import datetime, timedelta, timezone

from front import Front
from lib import Cluster, Program, Sandbox, wait_until

SECRET = "trap-secret"
PLATFORMS = ("pinterest", "meta", "tiktok")
DISP = ["queued", "held", "retrying", "delivered", "delivered_warning", "filtered", "duplicate", "no_consent",
        "rejected", "dead"]
STATES = """
SELECT e.order_id, p.platform, coalesce(v.after, r.decision), coalesce(v.attempt, 0), coalesce(v.message, '')
FROM event e JOIN route r ON r.event_id = e.id JOIN pixel p ON p.id = r.pixel_id LEFT JOIN LATERAL
  (SELECT * FROM verdict v WHERE v.event_id = e.id AND v.pixel_id = p.id ORDER BY run DESC, attempt = 0 DESC,
   attempt DESC LIMIT 1) v ON true
WHERE e.store_id = (SELECT id FROM store WHERE name = '{}') AND e.name <> 15 ORDER BY 1, 2"""


def sha(text):
    return hashlib.sha256(text.encode()).hexdigest()


def one(v):
    """Pinterest wraps identities in lists."""
    return v[0] if isinstance(v, list) else v


class Traps(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.saw, cls.orders = {}, 0
        cls.cluster = Cluster()
        cls.addClassCleanup(cls.cluster.destroy)
        cls.file = os.path.join(cls.cluster.dir, "clock")
        cls.now = datetime(2026, 11, 22, 10, 40, tzinfo=timezone.utc)
        cls.write_clock()
        cls.sandbox = Sandbox(clock="@" + cls.file)
        cls.addClassCleanup(cls.sandbox.stop)
        cls.front = Front(cls.sandbox)
        cls.addClassCleanup(cls.front.stop)
        cls.p = Program(cls.cluster, clock="@" + cls.file, **cls.front.urls)
        cls.addClassCleanup(cls.p.destroy)
        cls.p.run("migrate")
        cls.serve = cls.p.serve()
        cls.p.active("dispatcher")
        cls.p.active("router")

    @classmethod
    def tearDownClass(cls):
        cls.p.stop(cls.serve)
        names = sorted(n for n in dir(cls) if n.startswith("test_trap_"))
        print(f"\n{len(names)} traps")
        for n in names:
            print(f"  {n[10:12]}  {'ok   ' if n in cls.saw else 'FELL '} {n[13:].replace('_', ' '):44}"
                  f"{cls.saw.get(n, '')}")

    def setUp(self):
        trap = self._testMethodName.startswith("test_trap_")
        self.number = int(self._testMethodName[10:12]) if trap else 0
        self.shop = f"trap{self.number:02}"
        self.account = str(7000000 + self.number)

    def note(self, text):
        self.saw[self._testMethodName] = text

    # --- the world ------------------------------------------------------------------------------

    @classmethod
    def write_clock(cls):
        with open(cls.file + ".new", "w") as f:
            f.write(cls.now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"))
        os.chmod(cls.file + ".new", 0o644)
        with open(cls.file + ".new") as f, open(cls.file, "w") as to:
            to.write(f.read())
        os.chmod(cls.file, 0o644)

    def later(self, **much):
        Traps.now += timedelta(**much)
        self.write_clock()

    def stamp(self, **ago):
        return (self.now - timedelta(**ago)).strftime("%Y-%m-%dT%H:%M:%SZ")

    def store(self, *platforms, name=None, account=None):
        name = name or self.shop
        self.p.run("store", "add", "--name", name, "--platform", "shopify", "--domain", f"{name}.myshopify.com",
                   "--webhook-secret", SECRET, "--currency", "EUR")
        for platform in platforms or PLATFORMS:
            self.p.run("pixel", "add", "--store", name, "--platform", platform, "--account",
                       account or self.account, "--token", "token", "--name", platform)

    def order(self, **more):
        """An order of this trap; returns (order id, body)."""
        Traps.orders += 1
        n = 50000 + Traps.orders
        body = {"id": n, "name": f"#{n}", "currency": "EUR", "total_price": "50.00", "created_at": self.stamp(minutes=9),
                "processed_at": self.stamp(minutes=9), "updated_at": self.stamp(minutes=8), "financial_status": "paid",
                "test": False, "source_name": "web", "email": f"buyer{n}@example.com",
                "client_details": {"browser_ip": "198.51.100.7", "user_agent": "Mozilla/5.0"},
                "line_items": [{"id": n, "product_id": 7, "title": "Lamp", "quantity": 1, "price": "50.00"}]}
        body.update(more)
        return str(n), {k: v for k, v in body.items() if v is not None}

    def post(self, body, topic="orders/create", hook=None, shop=None, **headers):
        got = self.p.shopify(json.dumps(body).encode(), SECRET, topic=topic,
                             shop=f"{shop or self.shop}.myshopify.com",
                             webhook_id=hook or f"hook-{time.monotonic_ns()}", **headers)
        self.assertEqual(got[0], 200, got)

    def known(self, shop=None):
        """The listener hears of a new store a moment later."""
        name = shop or self.shop
        order, body = self.order(test=True)

        def there():
            return self.p.shopify(json.dumps(body).encode(), SECRET, shop=f"{name}.myshopify.com",
                                  webhook_id="first")[0] == 200
        wait_until(there, what="the new store at the listener")
        self.states(lambda s: len(s) > 0, shop=name, all=True)
        return order

    def begin(self, *platforms):
        self.store(*platforms)
        self.test_order = self.known()

    def sold(self, n=1, **more):
        """n orders posted: their ids."""
        ids = []
        for _ in range(n):
            i, body = self.order(**more)
            self.post(body)
            ids.append(i)
        return ids

    def states(self, check=None, shop=None, what="the deliveries", seconds=40, all=False):
        """{(order, platform): (disposition, attempt, message)}, once `check` of it holds."""
        def look():
            rows = self.cluster.sql(STATES.format(shop or self.shop))
            got = {(o, p): (DISP[int(d)], int(a), m) for o, p, d, a, m in rows
                   if all or o != getattr(self, "test_order", None)}
            return (got, ) if not check or check(got) else None
        try:
            return wait_until(look, seconds, what)[0]
        except AssertionError:
            raise AssertionError(f"{what}: {self.cluster.sql(STATES.format(shop or self.shop))[:40]} "
                                 f"{self.p.output()[-800:]}") from None

    def delivered(self, n, word="delivered", **more):
        """Until n deliveries of this trap are `word`; returns all states."""
        return self.states(lambda s: sum(d[0] == word for d in s.values()) >= n, what=f"{n} {word}", **more)

    def in_time(self, n):
        """Until n are delivered, while minutes pass: what failed just now is due later again."""
        def look():
            self.later(minutes=1)
            return sum(d[0] == "delivered" for d in self.states().values()) >= n
        wait_until(look, 40, f"{n} delivered")

    def taken(self, platform, order=None, account=None):
        """What the sandbox's book has of this trap: entries, of one order if named."""
        rows = self.sandbox.received(platform, account=account or self.account)
        if order is None:
            return rows
        return [r for r in rows if (r["content"].get("custom_data") or r["content"].get("properties"))["order_id"] == order]

    def content(self, platform, order):
        got = self.taken(platform, order)
        self.assertEqual(len(got), 1, got)
        return got[0]["content"]

    def user(self, platform, order):
        c = self.content(platform, order)
        return c["user"] if platform == "tiktok" else c["user_data"]

    def custom(self, platform, order):
        c = self.content(platform, order)
        return c["properties"] if platform == "tiktok" else c["custom_data"]

    def held_back(self, n, platform, **more):
        """n orders that go out as one batch: the pixel is held meanwhile."""
        self.p.run("pixel", "hold", f"{self.shop}/{platform}")
        ids = self.sold(n, **more)
        self.states(lambda s: len(s) >= n, what="their routes")
        self.p.run("pixel", "release", f"{self.shop}/{platform}")
        return ids

    def script(self, platform, answer, account=None):
        at = (platform, account or self.account)
        self.front.answer[at] = answer
        self.addCleanup(self.front.answer.pop, at, None)

    # --- what platforms answer --------------------------------------------------------------------

    def test_trap_01_http_200_with_failure_inside(self):
        """TikTok 40002 and 40100, a failed status in Pinterest's list: HTTP 200, and no success."""
        self.begin("pinterest", "tiktok")

        def failed(r):
            rows = [{"status": "failed", "error_message": "hashed value was not recognised", "warning_message": None}
                    for _ in r.events()]
            return 200, {}, json.dumps({"num_events_received": len(rows), "num_events_processed": 0,
                                        "events": rows}).encode()
        self.script("pinterest", failed)
        self.script("tiktok", lambda r: (200, {}, b'{"code":40100,"message":"Too many requests.","request_id":"x"}')
                    if r.number == 1 else self.front.PASS)
        self.sandbox.fault(f"tiktok:event_fail=1@{self.account}")
        order, = self.sold()
        got = self.states(lambda s: len(s) == 2 and s[order, "pinterest"][0] == "rejected" and
                          s[order, "tiktok"][1] == 1, what="two answers")
        self.assertEqual(got[order, "tiktok"][0], "retrying")  # 40100
        self.later(minutes=10)
        got = self.delivered(2, "rejected")
        self.assertIn("not recognised", got[order, "pinterest"][2])
        self.assertIn("Batch.0", got[order, "tiktok"][2])      # 40002
        https = self.cluster.sql("SELECT DISTINCT http FROM attempt WHERE pixel_id IN (SELECT id FROM pixel WHERE "
                                 f"account = '{self.account}')")
        self.assertEqual(https, [["200"]])
        self.note("two rejected, one retried, all with HTTP 200")

    def test_trap_02_batch_422_with_some_processed(self):
        """The processed ones are closed, never sent again; the others are judged singly."""
        self.begin("pinterest")
        self.sandbox.fault(f"pinterest:event_fail=4@{self.account}")
        ids = self.held_back(40, "pinterest")
        got = self.states(lambda s: len(s) == 40 and all(d[0] in ("delivered", "rejected") for d in s.values()))
        good = {o for (o, _), d in got.items() if d[0] == "delivered"}
        book = self.taken("pinterest")
        self.assertEqual({r["content"]["custom_data"]["order_id"] for r in book}, good)
        self.assertTrue(0 < len(good) < 40, len(good))
        self.assertEqual({r["times"] for r in book}, {1})
        sent = sum(len(r.events()) for r in self.front.of("pinterest", self.account))
        self.assertEqual(sent, len(ids))
        self.note(f"{len(good)} delivered once, {40 - len(good)} rejected with their own words")

    def test_trap_03_partial_success_20001(self):
        """TikTok says that a part was taken, and not which: nothing is lost, nothing counts twice."""
        self.begin("tiktok")
        self.sandbox.fault(f"tiktok:partial=4@{self.account}")
        ids = self.held_back(30, "tiktok")
        got = self.states(lambda s: len(s) == 30 and all(d[0] in ("delivered", "rejected") for d in s.values()))
        took = {o for (o, _), d in got.items() if d[0] == "delivered"}
        book = self.taken("tiktok")
        self.assertEqual({r["content"]["properties"]["order_id"] for r in book}, took)
        self.assertTrue(0 < len(took) < len(ids), len(took))
        self.assertFalse([r for r in book if r["conflict"]])
        self.assertEqual(len({r["event_id"] for r in book}), len(book))
        self.note(f"{len(took)} delivered under one id each, {30 - len(took)} named as not taken")

    # --- what is in an order ----------------------------------------------------------------------

    def test_trap_04_post_codes_accents_apostrophes(self):
        """Letters in post codes stay (GB, CA, NL); accents survive; an apostrophe is no end of text."""
        self.begin()
        for country, zip_code, form, last, folded in (
                ("GB", "SW1A 1AA", "sw1a1aa", "O'Connor", "oconnor"), ("CA", "K1A 0B1", "k1a0b1", "Ménard", "ménard"),
                ("NL", "1012 AB", "1012ab", "d’Arras", "darras"), ("US", "90210-1234", "90210", "Łukasz", "łukasz")):
            order, = self.sold(billing_address={"first_name": "Zoë", "last_name": last, "city": "Saint-Étienne",
                                                "zip": zip_code, "country_code": country})
            self.states(lambda s: sum(d[0] == "delivered" for (o, _), d in s.items() if o == order) == 3)
            self.assertEqual(self.user("meta", order)["zp"], sha(form))
            self.assertEqual(self.user("tiktok", order)["zip_code"], sha(form))
            wide = "902101234" if country == "US" else form  # Pinterest asks for the digits
            self.assertEqual(one(self.user("pinterest", order)["zp"]), sha(wide))
            self.assertEqual(self.user("meta", order)["ln"], sha(folded))
            self.assertEqual(one(self.user("pinterest", order)["ln"]), sha(last.lower()))
            self.assertEqual(self.user("tiktok", order)["first_name"], sha("zoë"))
            self.assertEqual(self.user("meta", order)["ct"], sha("saintétienne"))
        self.note("sw1a1aa, k1a0b1, 1012ab; zoë, ménard, oconnor")

    def test_trap_05_phones(self):
        """Fifteen digits lose none; a local number takes its record's country; without one it is not guessed."""
        self.begin()
        for phone, country, digits in (("+491234567890123", "DE", "491234567890123"), ("030 901820", "DE", "4930901820"),
                                       ("07700 900123", "GB", "447700900123"), ("(415) 555-0132", "US", "14155550132"),
                                       ("030 901820", None, None)):
            order, = self.sold(billing_address={"phone": phone, "country_code": country, "last_name": "X"})
            self.states(lambda s: sum(d[0] == "delivered" for (o, _), d in s.items() if o == order) == 3)
            expect = digits and sha(digits)
            self.assertEqual(self.user("meta", order).get("ph"), expect, phone)
            self.assertEqual(one(self.user("pinterest", order).get("ph")), expect, phone)
            self.assertEqual(self.user("tiktok", order).get("phone"), digits and sha("+" + digits), phone)
        self.note("15 digits whole, local ones by country, none guessed")

    def test_trap_06_currencies(self):
        """None is never a default; yen have no decimals, dinars three."""
        self.begin()
        none, = self.sold(currency=None)
        yen, = self.sold(currency="JPY", total_price="1500", line_items=[])
        dinar, = self.sold(currency="KWD", total_price="12.345", line_items=[])
        got = self.states(lambda s: len(s) == 9 and all(d[0] in ("delivered", "rejected") for d in s.values()))
        self.assertEqual({d[0] for (o, _), d in got.items() if o == none}, {"rejected"})
        for order, code, text, number in ((yen, "JPY", "1500", 1500), (dinar, "KWD", "12.345", 12.345)):
            for platform, value in (("pinterest", text), ("meta", number), ("tiktok", number)):
                self.assertEqual((self.custom(platform, order)["currency"], self.custom(platform, order)["value"]),
                                 (code, value))
        self.assertEqual(self.cluster.sql(f"SELECT amount FROM event WHERE order_id IN ('{yen}', '{dinar}') ORDER BY 1"),
                         [["1500"], ["12345"]])
        self.note("no currency: rejected three times; 1500 JPY, 12.345 KWD")

    def test_trap_07_redelivery_races_with_the_first_copy(self):
        """The same webhook eight times at once, and under eight ids: one event."""
        self.begin()
        order, body = self.order()
        threads = [threading.Thread(target=self.post, args=(body, ), kwargs={"hook": hook})
                   for hook in ["same"] * 8 + [f"other-{i}" for i in range(8)]]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.delivered(3)
        self.assertEqual(self.cluster.sql(f"SELECT count(*) FROM event WHERE order_id = '{order}'"), [["1"]])
        self.assertEqual([r["times"] for p in PLATFORMS for r in self.taken(p)], [1, 1, 1])
        seen = self.cluster.sql("SELECT (SELECT count(*) FROM inbox WHERE store_id = s.id), (SELECT count(*) FROM "
                                "receipt_repeat r JOIN inbox i ON (i.writer, i.id) = (first_writer, first_id) WHERE "
                                f"i.store_id = s.id) FROM store s WHERE name = '{self.shop}'")
        self.assertEqual(seen[0][0], "10")  # the store's first, one "same", eight others
        self.assertEqual(seen[0][1], "7")
        self.note("16 webhooks: one event, sent once, 7 repeats on record")

    def test_trap_08_one_event_id_for_ever(self):
        """A retry, a redelivery and a second report carry the first id."""
        self.begin("meta")
        self.script("meta", lambda r: None if r.number == 1 else self.front.PASS)
        self.sandbox.fault(f"meta:reset@{self.account}*1")
        order, body = self.order()
        self.post(body, hook="w1")
        for n in (1, 2):
            self.states(lambda s: s.get((order, "meta"), (0, 0))[1] == n, what=f"attempt {n}")
            self.later(minutes=2)
        self.delivered(1)
        self.post(body, hook="w1")
        self.post(dict(body, updated_at=self.stamp(minutes=1)), topic="orders/paid", hook="w2")
        self.sold()
        self.delivered(2)
        sent = [r for r in self.front.of("meta", self.account)]
        self.assertEqual(len({i for r in sent[:3] for i in r.ids()}), 1)
        self.assertEqual(len({r.body for r in sent[:3]}), 1)
        book = self.taken("meta", order)
        self.assertEqual([(r["times"], r["conflict"]) for r in book], [(2, False)])
        self.note("three attempts, a redelivery, a second report: one id, the same bytes")

    def test_trap_09_value_and_time_after_an_edit(self):
        """An edit an hour later changes neither what was bought then nor when."""
        self.begin()
        order, body = self.order(processed_at=self.stamp(hours=2), created_at=self.stamp(hours=2))
        self.post(body)
        self.delivered(3)
        self.post(dict(body, total_price="75.00", updated_at=self.stamp()), topic="orders/updated")
        self.sold()
        self.delivered(6)
        then = int((self.now - timedelta(hours=2)).timestamp())
        for platform in PLATFORMS:
            self.assertEqual(float(self.custom(platform, order)["value"]), 50.0)
            self.assertEqual(self.content(platform, order)["event_time"], then)
        self.assertEqual(self.cluster.sql(f"SELECT total FROM order_state WHERE order_id = '{order}'"), [["7500"]])
        self.note("50.00 at the time of purchase; 75.00 is known as the order's state")

    def test_trap_10_fbc_with_a_moving_click_time(self):
        """The click's time is when the visitor landed, also at the second attempt and in a later report."""
        self.begin("meta")
        self.script("meta", lambda r: (503, {}, b"{}") if r.number == 1 else self.front.PASS)
        order, body = self.order(landing_site="/lamps?fbclid=IwAR0abcDEF")
        self.post(body)
        self.states(lambda s: s.get((order, "meta"), (0, 0))[1] == 1, what="the first attempt")
        self.later(minutes=3)
        self.post(dict(body, updated_at=self.stamp()), topic="orders/paid")
        self.delivered(1)
        landed = datetime.strptime(body["created_at"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
        fbc = [e["user_data"]["fbc"] for r in self.front.of("meta", self.account) for e in r.events()]
        self.assertEqual(set(fbc), {f"fb.1.{int(landed.timestamp())}000.IwAR0abcDEF"})
        self.assertGreaterEqual(len(fbc), 2)
        self.note(f"{fbc[0]} in {len(fbc)} attempts")

    def test_trap_11_the_callers_address(self):
        """Shopify's own address, or a proxy's, is nobody's customer."""
        self.begin()
        bare, body = self.order(client_details=None)
        headers = {"X-Forwarded-For": "203.0.113.99", "Forwarded": "for=203.0.113.99", "User-Agent": "Shopify-Captain-Hook"}
        self.post(body, **headers)
        known, body = self.order(client_details={"browser_ip": "198.51.100.23", "user_agent": "Firefox"})
        self.post(body, **headers)
        self.delivered(6)
        for platform in PLATFORMS:
            text = json.dumps(self.content(platform, bare))
            for word in ("203.0.113.99", "127.0.0.1", "Captain"):
                self.assertNotIn(word, text, platform)
            user = self.user(platform, known)
            self.assertEqual(user.get("client_ip_address") or user.get("ip"), "198.51.100.23")
        self.note("none where the shop names none; the visitor's where it does")

    def test_trap_12_num_items_is_pieces_not_lines(self):
        self.begin()
        order, = self.sold(line_items=[{"id": 1, "product_id": 7, "quantity": 3, "price": "10.00"},
                                       {"id": 2, "product_id": 8, "quantity": 2, "price": "10.00"}])
        self.delivered(3)
        for platform in PLATFORMS:
            self.assertEqual(self.custom(platform, order)["num_items"], 5, platform)
        self.note("3 + 2 pieces in two lines: 5")

    def test_trap_13_opt_out_only_where_it_was_said(self):
        """Unknown consent is neither true nor false; a denial is not sent at all."""
        self.begin()
        key = self.p.json("key", "add", "--store", self.shop, "--scope", "track")["key"]
        items = [dict({"event": "view_content", "event_id": f"consent-{w}", "event_time": int(self.now.timestamp()) - 60,
                       "url": "https://trap.example/", "user": {"email": f"{w}@example.com"}},
                      **({} if c is None else {"consent": {"ads": c}})) for w, c in
                 (("unknown", None), ("granted", True), ("denied", False))]
        wait_until(lambda: self.p.request("POST", "/event/track", json.dumps(items).encode(), {
            "Authorization": f"Bearer {key}", "Content-Type": "application/json"})[0] == 200, what="the key")
        wait_until(lambda: all(len(self.taken(p)) == 2 for p in PLATFORMS), what="two events each")
        words = {"pinterest": "opt_out", "meta": "data_processing_options", "tiktok": "limited_data_use"}
        for platform, word in words.items():
            sent = {r["event_id"]: r["content"] for r in self.taken(platform)}
            self.assertEqual(len(sent), 2)
            said = sorted(str(c.get(word, "absent")) for c in sent.values())
            self.assertEqual(said, ["[]" if platform == "meta" else "False", "absent"], platform)
            self.assertFalse([c for c in sent.values() if "opt_out" in c and c["opt_out"]])
        got = self.cluster.sql("SELECT DISTINCT r.decision FROM route r JOIN event e ON e.id = r.event_id WHERE "
                               "e.store_id = (SELECT id FROM store WHERE name = 'trap13') AND e.name <> 8 ORDER BY 1")
        self.assertEqual(got, [["0"], [str(DISP.index("no_consent"))]])
        self.note("absent when unknown, false when granted, nothing sent when denied")

    # --- trying again ------------------------------------------------------------------------------

    def test_trap_14_the_attempt_counter_advances(self):
        """Attempts are counted, the waits grow, and what cannot be delivered ends at the deadline."""
        self.begin("meta")
        self.script("meta", lambda r: (503, {}, b"{}"))
        order, = self.sold()
        waits = []
        for n in range(1, 6):
            self.states(lambda s: s.get((order, "meta"), (0, 0))[1] >= n, what=f"attempt {n}")
            due, = self.cluster.sql("SELECT r.tries, r.due_us - v.at_us FROM retry r JOIN verdict v USING (event_id, "
                                    f"pixel_id) JOIN event e ON e.id = r.event_id WHERE e.order_id = '{order}' AND "
                                    "v.attempt = r.tries")
            self.assertEqual(int(due[0]), n)
            waits.append(int(due[1]) / 1e6)
            self.later(seconds=max(waits[-1], 330) + 1)  # the circuit rests for five minutes at most
        self.assertEqual(waits, sorted(waits))
        self.later(days=6, hours=13)
        got = self.delivered(1, "dead")
        self.assertIn("dead", got[order, "meta"][0])
        self.assertEqual(self.cluster.sql("SELECT count(*) FROM retry WHERE pixel_id IN (SELECT id FROM pixel WHERE "
                                          f"account = '{self.account}')"), [["0"]])
        self.note("waits of " + ", ".join(f"{w:.0f}" for w in waits) + " s, then dead: expired")

    def test_trap_15_next_attempt_in_the_past(self):
        """A due time that has passed while nobody looked is due, not forgotten."""
        self.begin("meta")
        self.script("meta", lambda r: (503, {}, b"{}") if r.number == 1 else self.front.PASS)
        order, = self.sold()
        self.states(lambda s: s.get((order, "meta"), (0, 0))[1] == 1, what="the first attempt")
        self.p.stop(self.serve)
        self.cluster.sql("UPDATE retry SET due_us = 1 WHERE event_id IN (SELECT id FROM event WHERE "
                         f"order_id = '{order}')")
        Traps.serve = self.p.serve()
        self.delivered(1)
        self.note("due in 1970, delivered at once")

    def test_trap_16_manual_retry_during_the_scheduled_one(self):
        """A human's retry takes the next number and the place of the pending one: never both."""
        self.begin("meta")
        self.script("meta", lambda r: (503, {}, b"{}") if r.number == 1 else self.front.PASS)
        order, = self.sold()
        self.states(lambda s: s.get((order, "meta"), (0, 0))[1] == 1, what="the first attempt")
        event = self.cluster.sql(f"SELECT id FROM event WHERE order_id = '{order}'")[0][0]
        self.p.run("delivery", "retry", "--ids", event)
        got = self.delivered(1)
        self.assertEqual(got[order, "meta"][1], 2)
        self.later(hours=2)  # far behind the pending attempt's time
        self.sold()
        self.delivered(2)
        self.assertEqual([r["times"] for r in self.taken("meta", order)], [1])
        self.note("attempt 2 by hand, the scheduled one is gone")

    # --- one pixel and the others ------------------------------------------------------------------

    def test_trap_17_one_dead_destination(self):
        """It hangs for ever; the others do not notice."""
        self.begin()
        hang = threading.Event()
        self.addCleanup(hang.set)
        self.script("meta", lambda r: hang.wait(60) and None)
        ids = self.sold(60)
        got = self.delivered(120)
        self.assertFalse([o for o in ids if got[o, "meta"][0] == "delivered"])
        self.assertFalse(hang.is_set())
        self.assertLessEqual(max(r.beside for r in self.front.of("meta", self.account)), 3)
        self.note("120 of 120 elsewhere while four requests hang")
        hang.set()
        del self.front.answer["meta", self.account]
        self.in_time(180)

    def test_trap_18_events_of_a_held_pixel_stay(self):
        """A pixel that is paused keeps its events, says how many, and sends them when it is released."""
        self.begin()
        self.p.run("pixel", "hold", f"{self.shop}/tiktok")
        ids = self.sold(25)
        got = self.delivered(50)
        self.assertEqual({got[o, "tiktok"][0] for o in ids}, {"queued"})
        wait_until(lambda: any(r["pixel"] == "tiktok" and r["dispositions"].get("queued") == 25
                               for r in self.p.json("ledger") if r["store"] == self.shop), what="the ledger's word")
        self.p.run("pixel", "release", f"{self.shop}/tiktok")
        self.delivered(75)
        self.assertEqual(len(self.taken("tiktok")), 25)
        self.note("25 queued while held, 25 delivered after")

    def test_trap_19_what_cannot_be_built_is_kept(self):
        """No match key: rejected with the reason, and body, document and other pixels are untouched."""
        self.begin()
        order, body = self.order(email=None, client_details=None, customer={"id": 77})
        self.post(body)
        got = self.states(lambda s: len(s) == 3 and all(d[0] in ("delivered", "rejected") for d in s.values()))
        self.assertEqual(got[order, "pinterest"][0], "rejected")
        self.assertEqual({got[order, p][0] for p in ("meta", "tiktok")}, {"delivered"})
        row = self.cluster.sql(f"SELECT id, receipt, writer FROM event WHERE order_id = '{order}'")[0]
        shown = self.p.json("event", "show", row[0])
        self.assertIn(order, json.dumps(shown["doc"]))
        self.assertIn("Pinterest needs", json.dumps(shown["deliveries"]))
        self.assertEqual(self.cluster.sql(f"SELECT count(*) FROM inbox_body WHERE id = {row[1]}"), [["1"]])
        self.post({"id": 5, "total_price": "fifty", "currency": "EUR", "created_at": self.stamp()})
        failed = wait_until(lambda: [r for r in self.p.json("receipt", "list", "--failed") if r["store"] == self.shop],
                            what="the failed receipt")
        self.assertEqual(len(failed), 1)
        self.note("rejected: no_match_key, document and raw body kept; a broken order too")

    def test_trap_20_throttled_time_counts_as_latency(self):
        """What waited because the platform said 429 took as long as it took."""
        self.begin("pinterest")
        self.sandbox.fault(f"pinterest:rate_limit=1200@{self.account}*1")
        order, = self.sold()
        self.states(lambda s: s.get((order, "pinterest"), (0, 0))[1] == 1, what="the throttled attempt")
        self.later(minutes=20)
        self.in_time(1)
        shown = self.p.json("delivery", "list", "--where", f"store == '{self.shop}' and latency > 20m")
        self.assertEqual(len(shown), 1)
        bins = wait_until(lambda: self.cluster.sql("SELECT bin FROM roll_minute WHERE item = 29 AND pixel_id = (SELECT id "
                                                   f"FROM pixel WHERE account = '{self.account}')"), what="its latency")
        base = 1.01 / 0.99  # what a bin stands for: DDSketch, 1 %
        took = 2 * base ** int(bins[0][0]) / (base + 1)
        self.assertEqual(len(bins), 1)
        self.assertTrue(1200 * 1000 < took < 3000 * 1000, took)
        self.note(f"receipt to verdict {took / 1000:.0f} s, 429 included")

    def test_trap_21_tokens_of_many_pixels_lost_at_once(self):
        """Each pauses with its reason, keeps its events, and goes on under a new token; nothing goes twice."""
        shops = [f"trap21{c}" for c in "abcdef"]
        for i, name in enumerate(shops):
            self.store("meta", name=name, account=str(7210000 + i))
        for i, name in enumerate(shops):
            self.sandbox.fault(f"meta:auth@{7210000 + i}")
        tests = {name: self.known(name) for name in shops}
        for name in shops:
            for _ in range(5):
                self.post(self.order()[1], shop=name)
        wait_until(lambda: self.cluster.sql("SELECT count(*) FROM pixel WHERE state = 'held' AND state_reason = 'auth' "
                                            "AND account LIKE '721%'") == [["6"]], what="six held pixels")
        self.assertEqual(sum(len(self.taken("meta", account=str(7210000 + i))) for i in range(6)), 0)
        listed = [r for r in self.p.json("pixel", "list") if r["store"] in shops]
        self.assertEqual({r["state"] for r in listed}, {"held"})
        self.sandbox.heal()
        for name in shops:
            self.p.run("pixel", "set", f"{name}/meta", "--token", "fresh")
            self.p.run("pixel", "release", f"{name}/meta")
        for i, name in enumerate(shops):
            self.test_order = tests[name]
            self.delivered(5, shop=name)
            self.assertEqual({r["times"] for r in self.taken("meta", account=str(7210000 + i))}, {1})
        self.note("6 pixels held: auth; 30 events waited and went once")

    def test_trap_22_no_queue_table_grows_and_is_deleted_from(self):
        """Logs are appended to and go by partition; the small tables are empty when the work is done."""
        self.begin("meta")
        self.script("meta", lambda r: (503, {}, b"{}") if r.number == 1 else self.front.PASS)
        self.sold(40)
        self.states(lambda s: any(d[0] == "retrying" for d in s.values()), what="retries")
        self.in_time(40)
        empty = "SELECT (SELECT count(*) FROM retry), (SELECT count(*) FROM inflight), (SELECT count(*) FROM hold)"
        wait_until(lambda: self.cluster.sql(empty) == [["0", "0", "0"]], what="empty tables of work")
        logs = self.cluster.sql("SELECT i.inhparent::regclass, coalesce(sum(s.n_tup_upd), 0), coalesce(sum(s.n_tup_del), "
                                "0), coalesce(sum(s.n_tup_ins), 0) FROM pg_inherits i JOIN pg_stat_user_tables s ON "
                                "s.relid = i.inhrelid GROUP BY 1 ORDER BY 1")
        self.assertGreaterEqual(len(logs), 8, logs)
        for name, updated, deleted, _ in logs:
            self.assertEqual((updated, deleted), ("0", "0"), name)
        grown = sum(int(r[3]) for r in logs)
        self.note(f"{grown:,} rows in {len(logs)} logs, none updated, none deleted; retry and inflight empty")

    def test_trap_23_idle_polling(self):
        """With nothing to do the processes and the database rest."""
        self.begin("meta")

        def cost():
            with open(f"/proc/{self.serve.pid}/task/{self.serve.pid}/children") as f:
                pids = [self.serve.pid] + [int(c) for c in f.read().split()]
            ticks = 0
            for pid in pids:
                with open(f"/proc/{pid}/stat") as f:
                    v = f.read().rpartition(")")[2].split()
                ticks += int(v[11]) + int(v[12])
            n = int(self.cluster.sql("SELECT pg_stat_force_next_flush(), xact_commit + xact_rollback FROM pg_stat_database "
                                     "WHERE datname = 'trackai'")[0][1])
            return time.monotonic(), ticks / os.sysconf("SC_CLK_TCK"), n

        def quiet():
            a = cost()
            time.sleep(2.5)  # what is measured is a stretch of nothing
            b = cost()
            took = b[0] - a[0]
            return (100 * (b[1] - a[1]) / took, (b[2] - a[2]) / took)
        for _ in range(4):  # what came before may still be folded
            cpu, per_s = quiet()
            if cpu < 3 and per_s < 40:
                self.note(f"{cpu:.1f} % of a core, {per_s:.0f} transactions a second")
                return
        self.fail(f"idle costs {cpu:.1f} % of a core and {per_s:.0f} transactions a second")

    def test_trap_24_no_flood_after_an_outage(self):
        """One probe first, then at most four exchanges at a time, oldest deadline first; what waited comes in batches."""
        self.begin("meta")
        self.script("meta", lambda r: (503, {}, b"{}"))
        self.sold(120)
        self.states(lambda s: len(s) == 120, what="all routes")
        while len(self.front.of("meta", self.account)) < 9:  # the circuit has opened by then
            self.later(minutes=2)
            time.sleep(0.05)
        wait_until(lambda: all(r.ended for r in self.front.of("meta", self.account)), what="the last answers")
        before = len(self.front.of("meta", self.account))
        gate, first = threading.Event(), threading.Event()
        self.addCleanup(gate.set)

        def probe(r):
            if r.number == before + 1:
                first.set()
                gate.wait(30)
            return self.front.PASS
        self.front.answer["meta", self.account] = probe
        self.later(minutes=20)
        self.assertTrue(first.wait(30), "no probe came")
        self.sold(5)  # live traffic meanwhile: it waits behind the probe as well
        self.states(lambda s: len(s) == 125, what="their routes")
        self.assertEqual(len(self.front.of("meta", self.account)), before + 1)
        gate.set()
        self.in_time(125)
        after = self.front.of("meta", self.account)[before:]
        self.assertEqual(after[0].beside, 0)
        self.assertLessEqual(max(r.beside for r in after), 3)
        self.assertLess(len(after), 60)
        self.note(f"one probe, then {len(after) - 1} requests for 125 events, {max(r.beside for r in after) + 1} at a time")

    def test_trap_25_platform_counts_added_twice(self):
        """Browser and webhook, created and paid: one purchase here and there, and once in the revenue."""
        self.begin()
        key = self.p.json("key", "add", "--store", self.shop, "--scope", "public")["key"]
        order, body = self.order(note_attributes=[{"name": "ta_event_id", "value": "ta-trap-0025"}])
        item = [{"event": "purchase", "event_id": "ta-trap-0025", "order_id": order, "value": "50.00", "currency": "EUR"}]
        wait_until(lambda: self.p.request("POST", f"/event/track?k={key}", json.dumps(item).encode(), {
            "Content-Type": "text/plain"})[0] == 200, what="the key")
        self.post(body)
        self.post(dict(body, updated_at=self.stamp()), topic="orders/paid")
        rows = wait_until(lambda: next((r for r in [self.cluster.sql(
            "SELECT e.source, min(r.decision), max(r.decision), (SELECT count(*) FROM verdict v WHERE v.event_id = e.id "
            f"AND after = 3) FROM event e JOIN route r ON r.event_id = e.id WHERE e.order_id = '{order}' AND e.name = 8 "
            "GROUP BY e.id, e.source ORDER BY e.source")] if len(r) == 2 and r[0][3] == "3"), None), what="both copies")
        self.assertEqual(rows[1][1:], [str(DISP.index("duplicate"))] * 2 + ["0"])
        late = json.dumps([dict(item[0], event_id="ta-trap-late")]).encode()  # the page is opened again
        self.assertEqual(self.p.request("POST", f"/event/track?k={key}", late, {"Content-Type": "text/plain"})[0], 200)
        wait_until(lambda: self.cluster.sql(f"SELECT count(*) FROM event e JOIN route r ON r.event_id = e.id WHERE "
                                            f"order_id = '{order}' AND e.name = 8 AND decision = {DISP.index('duplicate')}")
                   == [["6"]], what="the late copy")
        behind, = self.sold()
        self.states(lambda s: sum(d[0] == "delivered" for (o, _), d in s.items() if o == behind) == 3)
        self.assertEqual([(r["event_id"], r["times"]) for p in PLATFORMS for r in self.taken(p, order)],
                         [("ta-trap-0025", 1)] * 3)
        revenue = "SELECT sum(n), sum(amount) FROM tally WHERE item = 22 AND store_id = (SELECT id FROM store WHERE name = 'trap25')"
        self.assertEqual(self.cluster.sql(revenue), [["2", "10000"]])  # with the one behind it
        self.note("four reports: one event id at each platform, 50.00 EUR once")

    def test_x_the_books_balance(self):
        """After all of this the books balance, by what the stages counted and by the rows."""
        for args in (["ledger"], ["ledger", "--recount"]):
            wait_until(lambda: self.p.run(*args, ok=False).returncode == 0, what=" ".join(args))



if __name__ == "__main__":
    unittest.main()
