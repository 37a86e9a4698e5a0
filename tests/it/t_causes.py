"""Why is this pixel red: each row of tests/golden/causes is brought about alone, through the real thing
(listener, router, dispatcher, sandbox), at a low and at a high rate beside an ordinary background, in a
shop of its own; the cause told first by `trackai health PIXEL` must be the one that was injected."""
import base64
import concurrent.futures
import hashlib
import hmac
import json
import os
import tempfile
import unittest

from lib import ROOT, Cluster, Program, Sandbox, wait_until

NOW, LATER = "2026-11-22T10:40:00Z", "2026-11-22T22:40:00Z"
NOW_S = 1795344000
BACKGROUND = 60
RIGHT, OF = 29, 30
SECRET = "hush"
SHOPIFY = ("wrong_secret", "redelivered", "pos", "test_orders", "bad_money", "no_json")
FBCLID = "IwAR2F4Fv9xZ3KjQk8mLr6TtYpW1nBcHdE5gSaU7oXiVbNqMzPwRyJhCfDlG0"


def sha(text):
    return hashlib.sha256(text.encode()).hexdigest()


class Case:
    """One row at one rate, with a store and a pixel of its own."""

    def __init__(self, row, rate, n):
        self.row, self.rate, self.n = row, rate, row[rate]
        self.store = f"shop-{n}-{rate}"
        self.domain = f"shop{n}{rate}.myshopify.com"
        self.account = str(700000 + 2 * n + (rate == "high"))
        self.shopify = row.get("how") in SHOPIFY
        self.server, self.public = f"server-key-{n}-{rate}", f"public-key-{n}-{rate}"
        self.sent = self.expected = self.refused = 0

    def email(self, i):
        return f"jane.doe{i}@example.com"

    def item(self, i, **over):
        """A healthy purchase of customer i; `over` replaces members, None takes them out."""
        self.sent += 1
        user = {"email": self.email(i), "phone": f"+4917012345{i:02}", "external_id": f"customer-{i}",
                "ip": "198.51.100.7", "user_agent": "Mozilla/5.0"}
        user.update(over.pop("user", {}))
        item = {"event": "purchase", "event_id": f"{self.store}-{self.sent:05}", "value": "19.90", "currency": "EUR",
                "order_id": f"{self.sent}", "event_time": NOW_S - 60, "url": "https://shop.example/thanks",
                "user": {k: v for k, v in user.items() if v is not None}}
        item.update(over)
        return {k: v for k, v in item.items() if v is not None}

    def order(self, **over):
        self.sent += 1
        order = {"id": 9000 + self.sent, "name": f"#{self.sent}", "total_price": "19.90", "currency": "EUR",
                 "email": self.email(self.sent % 60), "created_at": "2026-11-22T10:35:00Z",
                 "processed_at": "2026-11-22T10:35:00Z", "updated_at": "2026-11-22T10:35:00Z",
                 "financial_status": "paid", "source_name": "web", "test": False,
                 "client_details": {"browser_ip": "198.51.100.7", "user_agent": "Mozilla/5.0"},
                 "line_items": [{"id": 1, "product_id": 11, "variant_id": 111, "title": "Mug", "price": "19.90",
                                 "quantity": 1}]}
        order.update(over)
        return order


# What the shop sends ------------------------------------------------------------------------------

def changed(**over):
    """Items that are wrong in one way; callables are asked per customer."""
    def make(case, i):
        def value(v):
            return v(case, i) if callable(v) else {k: value(x) for k, x in v.items()} if isinstance(v, dict) else v
        return case.item(i, **{k: value(v) for k, v in over.items()})
    return make


def bad_fbc(case, i):
    return (f"fb.1.{NOW_S}.{FBCLID}", f"fb.1.{NOW_S * 1000}.{FBCLID.lower()}", f"fb.1.{NOW_S * 1000}.{FBCLID[:9]}")[i % 3]


def typed(case, i):
    mail = case.email(i)
    return sha((mail.upper(), "Jane.Doe" + mail[8:], mail + " ", "Jane.Doe" + mail[8:].replace("e", "E", 1))[i % 4])


ITEMS = {
    "plain": changed(),
    "old": changed(event_time=NOW_S - 10 * 86400),
    "milliseconds": changed(event_time=(NOW_S - 60) * 1000),
    "ahead": changed(event_time=NOW_S + 7200),
    "no_value": changed(value=None),
    "bad_fbc": changed(click={"fbc": bad_fbc}),
    "no_identity": changed(user={"email": None, "phone": None, "external_id": None, "ip": None}),
    "refused_items": changed(value="19,90"),
    "hash_typed": changed(user={"email": typed}),
    "hash_twice": changed(user={"email": lambda c, i: sha(sha(c.email(i)))}),
    "hash_empty": changed(user={"email": sha("")}),
    "hash_upper": changed(user={"email": lambda c, i: sha(c.email(i)).upper()}),
    "hash_country": changed(user={"email": lambda c, i: sha(c.email(i)), "country": sha("DE")}),
    "phone_no_plus": changed(user={"phone": lambda c, i: sha(f"4917012345{i:02}")}),
    "phone_local": changed(user={"phone": lambda c, i: f"0170 12345{i:02}"}),
    "misspelt": changed(event="custom", name="Purchse"),
    "misspelt_item": changed(event="purchse"),
    "denied": changed(consent={"ads": False}),
    "no_email": changed(user={"email": None}),
    "ruled": changed(event="lead"),
}


class Causes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with open(os.path.join(ROOT, "tests", "golden", "causes", "causes.json"), encoding="utf-8") as f:
            golden = json.load(f)
        cls.rows = golden["rows"] + golden["more"]
        cls.first = len(golden["rows"])
        cls.cases = [Case(row, rate, n) for n, row in enumerate(cls.rows) for rate in ("low", "high")]
        cls.dir = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.dir.cleanup)
        os.chmod(cls.dir.name, 0o755)
        cls.clock = os.path.join(cls.dir.name, "clock")
        cls.now(NOW)
        cls.cluster = Cluster()
        cls.addClassCleanup(cls.cluster.destroy)
        cls.sandbox = Sandbox(clock="@" + cls.clock)
        cls.addClassCleanup(cls.sandbox.stop)
        cls.p = Program(cls.cluster, clock="@" + cls.clock, **cls.sandbox.urls)
        cls.addClassCleanup(cls.p.destroy)

    @classmethod
    def now(cls, text):
        with open(cls.clock + ".new", "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(cls.clock + ".new", 0o644)
        os.rename(cls.clock + ".new", cls.clock)

    # Setting up -----------------------------------------------------------------------------------

    def each(self, what, cases=None):
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(what, cases if cases is not None else self.cases))

    def make(self, case):
        p, row = self.p, case.row
        store = ["--name", case.store, "--platform", "shopify" if case.shopify else "custom", "--currency", "EUR"]
        if case.shopify:
            store += ["--domain", case.domain, "--webhook-secret", SECRET]
        if row.get("how") == "pos":
            store += ["--send-pos"]
        p.run("store", "add", *store)
        pixel = ["--store", case.store, "--platform", row["platform"], "--account", case.account, "--token", "sandbox-token"]
        if "test_code" in row:
            pixel += ["--test-code", row["test_code"]]
        p.run("pixel", "add", *pixel)
        if row.get("how") == "ruled":
            everything = case.rate == "high"
            p.run("rule", "add", "--store", case.store, "--action", "drop", "--priority", "1", "--expr",
                  "value >= 0 EUR" if everything else 'name == "lead"')

    def keys(self):
        rows = ", ".join(f"(sha256('{key}'), (SELECT id FROM store WHERE name = '{c.store}'), '{scope}', 0)"
                         for c in self.cases for key, scope in ((c.server, "track"), (c.public, "public")))
        self.cluster.sql(f"INSERT INTO api_key (hash, store_id, scope, created_us) VALUES {rows}")

    # Sending --------------------------------------------------------------------------------------

    def track(self, case, items, browser=False):
        for at in range(0, len(items), 100):
            body = json.dumps(items[at:at + 100]).encode()
            if browser:
                status, text, _ = self.p.request("POST", "/event/track?k=" + case.public, body)
            else:
                status, text, _ = self.p.request("POST", "/event/track", body, {"Authorization": "Bearer " + case.server})
            self.assertEqual(status, 200, text)
            results = [r["status"] for r in json.loads(text)["results"]]
            case.expected += results.count("accepted")
            case.refused += results.count("rejected")

    def webhook(self, case, body, secret=SECRET, webhook_id=None, status=200):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        got = self.p.shopify(body, secret, shop=case.domain, webhook_id=webhook_id or f"{case.store}-{case.sent}")
        self.assertEqual(got[0], status)

    def background(self, case):
        if case.shopify:
            for _ in range(BACKGROUND):
                self.webhook(case, case.order())
            case.expected += BACKGROUND
        else:
            self.track(case, [case.item(i) for i in range(BACKGROUND)] + self.ordinary(case))

    def ordinary(self, case):
        """What every shop has and nobody is woken for: visitors without a name, some who say no."""
        anonymous = {"email": None, "phone": None, "external_id": None}
        page = {"event": "page_view", "value": None, "currency": None, "order_id": None}
        return ([case.item(i, user=dict(anonymous), **page) for i in range(6)] +
                [case.item(i, consent={"ads": False}, **page) for i in range(4)])

    def break_it(self, case):
        fault, percent = case.row.get("fault"), case.row.get("percent")
        if fault == "event_fail":
            fault += f"={round(100 / percent[case.rate == 'high'])}"
        spec = f"{case.row['platform']}:{fault}@{case.account}"
        if fault.startswith("event_code"):
            spec += f"%{percent[case.rate == 'high']}"
        self.sandbox.fault(spec)

    def inject(self, case):
        how = case.row.get("how", "plain")
        if how in ITEMS:
            self.track(case, [ITEMS[how](case, i % 60) for i in range(case.n)])
        else:
            getattr(self, "send_" + how)(case)

    def send_no_pair(self, case):
        """The browser first: its purchase goes out, then the server's under another id."""
        pages = [case.item(i, user={"ip": None, "user_agent": None}) for i in range(case.n)]
        self.track(case, pages, browser=True)
        self.wait_routed(case)
        self.track(case, [dict(page, event_id="server-" + page["event_id"]) for page in pages])

    def send_id_reused(self, case):
        for i in range(case.n):
            self.track(case, [case.item(i, event_id="session-0001")])

    def send_wrong_secret(self, case):
        for _ in range(case.n):
            self.webhook(case, case.order(), secret="another", status=401)
            case.refused += 1

    def send_redelivered(self, case):
        for _ in range(case.n):
            order = case.order()
            self.webhook(case, order)
            case.expected += 1
            self.webhook(case, order)

    def send_pos(self, case, **over):
        for _ in range(case.n):
            self.webhook(case, case.order(**(over or {"source_name": "pos"})))
            case.expected += 1

    def send_test_orders(self, case):
        self.send_pos(case, test=True)

    def send_bad_money(self, case):
        for _ in range(case.n):
            self.webhook(case, case.order(total_price="about twenty"))

    def send_no_json(self, case):
        for _ in range(case.n):
            case.sent += 1
            self.webhook(case, b'{"id": %d, "total_price": ' % case.sent)

    # Looking --------------------------------------------------------------------------------------

    def counts(self, sql):
        return {name: int(n) for name, n in self.cluster.sql(
            f"SELECT s.name, count(*) FROM ({sql}) x JOIN store s ON s.id = x.store_id GROUP BY 1")}

    def wait_routed(self, case):
        wait_until(lambda: self.counts("SELECT store_id FROM event").get(case.store, 0) >= case.expected,
                   what=f"{case.store}'s events")

    def wait_all(self, cases, what):
        """Every event is routed, and what is not held or waiting for a paused pixel has an attempt behind it."""
        def routed():
            got = self.counts("SELECT store_id FROM event")
            return all(got.get(c.store, 0) >= c.expected for c in cases)
        wait_until(routed, what=what + ": routed")
        refusing = [c for c in cases if c.refused]  # evidence of 16 a second is kept for sure
        wait_until(lambda: all(int(self.cluster.sql(
            f"SELECT count(*) FROM refused WHERE domain IN ('{c.domain}', 'store ' || (SELECT id FROM store WHERE name = "
            f"'{c.store}'))")[0][0]) >= min(c.refused, 3) for c in refusing), what=what + ": evidence")
        wait_until(lambda: self.cluster.sql(
            "SELECT count(*) FROM route r JOIN pixel p ON p.id = r.pixel_id WHERE r.decision = 0 AND p.state = 'active' "
            "AND p.id NOT IN (SELECT pixel_id FROM circuit WHERE forced_us > 0) AND NOT EXISTS (SELECT 1 FROM verdict v "
            "WHERE v.event_id = r.event_id AND v.pixel_id = r.pixel_id) AND NOT "
            "EXISTS (SELECT 1 FROM attempt a WHERE a.pixel_id = r.pixel_id AND a.class IN ('retry', 'ambiguous', 'auth', "
            "'config'))") == [["0"]], what=what + ": sent")

    def causes(self, program, case):
        out = program.run("health", f"{case.store}/{case.row['platform']}", "--json", ok=False).stdout
        return json.loads(out)[0]["causes"]

    def judge(self, program, cases):
        def look(case):
            case.causes = self.causes(program, case)
            case.right = bool(case.causes) and case.causes[0]["cause"] == case.row["cause"]
        self.each(look, cases)

    # The campaign ---------------------------------------------------------------------------------

    def test_campaign(self):
        self.p.run("migrate")
        self.each(self.make)
        self.keys()
        here = [c for c in self.cases if "network" not in c.row and "silence" not in c.row]
        silent = [c for c in self.cases if "silence" in c.row]
        away = [c for c in self.cases if "network" in c.row]
        serve = self.p.serve()
        self.each(self.background)
        self.wait_all(self.cases, "the background")
        self.healthy(here)
        for case in here:
            if "fault" in case.row:
                self.break_it(case)
            if "hold" in case.row:
                self.p.run("pixel", "hold", f"{case.store}/{case.row['platform']}")
            if "circuit" in case.row:
                self.p.run("pixel", "circuit", f"{case.store}/{case.row['platform']}", "open")
        self.each(self.inject, here)
        self.each(self.inject, silent)
        self.wait_all(here + silent, "what is wrong")
        self.judge(self.p, here)
        self.p.stop(serve)
        self.unreachable(away)
        self.quiet(silent)
        self.report()

    def quiet(self, cases):
        """Twelve hours on, nothing has come."""
        self.now(LATER)
        wait_until(lambda: self.cluster.sql(
            "SELECT count(*) FROM health h JOIN pixel p ON p.id = h.pixel_id JOIN store s ON s.id = p.store_id WHERE "
            f"s.name IN ('{cases[0].store}', '{cases[1].store}') AND (parts::jsonb)->'freshness'->>'status' IN "
            "('warn', 'crit') AND h.at_us <= (SELECT min(at) FROM (SELECT max(at_us) AS at FROM heartbeat WHERE active AND "
            "role IN ('listener', 'router', 'dispatcher') GROUP BY role) x)") == [["2"]], what="silence")
        self.judge(self.p, cases)

    def healthy(self, cases):
        """Before anything is wrong, nothing is told (but what the settings say)."""
        for case in cases[::7]:
            if "test_code" not in case.row and case.row.get("how") != "ruled":
                self.assertEqual(self.causes(self.p, case), [], case.row["name"])

    def unreachable(self, cases):
        """The same database, and platforms that are not where they should be."""
        dead = self.sandbox.port
        far = {"TRACKAI_PINTEREST_URL": f"https://127.0.0.1:{dead}/pinterest/v5",
               "TRACKAI_META_URL": "http://127.0.0.1:1/meta/v24.0",
               "TRACKAI_TIKTOK_URL": "https://" + "a" * 64 + ".invalid/open_api/v1.3"}
        self.p.env.update(far)
        self.p.serve()
        self.each(self.inject, cases)
        self.wait_all(cases, "what cannot be reached")
        self.judge(self.p, cases)

    def report(self):
        wrong = [c for c in self.cases if not c.right]
        for c in wrong:
            told = ", ".join(f"{x['cause']} {x['score']:.0f} ({x['evidence']})" for x in c.causes[:3])
            print(f"{c.rate}: {c.row['name']}: {c.row['cause']} expected, told: {told or 'nothing'}")
        for rate in ("low", "high"):
            mine = [c for c in self.cases if c.rate == rate]
            right = sum(c.right for c in mine[:self.first])
            print(f"causes, {rate} rate: {right} right of {self.first}; of the others "
                  f"{sum(c.right for c in mine[self.first:])} of {len(mine) - self.first}", flush=True)
            self.assertEqual(self.first, OF)
            self.assertGreaterEqual(right, RIGHT)
            self.assertGreaterEqual(sum(c.right for c in mine[self.first:]), len(mine) - self.first - 1)
        for c in self.cases:
            self.assertTrue(all(x["next"] and x["evidence"] for x in c.causes))


if __name__ == "__main__":
    unittest.main()
