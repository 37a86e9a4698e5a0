"""What the benches share: bodies, load, what a process costs, and the line of a figure. Python's
standard library only."""
import atexit
import base64
import hashlib
import hmac
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
from lib import ROOT, USER, pg_bin  # noqa: E402

TOOLS = os.environ.get("TRACKAI_BENCH_TOOLS", os.path.join(ROOT, "build", "tests"))
SECONDS = float(os.environ.get("TRACKAI_BENCH_SECONDS", "4"))
ROUNDS = int(os.environ.get("TRACKAI_BENCH_ROUNDS", "3"))
SECRET = "bench-secret"
CONNECTIONS = 64
TICK = os.sysconf("SC_CLK_TCK")


def scratch():
    """A directory that goes with the bench."""
    path = tempfile.mkdtemp(prefix="ta-bench-")
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


def order(r, i):
    """An order of the size and shape that shops send: 5-8 kB, no real person in it. Of today: platforms
    refuse what is a week old."""
    at = time.strftime("%Y-%m-%dT%H:00:00+00:00", time.gmtime())

    def money(v):
        return {"shop_money": {"amount": f"{v:.2f}", "currency_code": "EUR"},
                "presentment_money": {"amount": f"{v:.2f}", "currency_code": "EUR"}}

    def token(n):
        return "".join(r.choice("0123456789abcdef") for _ in range(n))
    address = {"first_name": "Test", "last_name": f"Buyer{i}", "address1": f"{i} Example Street",
               "address2": None, "city": "Berlin", "zip": "10115", "province": "Berlin", "country": "Germany",
               "phone": f"+49300{r.randrange(10**6):06d}", "company": None, "latitude": r.uniform(40, 55),
               "longitude": r.uniform(0, 15), "country_code": "DE", "province_code": "BE"}
    lines = [{"id": r.randrange(10**13), "variant_id": r.randrange(10**13), "product_id": r.randrange(10**13),
              "title": f"Example Product {k}", "name": f"Example Product {k} - Large", "sku": f"EX-{r.randrange(10**5)}",
              "quantity": r.randrange(1, 4), "price": f"{r.uniform(5, 99):.2f}", "price_set": money(r.uniform(5, 99)),
              "vendor": "Example", "fulfillment_service": "manual", "requires_shipping": True, "taxable": True,
              "gift_card": False, "total_discount": "0.00", "total_discount_set": money(0), "grams": r.randrange(2000),
              "admin_graphql_api_id": f"gid://shopify/LineItem/{r.randrange(10**13)}", "properties": [],
              "tax_lines": [{"title": "VAT", "rate": 0.19, "price": "3.20", "price_set": money(3.2)}],
              "discount_allocations": [], "duties": [], "variant_title": "Large", "variant_inventory_management": "shopify"} for k in range(r.randrange(2, 5) if i % 4 else 5)]
    total = r.uniform(10, 300)
    sums = {f"{k}_set": money(total) for k in ("current_subtotal_price", "current_total_price", "subtotal_price",
                                              "total_line_items_price", "total_price", "total_tax")}
    return {"id": 5_000_000_000_000 + i, "name": f"#{1000 + i}", "email": f"buyer{i}@example.com",
            "created_at": at, "processed_at": at, "updated_at": at, "currency": "EUR", "financial_status": "paid",
            "total_price": f"{total:.2f}", "subtotal_price": f"{total:.2f}", "test": False, "source_name": "web",
            "token": token(32), "checkout_token": token(32), "cart_token": token(32), "browser_ip": "192.0.2.7",
            "landing_site": "/products/example?utm_source=pinterest&utm_medium=paid&epik=dj0y" + token(44),
            "order_status_url": f"https://shop.example/{token(10)}/orders/{token(32)}/authenticate?key={token(32)}",
            "client_details": {"user_agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/131.0.0.0",
                               "browser_ip": "192.0.2.7", "accept_language": "de-DE"},
            "note_attributes": [{"name": "_fbp", "value": f"fb.1.{r.randrange(10**13)}.{r.randrange(10**9)}"}],
            "billing_address": address, "shipping_address": address, "line_items": lines,
            "customer": {"id": r.randrange(10**13), "email": f"buyer{i}@example.com", "default_address": address},
            "shipping_lines": [{"title": "Standard", "price": "4.90", "price_set": money(4.9)}], **sums}


def write_bodies(path):
    r = random.Random(7)
    sizes = []
    with open(path, "w") as f:
        for i in range(1000):
            body = json.dumps(order(r, i), separators=(",", ":"))
            sizes.append(len(body))
            sig = base64.b64encode(hmac.new(SECRET.encode(), body.encode(), hashlib.sha256).digest()).decode()
            f.write(f"{sig}\t{body}\n")
    return sizes


def cpu_s(pid):
    """CPU seconds of a process with its threads, and of the children it has waited for."""
    with open(f"/proc/{pid}/stat") as f:
        v = f.read().rpartition(")")[2].split()
    return sum(int(x) for x in v[11:15]) / TICK


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as f:
        return [int(x) for x in f.read().split()]


def tree_cpu_s(pid):
    total = cpu_s(pid)
    for c in children(pid):
        try:
            total += tree_cpu_s(c)
        except FileNotFoundError:
            pass
    return total


def load(port, bodies, conns, seconds, rate, fresh=False):
    """`fresh`: every request is an order that was never sent before, signed by the load itself."""
    argv = [os.path.join(TOOLS, "perf_load"), str(port), bodies, str(conns), str(seconds), str(rate)]
    out = subprocess.run(argv + ([SECRET] if fresh else []), check=True, stdout=subprocess.PIPE, text=True).stdout
    return json.loads(out)


def figure(good, value, what, target=""):
    """One line: verdict, value, what it is, target. `good` None: a yardstick or a part, no target."""
    mark = "    " if good is None else "ok  " if good else "MISS"
    print(f"{mark} {value:>16}  {what}" + (f"  (target {target})" if target else ""), flush=True)


class Session:
    """One psql process that answers query after query, so that polling costs next to nothing."""

    def __init__(self, cluster):
        self.p = subprocess.Popen([os.path.join(pg_bin(), "psql"), "-XqAt", "-v", "ON_ERROR_STOP=1", "-h", cluster.dir,
                                   "-U", USER, "-d", "trackai"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  text=True, bufsize=1)

    def one(self, sql):
        """First column of the first row, None when there is none."""
        self.p.stdin.write(sql + ";\n\\echo .\n")
        self.p.stdin.flush()
        got = []
        for row in self.p.stdout:
            if row == ".\n":
                return got[0].rstrip("\n").split("|")[0] if got else None
            got.append(row)
        raise AssertionError(f"psql ended at: {sql}")

    def number(self, sql):
        return int(self.one(sql) or 0)

    def close(self):
        self.p.stdin.close()
        self.p.wait()
        self.p.stdout.close()


def family(pid):
    """A process and all that descend from it."""
    found = [pid]
    try:
        for c in children(pid):
            found += family(c)
    except FileNotFoundError:
        pass
    return found


def name_of(pid):
    with open(f"/proc/{pid}/comm") as f:
        return f.read().strip()


def run_ns(pid):
    """Nanoseconds that all threads of a process have run: finer than the ticks of stat."""
    total = 0
    for t in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{t}/schedstat") as f:
            total += int(f.read().split()[0])
    return total


def wakeups(pid):
    """Times that the threads of a process gave up the processor to wait: each ends in a wake-up."""
    total = 0
    for t in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{t}/status") as f:
            total += next(int(v.split()[1]) for v in f if v.startswith("voluntary_ctxt_switches"))
    return total


def memory_kib(pid, what="Pss"):
    with open(f"/proc/{pid}/smaps_rollup") as f:
        return next(int(v.split()[1]) for v in f if v.startswith(what + ":"))
