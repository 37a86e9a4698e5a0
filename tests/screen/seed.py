"""Fills a migrated database with what a busy shop morning leaves behind, as seen at a given instant:
stores, pixels in every state, events with documents, routes, verdicts, exchanges, rollups and
heartbeats. Deterministic. Run alone it keeps a private cluster until interrupted and can go on
writing events (--live N per second)."""
import argparse
import json
import math
import os
import random
import re
import signal
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib import ROOT, Cluster, Program, pg_bin  # noqa: E402

NOW = "2026-11-22T10:42:06Z"
NOW_US = 1795344126 * 1_000_000


def words(file, macro):
    """Numbers of a vocabulary of src/*.def, by word."""
    with open(os.path.join(ROOT, "src", file)) as f:
        found = re.findall(r'^%s\(\w+, "([^"]*)"' % macro, f.read(), re.M)
    return {w: i for i, w in enumerate(found)}


EVENT = words("events.def", "EVENT")
DISP = words("dispositions.def", "DISP")
REASON = words("reasons.def", "REASON")
SOURCE = {"shopify": 0, "server": 1, "browser": 2}
ROUTED, EVENTS, ORDERS, REFUNDS, FAILED, LATENCY = 20, 21, 22, 23, 24, 29

STORES = [("acme-de", "EUR", "Europe/Berlin"), ("acme-fr", "EUR", "Europe/Paris"),
          ("nordic-lamps", "SEK", "Europe/Stockholm"), ("kaffe-shop", "EUR", "Europe/Berlin"),
          ("tokyo-tea", "JPY", "Asia/Tokyo")]
# store, name, platform, mood
PIXELS = [(1, "px-181", "pinterest", "hash"), (1, "px-182", "meta", "fine"), (1, "px-183", "tiktok", "fine"),
          (2, "px-399", "pinterest", "fine"), (2, "px-388", "meta", "paused"),
          (3, "px-559", "pinterest", "slow"), (3, "px-733", "tiktok", "fine"),
          (4, "px-172", "pinterest", "fine"), (4, "px-402", "meta", "fine"),
          (5, "px-901", "meta", "fine")]
KINDS = ["page_view"] * 12 + ["view_content"] * 6 + ["add_to_cart"] * 4 + ["initiate_checkout"] * 2 + \
        ["purchase"] * 3 + ["search", "signup", "custom"]


def pack(raw):
    """An LZ4 block of one run of literals, its raw length in front (src/lz.h)."""
    n = len(raw)
    head = bytes([min(n, 15) << 4])
    rest = n - 15
    while rest >= 255:
        head += b"\xff"
        rest -= 255
    if rest >= 0:
        head += bytes([rest])
    return struct.pack("<I", n) + head + raw


def log_id(us, n):
    return us // 1000 << 21 | n


def quote(v):
    if v is None:
        return "NULL"
    if isinstance(v, bool):
        return "true" if v else "false"
    if isinstance(v, (int, float)):
        return str(v)
    if isinstance(v, bytes):
        return f"'\\x{v.hex()}'::bytea"
    return "'" + v.replace("'", "''") + "'"


class Rows:
    def __init__(self):
        self.tables = {}

    def add(self, table, *row):
        self.tables.setdefault(table, []).append("(" + ", ".join(map(quote, row)) + ")")

    def write(self, cluster):
        text = "BEGIN;\n"
        for table, rows in self.tables.items():
            for i in range(0, len(rows), 500):
                text += f"INSERT INTO {table} OVERRIDING SYSTEM VALUE VALUES " + ", ".join(rows[i:i + 500]) + ";\n"
        script(cluster, text + "COMMIT;\n")
        self.tables = {}


def script(cluster, text):
    """Statements too long for a command line."""
    subprocess.run([os.path.join(pg_bin(), "psql"), "-Xq", "-v", "ON_ERROR_STOP=1", "-h", cluster.dir, "-U",
                    "trackai", "-d", "trackai", "-f", "-"], input=text, text=True, check=True)


def document(kind, store, i, amount, currency, at_us, rnd):
    doc = {"v": 1, "event": kind, "source": "shopify" if kind == "purchase" else "browser",
           "event_id": f"ev{i:06d}", "event_time": at_us // 1_000_000,
           "url": f"https://{store}.example/products/lamp?utm_source=pinterest"}
    if kind == "purchase":
        doc["topic"] = "orders/create"
    if amount is not None:
        whole = amount if currency == "JPY" else f"{amount // 100}.{amount % 100:02d}"
        doc.update(value=str(whole), currency=currency)
    if kind == "purchase":
        doc.update(order_id=str(7000000 + i), order={"name": f"#{10000 + i}", "financial_status": "paid"},
                   items=[{"id": str(4000 + i % 7), "name": "Autumn lamp \U0001f4a1", "quantity": 1 + i % 3}])
    doc["user"] = {"email": f"anna{i}@example.com", "ip": "203.0.113.7", "user_agent": "Mozilla/5.0",
                   "country": "DE"}
    if rnd.random() < .6:
        doc["click"] = {"epik": "dj0yJnU9" + "x" * 20, "fbc": "fb.1.1795340000.abc"}
        doc["utm"] = {"source": "pinterest", "medium": "cpc", "campaign": rnd.choice(["autumn-lamp", "broad-q4"])}
    return json.dumps(doc, separators=(",", ":"), ensure_ascii=False).encode()


class Shop:
    """Makes events and what became of them."""

    def __init__(self, rnd):
        self.rnd = rnd
        self.counts = {}
        self.money = {}
        self.ledger = {}
        self.n = 0
        self.amounts = (1290, 2431, 4999, 6100, 8473, 9100, 14017, 16123, 17094)

    def count(self, minute, store, pixel, item, n=1, bin_=0):
        key = (minute, store, pixel, item, bin_)
        self.counts[key] = self.counts.get(key, 0) + n

    def delivery(self, rows, eid, at, store, pixel, minute):
        pid, (_, name, platform, mood) = pixel, PIXELS[pixel - 1]
        state, reason, tries, code, message, http = "delivered", "ok", 1, "", "", 200
        r = self.rnd.random()
        if mood == "hash" and r < .35:
            state, reason, code = "rejected", "platform", "4170"
            message, http = "user_data.em has wrong format (sha256 of the trimmed, lower-case address wanted)", 400
        elif mood == "slow" and r < .2:
            state, reason, http = "retrying", "backoff", 0
            tries, message = 2, "no answer within 5.0 s"
        elif mood == "slow" and r < .25:
            state, reason, tries, message, http = "dead", "budget", 8, "no answer within 5.0 s", 0
        elif mood == "paused" and at > NOW_US - 26 * 60_000_000:
            state = "queued"
        elif r < .02:
            state, reason = "filtered", "unmapped"
        elif r > .995:
            state, reason, message = "delivered_warning", "platform", "fbc was left out: malformed"
        routed = state == "filtered"
        rows.add("route", eid, pid, DISP["filtered"] if routed else DISP["queued"],
                 REASON["unmapped"] if routed else 0, 12 if self.n % 5 == 0 else 0, 3 if self.n % 5 == 0 else 0, 1)
        self.count(minute, store, pid, ROUTED)
        self.count(minute, store, pid, DISP[state])
        self.ledger[pid, ROUTED] = self.ledger.get((pid, ROUTED), 0) + 1
        self.ledger[pid, DISP[state]] = self.ledger.get((pid, DISP[state]), 0) + 1
        if routed or state == "queued":
            return
        ms = int(self.rnd.lognormvariate(6.2 if platform == "pinterest" else 5.8, .5))
        if http == 0:
            ms = 5000
        done = at + (ms + 40) * 1000 * tries
        attempt = log_id(done, self.n * 16 % 2000000 + pid)
        before = DISP["queued"]
        rows.add("verdict", eid, pid, 1, tries, done, before, DISP[state], REASON[reason], attempt, 0, code, message, None)
        self.count(minute, store, pid, LATENCY, 1, min(1023, math.ceil(math.log(max(ms, 1)) / math.log(1.01 / .99))))
        klass = "ok" if state.startswith("delivered") else "retry" if http == 0 else "per_event"
        request = json.dumps({"data": [{"event_name": "checkout", "event_id": f"ev{self.n:06d}",
                                        "user_data": {"em": ["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
                                                      "client_ip_address": "203.0.113.7"}}]}).encode()
        response = json.dumps({"num_events_received": 1, "events": [{"status": "failed" if code else "processed",
                                                                     "error_message": message}]}).encode()
        rows.add("attempt", attempt, pid, done, ms, http, klass, message, 1, 1, pack(request), pack(response))
        if state == "retrying":
            due = NOW_US + self.rnd.randrange(5, 120) * 1_000_000
            rows.add("retry", eid, pid, 1, tries, due, NOW_US + 86400_000_000, 0, 0, REASON["backoff"])

    def event(self, rows, at):
        self.n += 1
        rnd = self.rnd
        store = rnd.choices(range(1, 6), (6, 4, 3, 4, 1))[0]
        name, currency, _ = STORES[store - 1]
        kind = rnd.choice(KINDS)
        amount = rnd.choice(self.amounts) if kind in ("purchase", "initiate_checkout", "add_to_cart") else None
        eid, minute = log_id(at, self.n % 4096), at // 60_000_000
        paid = kind == "purchase"
        rows.add("event", eid, store, EVENT[kind], SOURCE["shopify" if paid else "browser"], at - 300_000, at, 1,
                 log_id(at - 20_000, self.n % 4096), 0, self.n.to_bytes(16, "big"),
                 f"{self.n:032x}", amount, currency if amount is not None else None,
                 str(7000000 + self.n) if paid else None, f"#{10000 + self.n}" if paid else
                 "newsletter ✉ signup" if kind == "custom" else "", False)
        rows.add("event_doc", eid, pack(document(kind, name, self.n, amount, currency, at, rnd)))
        self.count(minute, store, 0, EVENTS, 1, EVENT[kind])
        if paid:
            key = (at // 3600_000_000, store, ORDERS, currency)
            n, total = self.money.get(key, (0, 0))
            self.money[key] = (n + 1, total + amount)
        for pid, (s, *_rest) in enumerate(PIXELS, 1):
            if s == store:
                self.delivery(rows, eid, at, store, pid, minute)

    def write_books(self, rows):
        for (minute, store, pixel, item, bin_), n in self.counts.items():
            rows.add("roll_minute", minute, store, pixel, item, bin_, "", n, 0)
        for (hour, store, item, currency), (n, total) in self.money.items():
            rows.add("roll_hour", hour, store, 0, item, 0, currency, n, total)
        for (pixel, item), n in self.ledger.items():
            rows.add("ledger", pixel, item, n)
        self.counts, self.money, self.ledger = {}, {}, {}


def catalogue(rows, since):
    for i, (name, currency, zone) in enumerate(STORES, 1):
        rows.add("store", i, i.to_bytes(16, "big"), name, "shopify", f"{name}.myshopify.com", currency, zone, "optional",
                 "created", "total", False, False, None, None, "active", 1, since, since)
    for i, (store, name, platform, mood) in enumerate(PIXELS, 1):
        held = mood == "paused"
        rows.add("pixel", i, i.to_bytes(16, "big"), store, name, platform, str(549755885000 + i), None, None, "auto", 0,
                 "held" if held else "active", "auth" if held else "",
                 "code 190: the access token has expired" if held else "", NOW_US - 25 * 60_000_000 if held else 0,
                 None, 1, since, since)


def beats(cluster, now_us, silent=None):
    details = {"listener": {"per_s": 14, "queue": 0}, "router": {"per_s": 14, "behind": 0},
               "dispatcher": {"per_s": 31, "in_flight": 2, "retries": 9}, "folder": {"behind_ms": 240}}
    for role, detail in details.items():
        at = now_us - (42_000_000 if role == silent else 400_000)
        cluster.sql("INSERT INTO heartbeat VALUES ('%s', 'shop1:42', 42, %d, true, '%s') ON CONFLICT (role, instance) "
                    "DO UPDATE SET at_us = excluded.at_us" % (role, at, json.dumps(detail)))


def fill(cluster, now_us=NOW_US, hours=5, per_minute=8, silent=None):
    """Events of the last `hours`, thinner in the morning; `per_minute` at the end."""
    rnd = random.Random(7)
    rows, shop = Rows(), Shop(rnd)
    catalogue(rows, now_us - 40 * 86400_000_000)
    rows.write(cluster)
    for m in range(hours * 60, -1, -1):
        start = (now_us // 60_000_000 - m) * 60_000_000
        share = 1 - .7 * m / (hours * 60)
        for at in sorted(rnd.randrange(start, start + 60_000_000) for _ in range(round(per_minute * share))):
            if at < now_us:
                shop.event(rows, at)
    for day in (1, 7):  # the same hours of yesterday and of last week, for the comparison
        for (hour, store, item, currency), (n, total) in list(shop.money.items()):
            rows.add("roll_hour", hour - 24 * day, store, 0, item, 0, currency, n, total * (100 - 3 * day) // 100)
    shop.write_books(rows)
    rows.write(cluster)
    beats(cluster, now_us, silent)
    cluster.sql("ANALYZE")
    return shop


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--live", type=int, default=0, help="events per second written after the seed")
    p.add_argument("--per-minute", type=int, default=8)
    p.add_argument("--hours", type=int, default=5)
    p.add_argument("--silent", help="a role that has stopped reporting")
    args = p.parse_args()
    with Cluster() as cluster:
        prog = Program(cluster, clock=NOW)
        prog.run("migrate")
        begin = time.monotonic()
        shop = fill(cluster, hours=args.hours, per_minute=args.per_minute, silent=args.silent)
        offset = NOW_US - time.time_ns() // 1000
        print(f"TRACKAI_DATABASE='{cluster.url}'", flush=True)
        print(f"seeded {shop.n} events in {time.monotonic() - begin:.1f} s", file=sys.stderr, flush=True)
        while True:
            time.sleep(.25)
            now = time.time_ns() // 1000 + offset
            rows = Rows()
            for _ in range(max(args.live // 4, 1) if args.live else 0):
                shop.event(rows, now)
            shop.write_books(rows)
            rows.write(cluster)
            beats(cluster, now, args.silent)


def stop(*_):
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, stop)
    try:
        main()
    except KeyboardInterrupt:
        pass
