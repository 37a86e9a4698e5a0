"""The fault campaign: N events at nine pixels of three stores while the platforms time out, hang up, throttle,
refuse, answer with pages of gateways, half and late, while processes and the database are killed, and while a
simulated clock goes on. What is done, and in which order, follows from a seed; when it meets the program
is the machine's doing. tests/crash/t_faults.py and tests/perf/bench_faults run it."""
import json
import os
import random
import signal
import threading
import time
from datetime import datetime, timedelta, timezone

from lib import Cluster, Program, Sandbox, scratch_dir, wait_until

SECRET = "fault-secret"
PLATFORMS = ("pinterest", "meta", "tiktok")
# Carl's platforms are down: first for half a day, in which processes die, which is less than the shortest
# window in which an attempt of unknown outcome may be repeated; then for three days, without deaths.
STORES = ("anna", "bert", "carl")
REFUSED = {"pinterest": 97, "meta": 211, "tiktok": 89}  # of so many events the platform refuses one, for good
PART = 20       # events of one request to /event/track
ROLES = ("listener", "router", "dispatcher", "folder", "puller")
RATES = {"status=503": (20, 90), "status=500": (20, 70), "html": (20, 70), "rate_limit=900": (10, 40),
         "latency=120ms": (30, 90), "truncate": (5, 35), "reset": (5, 35)}
KINDS = (*RATES, "auth", "hang")
TLS = ("expired", "wrong_name", "unknown_ca", "handshake", "refuse")  # of connections, whoever's pixel they are for
MASK = (1 << 64) - 1


def account(store, platform):
    return str(8000 + 10 * STORES.index(store) + PLATFORMS.index(platform))


def refused(event_id, one_in):
    """Does the sandbox's fault event_fail strike this event? (net/sandbox_fault.c: FNV-1a, splitmix64's end)"""
    h = 0xcbf29ce484222325
    for b in event_id.encode():
        h = (h ^ b) * 0x100000001b3 & MASK
    h = (h ^ h >> 30) * 0xbf58476d1ce4e5b9 & MASK
    h = (h ^ h >> 27) * 0x94d049bb133111eb & MASK
    return (h ^ h >> 31) % one_in == 0


class Campaign:
    def __init__(self, events, seed, say=print):
        self.n, self.seed, self.say = events, seed, say
        self.rng = random.Random(seed)
        self.acked, self.lock = set(), threading.Lock()
        self.happened = {}
        self.begun = time.monotonic()
        self.now = datetime(2026, 11, 22, 10, 40, tzinfo=timezone.utc)
        self.start = self.now

    def __enter__(self):
        self.cluster = Cluster()
        self.file = os.path.join(self.cluster.dir, "clock")
        self.tick(0)
        self.sandbox = Sandbox(clock="@" + self.file, tls=scratch_dir("ta-tls-"))
        self.p = p = Program(self.cluster, clock="@" + self.file, **self.sandbox.urls)
        p.run("migrate")
        self.keys = {}
        for store in STORES:
            p.run("store", "add", "--name", store, "--platform", "shopify", "--domain", f"{store}.myshopify.com",
                  "--webhook-secret", SECRET, "--currency", "EUR")
            for platform in PLATFORMS:
                p.run("pixel", "add", "--store", store, "--platform", platform, "--account", account(store, platform),
                      "--token", "token", "--name", platform)
            self.keys[store] = p.json("key", "add", "--store", store, "--scope", "track")["key"]
        self.serve = p.serve()
        return self

    def __exit__(self, *exc):
        self.p.destroy()
        self.sandbox.stop()
        self.cluster.destroy()

    def count(self, what, n=1):
        self.happened[what] = self.happened.get(what, 0) + n

    def tick(self, seconds):
        """The clock of everybody; what is in it is never half written."""
        self.now += timedelta(seconds=seconds)
        text = self.now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        with open(self.file, "r+" if os.path.exists(self.file) else "w") as f:
            f.write(text)
        os.chmod(self.file, 0o644)

    # --- what comes in ----------------------------------------------------------------------------

    def plan(self):
        """Requests: one event in five an order by webhook, the others in parts to /event/track."""
        first, late = ([], {s: [] for s in STORES}), ([], {s: [] for s in STORES})
        for n in range(self.n):
            store = STORES[n % len(STORES)]
            todo, by_store = late if store == "carl" and n >= 0.8 * self.n else first
            if n % 5 == 0:
                todo.append((store, [n], True))
            else:
                by_store[store].append(n)
        for todo, by_store in (first, late):
            for store, all_of in by_store.items():
                todo += [(store, all_of[i:i + PART], False) for i in range(0, len(all_of), PART)]
            self.rng.shuffle(todo)
        return first[0], late[0]

    def wire(self, n):
        return f"campaign-{self.seed}-{n:07d}"

    def order(self, n, at):
        return json.dumps({
            "id": 6000000 + n, "name": f"#{n}", "currency": "EUR", "total_price": f"{n % 90 + 10}.50",
            "created_at": at, "updated_at": at, "processed_at": at, "financial_status": "paid", "test": False,
            "source_name": "web", "email": f"buyer{n}@example.com",
            "note_attributes": [{"name": "ta_event_id", "value": self.wire(n)}],
            "client_details": {"browser_ip": "198.51.100.7", "user_agent": "Mozilla/5.0"},
            "line_items": [{"id": n, "product_id": 4000 + n % 7, "title": "Lamp", "quantity": 1,
                            "price": f"{n % 90 + 10}.50"}]}).encode()

    def item(self, n, at):
        return {"event": "view_content", "event_id": self.wire(n), "event_time": at, "url": "https://shop.example/p",
                "value": f"{n % 90 + 10}.50", "currency": "EUR", "items": [{"id": str(n % 7), "quantity": 1}],
                "user": {"email": f"buyer{n}@example.com", "ip": "198.51.100.7", "user_agent": "Mozilla/5.0"}}

    def post(self, store, numbers, webhook):
        """True when it is acknowledged; who posts repeats it until then, byte for byte."""
        if webhook:
            n, = numbers
            return self.p.shopify(self.order(n, self.start.strftime("%Y-%m-%dT%H:%M:%SZ")), SECRET,
                                  shop=f"{store}.myshopify.com", webhook_id=f"hook-{n}")[0] == 200
        body = json.dumps([self.item(n, int(self.start.timestamp())) for n in numbers]).encode()
        status, text, _ = self.p.request("POST", "/event/track", body, {
            "Authorization": f"Bearer {self.keys[store]}", "Content-Type": "application/json"})
        if status != 200:
            return False
        states = {r["status"] for r in json.loads(text)["results"]}
        if not states <= {"accepted", "duplicate"}:
            raise AssertionError(f"refused: {text[:500]}")
        return True

    def shop(self, todo):
        while True:
            with self.lock:
                if not todo or self.broken:
                    return
                store, numbers, webhook = todo.pop()
            try:
                wait_until(lambda: self.post(store, numbers, webhook), 60, f"the acknowledgement of {numbers[0]}")
            except Exception as e:  # noqa: BLE001: told by run()
                self.broken = str(e)
                return
            with self.lock:
                self.acked.update(numbers)

    # --- what goes wrong ----------------------------------------------------------------------------

    def steady(self):
        """Refusals for good, by event: the same events whatever else happens. And carl's outage."""
        specs = [f"{p}:{'partial' if (s, p) == ('bert', 'tiktok') else 'event_fail'}={REFUSED[p]}@{account(s, p)}"
                 for s in STORES for p in PLATFORMS]
        if not self.carl_is_back:
            specs += [f"{p}:status=503@{account('carl', p)}" for p in PLATFORMS]
        return specs

    def weather(self, last=False):
        """New faults for anna's and bert's pixels."""
        specs = self.steady()
        for store in STORES[:2]:
            for platform in PLATFORMS:
                kind = None if last or self.rng.random() < 0.25 else self.rng.choice(KINDS)
                # Nothing may hang at Pinterest: its window for a repeat is the shortest, and hours pass in a second.
                if not kind or (kind == "hang" and (platform == "pinterest" or self.hung >= 2)):
                    continue
                self.hung += kind == "hang"
                rate = "*1" if kind in ("hang", "auth") else "%%%d" % self.rng.randint(*RATES[kind])
                specs.append(f"{platform}:{kind}@{account(store, platform)}{rate}")
                self.count(kind.split("=")[0])
        if not last and self.rng.random() < 0.6:
            kind = self.rng.choice(TLS)
            specs.append(f"tls:{kind}%{self.rng.randint(10, 60)}")
            self.count("tls " + kind)
        self.sandbox.faults(",".join(specs))

    def release(self):
        """The operator: a new token for pixels that were refused."""
        for pixel, reason in self.sql("SELECT id, state_reason FROM pixel WHERE state = 'held'"):
            if self.p.run("pixel", "set", pixel, "--token", "token", ok=False).returncode == 0:
                done = self.p.run("pixel", "release", pixel, ok=False)
                self.count(f"released ({reason})", done.returncode == 0)

    def sql(self, text):
        """As the database may be dead for a moment: until it answers."""
        got = []

        def ask():
            try:
                got[:] = [self.cluster.sql(text)]
            except AssertionError:
                return False
            return True
        wait_until(ask, 60, text)
        return got[0]

    def kill(self, what):
        self.count(f"killed {what}")
        if what == "postgresql":
            self.cluster.crash()
            self.cluster.start()
        elif what == "serve":
            self.serve.kill()
            self.serve.wait()
            self.serve = self.p.serve()
        else:
            for pid, in self.sql(f"SELECT pid FROM heartbeat WHERE role = '{what}'"):
                if self.ours(int(pid)):
                    os.kill(int(pid), signal.SIGKILL)

    def ours(self, pid):
        try:
            with open(f"/proc/{pid}/status") as f:
                return f"PPid:\t{self.serve.pid}\n" in f.read()
        except OSError:
            return False

    # --- the campaign --------------------------------------------------------------------------------

    def open_ones(self, stores):
        """Deliveries of those stores that are not final, and what is acknowledged and not routed yet."""
        out = self.p.run("ledger", "--json", ok=False)
        try:
            rows = [r for r in json.loads(out.stdout) if r["store"] in stores]
        except ValueError:
            return None
        return sum(sum(r["dispositions"].get(k, 0) for k in ("queued", "held", "retrying")) for r in rows) + sum(
            3 * sum(STORES[n % 3] == s for n in self.acked) for s in stores) - sum(r["events"] for r in rows)

    def drained(self, stores, step, seconds, what):
        end = time.monotonic() + seconds * float(os.environ.get("TA_SLOW", "1"))
        while True:
            left = self.open_ones(stores)
            if left == 0:
                return
            if time.monotonic() > end:
                raise AssertionError(f"{what}: {left} deliveries are open after {seconds} s; "
                                     f"{self.sql('SELECT pixel_id, count(*), min(due_us), max(tries) FROM retry GROUP BY 1')} "
                                     f"{self.sql('SELECT id, pixel_id, state, cardinality(events) FROM inflight')} "
                                     f"{self.p.output()[-1500:]}")
            self.release()
            self.tick(step)
            if not self.carl_is_back and self.now - self.start >= timedelta(hours=12) and "carl" not in stores:
                self.back(True)
                step = 60
            time.sleep(0.1)

    def deaths(self, steps):
        """step -> who dies then."""
        out = {}
        for i in range(steps // 2):
            out.setdefault(self.rng.randrange(2, steps), []).append(ROLES[i % len(ROLES)])
        out.setdefault(steps // 3, []).append("postgresql")
        out.setdefault(2 * steps // 3, []).append("serve")
        return out

    def received(self, todo, steps, deaths):
        """Four shops post what is to be done; meanwhile faults change, processes die and hours pass."""
        shops = [threading.Thread(target=self.shop, args=(todo, ), daemon=True) for _ in range(4)]
        before, n = len(self.acked), sum(len(numbers) for _, numbers, _ in todo)
        for t in shops:
            t.start()
        for i in range(steps):
            goal = before + n * (i + 1) // steps
            wait_until(lambda: self.broken or len(self.acked) >= goal, 180, f"{goal} acknowledgements")
            for what in deaths.get(i, []):
                self.kill(what)
            self.weather(last=not deaths)
            self.release()
            self.tick(self.rng.randint(20, 900))
        for t in shops:
            t.join()
        if self.broken:
            raise AssertionError(self.broken)

    def back(self, yes):
        self.carl_is_back = yes
        self.weather(last=True)

    def until_hour(self, hour):
        self.tick(max(0, 3600 * hour - (self.now - self.start).total_seconds()))

    def run(self):
        self.broken, self.hung, self.carl_is_back = None, 0, False
        first, late = self.plan()
        steps = max(24, min(60, self.n // 400))
        patience = 120 + self.n / 500
        self.weather()
        self.received(first, steps, self.deaths(steps))
        self.weather(last=True)
        self.drained(STORES[:2], 300, patience, "anna's and bert's pixels")
        self.until_hour(12)
        self.back(True)
        self.drained(STORES, 60, patience, "carl's pixels, after half a day")
        self.back(False)
        self.received(late, 4, {})
        self.took_in = time.monotonic() - self.begun
        for _ in range(18):
            self.tick(4 * 3600)
            time.sleep(0.05)  # for those who look at the clock
        self.back(True)
        self.drained(STORES, 300, patience, "carl's pixels, after three days")
        self.took = time.monotonic() - self.begun

    # --- what came of it -------------------------------------------------------------------------------

    def judge(self):
        """[(what, value, right?)], everything by two books: ours and the sandbox's."""
        out = []

        def say(what, value, right):
            out.append((what, value, right))
        say("acknowledged events", f"{len(self.acked):,}", len(self.acked) == self.n)
        wires = {r[0] for r in self.sql("SELECT wire_id FROM event")}
        want = {self.wire(n) for n in range(self.n)}
        stored = int(self.sql("SELECT count(*) FROM event")[0][0])
        say("lost: acknowledged and no event", len(want - wires), not want - wires)
        say("events beside them", stored - len(want), stored == len(want) and wires == want)
        final = {}
        for name, wire, after, attempt in self.sql(
                "SELECT p.account, e.wire_id, v.after, v.attempt FROM event e JOIN route r ON r.event_id = e.id JOIN pixel p "
                "ON p.id = r.pixel_id LEFT JOIN LATERAL (SELECT * FROM verdict v WHERE v.event_id = e.id AND "
                "v.pixel_id = p.id ORDER BY attempt = 0 DESC, attempt DESC LIMIT 1) v ON true"):
            final.setdefault(name, {})[wire] = (int(after or 0), int(attempt or 0))
        could = got = wrong = lost = second = tries = 0
        for s in STORES:
            mine = {self.wire(n) for n in range(self.n) if STORES[n % 3] == s}
            for p in PLATFORMS:
                at = account(s, p)
                book = {r["event_id"] for r in self.sandbox.received(p, account=at, limit=1000000)}
                bad = {w for w in mine if refused(w, REFUSED[p])}
                ours = final.get(at, {})
                could += len(mine - bad)
                good = {w for w, v in ours.items() if v[0] in (3, 4)}
                got += len(good & (mine - bad))
                wrong += sum(ours.get(w, (0, 0))[0] != 8 for w in bad) + len(book & bad)
                lost += len(mine - set(ours)) + len(good - book)
                second += len(book - mine)
                tries = max([tries, *(v[1] for v in ours.values())])
        summary = self.sandbox.summary()
        share = got / could
        say("deliveries that could succeed", f"{could:,}", could > 0)
        say("of these delivered", f"{100 * share:.4f} %", share >= 0.9999)
        say("not at its pixel by either book", lost, lost == 0)
        say("refused for good and not rejected", wrong, wrong == 0)
        say("sent with a second id", second, second == 0)
        conflicts = sum(summary[p]["conflicts"] for p in PLATFORMS)
        say("one id under two contents", conflicts, conflicts == 0)
        for what, args in (("book", ()), ("recount", ("--recount", ))):
            wait_until(lambda: self.p.run("ledger", *args, ok=False).returncode in (0, 1), 60, "the ledger")
            p = self.p.run("ledger", "--json", *args, ok=False)
            balance = sum(abs(r["balance"]) for r in json.loads(p.stdout))
            say(f"ledger, {what}", balance, balance == 0 and p.returncode == 0)
        left = self.sql("SELECT (SELECT count(*) FROM retry) + (SELECT count(*) FROM inflight)")[0][0]
        say("rows of work left", left, left == "0")
        repeats = sum(summary[p]["repeats"] for p in PLATFORMS)
        attempts = int(self.sql("SELECT count(*) FROM attempt")[0][0])
        self.states = self.sql("SELECT s.name, p.platform, v.after, v.reason, count(*), min(v.message) FROM verdict v JOIN "
                               "pixel p ON p.id = v.pixel_id JOIN store s ON s.id = p.store_id WHERE v.after > 4 GROUP BY "
                               "1, 2, 3, 4 ORDER BY 1, 2, 3, 4")
        tls = int(self.sql("SELECT count(*) FROM attempt WHERE http = 0 AND error LIKE '%TLS%'")[0][0])
        self.facts = [("exchanges", f"{attempts:,}"), ("of these ended by TLS", tls), ("most attempts of one delivery", tries),
                      ("taken again under the same id", f"{repeats:,}"),
                      ("simulated", f"{(self.now - self.start).total_seconds() / 3600:.0f} h"),
                      ("received within", f"{self.took_in:.0f} s"), ("everything final within", f"{self.took:.0f} s")]
        return out

    def report(self, rows):
        self.say(f"fault campaign: {self.n:,} events, {len(STORES) * 3} pixels, seed {self.seed}")
        self.say("  " + ", ".join(f"{k} {v}" for k, v in sorted(self.happened.items())))
        for what, value, right in rows:
            self.say(f"  {'ok  ' if right else 'MISS'} {value!s:>12}  {what}")
        for row in self.states if not all(right for _, _, right in rows) else ():
            self.say(f"       {' '.join(row)}")
        for what, value in self.facts:
            self.say(f"       {value!s:>12}  {what}")
