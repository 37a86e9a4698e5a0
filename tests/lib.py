"""What the integration tests share: a private PostgreSQL cluster (fsync on, Unix socket only), the
built program, signed webhooks. Standard library only. TRACKAI names the program under test."""
import atexit
import base64
import hashlib
import hmac
import http.client
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TRACKAI = os.environ.get("TRACKAI", os.path.join(ROOT, "build", "trackai"))
USER = "trackai"
# How much longer than usual things may take: a sanitizer's build is several times slower.
SLOW = float(os.environ.get("TA_SLOW", "1"))


def scratch():
    """Where clusters and data dirs go: TMPDIR; else memory when there is enough of it (the programs
    and their fsync calls are the same, only the disk is spared); else the system's /tmp."""
    if os.environ.get("TMPDIR"):
        return None
    try:
        room = os.statvfs("/dev/shm")
    except OSError:
        return None
    free = room.f_bavail * room.f_frsize
    return "/dev/shm" if free > 1 << 30 and os.access("/dev/shm", os.W_OK) else None


def as_user(argv):
    """PostgreSQL refuses root: under root its programs run as the unprivileged user."""
    if os.geteuid() != 0:
        return argv
    return ["setpriv", "--reuid", USER, "--regid", USER, "--clear-groups", "--"] + argv


def ensure_user():
    if os.geteuid() != 0:
        return
    try:
        pwd.getpwnam(USER)
    except KeyError:
        subprocess.run(["useradd", "--system", "--home-dir", "/var/lib/trackai", "--user-group", USER],
                       check=True)


def pg_bin():
    base = "/usr/lib/postgresql"
    versions = sorted(os.listdir(base), key=int)
    return os.path.join(base, versions[-1], "bin")


def wait_until(check, seconds=20, what="the condition"):
    """Polls `check` until it returns something true; a test fails when it never does."""
    seconds *= SLOW
    end = time.monotonic() + seconds
    while True:
        got = check()
        if got:
            return got
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not come true within {seconds} s")
        time.sleep(0.02)


class Cluster:
    """A private cluster; `with Cluster() as c: c.url` is a conninfo of its database."""

    def __init__(self):
        ensure_user()
        self.dir = tempfile.mkdtemp(prefix="ta-", dir=scratch())
        os.chmod(self.dir, 0o755)
        self.data = os.path.join(self.dir, "data")
        if os.geteuid() == 0:
            p = pwd.getpwnam(USER)
            os.chown(self.dir, p.pw_uid, p.pw_gid)
        self._run("initdb", "-D", self.data, "-U", USER, "-A", "trust", "--no-locale", "-E", "UTF8")
        with open(os.path.join(self.data, "postgresql.conf"), "a") as f:
            f.write(f"listen_addresses = ''\nunix_socket_directories = '{self.dir}'\n"
                    "max_connections = 60\nshared_buffers = 64MB\nfsync = on\n")
        self.start()
        atexit.register(self.destroy)
        self.url = f"host={self.dir} user={USER} dbname=trackai"
        self.sql("CREATE DATABASE trackai", db="postgres")

    def _run(self, prog, *args):
        return subprocess.run(as_user([os.path.join(pg_bin(), prog), *args]), check=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def start(self):
        self._run("pg_ctl", "-D", self.data, "-l", os.path.join(self.dir, "pg.log"), "-w", "start")

    def stop(self, mode="fast"):
        self._run("pg_ctl", "-D", self.data, "-m", mode, "-w", "stop")

    def pid(self):
        with open(os.path.join(self.data, "postmaster.pid")) as f:
            return int(f.readline())

    def sql(self, text, db="trackai"):
        """Rows of one statement as lists of text."""
        out = subprocess.run([os.path.join(pg_bin(), "psql"), "-XqAt", "-F", "\x1f", "-v", "ON_ERROR_STOP=1",
                              "-h", self.dir, "-U", USER, "-d", db, "-c", text],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if out.returncode:
            raise AssertionError(f"{text}: {out.stderr}")
        return [line.split("\x1f") for line in out.stdout.splitlines()]

    def destroy(self):
        if os.path.exists(os.path.join(self.data, "postmaster.pid")):
            try:
                self.stop("immediate")
            except subprocess.CalledProcessError:
                pass
        shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.destroy()


class Program:
    """The program under test with a database, a data dir and an environment of its own."""

    def __init__(self, cluster, clock=None, **env):
        self.cluster = cluster
        self.home = tempfile.mkdtemp(prefix="ta-home-", dir=scratch())
        self.port = free_port()
        self.children = []
        self.env = {k: v for k, v in os.environ.items()
                    if not k.startswith(("TRACKAI_", "PG", "XDG_")) and k != "DATABASE_URL"}
        self.env.update(TRACKAI_DATABASE=cluster.url, TRACKAI_DATA=self.home, HOME=self.home,
                        TRACKAI_LISTEN=f"127.0.0.1:{self.port}", TZ="UTC", LC_ALL="C.UTF-8")
        if clock:
            self.env["TRACKAI_CLOCK"] = clock
        self.env.update(env)
        atexit.register(self.destroy)

    def run(self, *args, ok=True, stdin=None):
        """Runs a command to its end; returns CompletedProcess. ok: an exit status other than 0 fails."""
        p = subprocess.run([TRACKAI, *args], env=self.env, input=stdin, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, text=True, timeout=120 * SLOW)
        if ok and p.returncode:
            raise AssertionError(f"trackai {' '.join(args)}: exit {p.returncode}: {p.stderr}")
        return p

    def json(self, *args):
        return json.loads(self.run(*args, "--json").stdout)

    def start(self, *args):
        """Starts a long-running command; its output goes to a file in the home."""
        log = open(os.path.join(self.home, "out.log"), "ab")
        p = subprocess.Popen([TRACKAI, *args], env=self.env, stdout=log, stderr=log)
        log.close()
        self.children.append(p)
        return p

    def serve(self, *args):
        p = self.start("serve", *args)
        wait_until(lambda: self.get("/healthz")[0] == 200 or p.poll() is not None, what="the listener")
        if p.poll() is not None:
            raise AssertionError(self.output())
        return p

    def output(self):
        """What its long-running commands have printed so far."""
        if not self.children:
            return ""
        with open(os.path.join(self.home, "out.log"), errors="replace") as f:
            return f.read()

    def request(self, method, path, body=b"", headers=None):
        """(status, body, headers) of one request to the listener; status 0 when nobody answers."""
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=15 * SLOW)
        try:
            c.request(method, path, body=body, headers=headers or {})
            r = c.getresponse()
            return r.status, r.read(), r.headers
        except (OSError, http.client.HTTPException):
            return 0, b"", {}
        finally:
            c.close()

    def get(self, path):
        return self.request("GET", path)

    def shopify(self, body, secret, topic="orders/create", shop="demo.myshopify.com", webhook_id=None,
                path="/webhook/shopify", **headers):
        sig = base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()
        h = {"X-Shopify-Topic": topic, "X-Shopify-Shop-Domain": shop, "X-Shopify-Hmac-Sha256": sig,
             "Content-Type": "application/json"}
        if webhook_id:
            h["X-Shopify-Webhook-Id"] = webhook_id
        h.update(headers)
        return self.request("POST", path, body, h)

    def stop(self, p, sig=signal.SIGTERM, seconds=15):
        if p.poll() is None:
            p.send_signal(sig)
        return p.wait(seconds * SLOW)

    def destroy(self):
        for p in self.children:
            if p.poll() is None:
                p.kill()
                p.wait()
        shutil.rmtree(self.home, ignore_errors=True)


class Sandbox:
    """`trackai sandbox` on a port of its own, with the clock of the programs that talk to it."""

    def __init__(self, clock=None, fault=None):
        self.port = free_port()
        env = {k: v for k, v in os.environ.items() if not k.startswith("TRACKAI_")}
        if clock:
            env["TRACKAI_CLOCK"] = clock
        argv = [TRACKAI, "sandbox", "--listen", f"127.0.0.1:{self.port}"]
        if fault:
            argv += ["--fault", fault]
        self.process = subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, text=True)
        atexit.register(self.stop)
        for line in self.process.stdout:
            if line.strip() == "ready":
                break
        else:
            raise AssertionError("the sandbox did not start")
        base = f"http://127.0.0.1:{self.port}"
        self.urls = {"TRACKAI_PINTEREST_URL": base + "/pinterest/v5",
                     "TRACKAI_META_URL": base + "/meta/v24.0",
                     "TRACKAI_TIKTOK_URL": base + "/tiktok/open_api/v1.3"}

    def request(self, method, path, body=None):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=15 * SLOW)
        try:
            c.request(method, path, body=body)
            r = c.getresponse()
            text = r.read().decode()
            if r.status >= 300:
                raise AssertionError(f"sandbox: {method} {path}: {r.status} {text}")
            return json.loads(text) if text.strip() else None
        finally:
            c.close()

    def received(self, platform, **query):
        """What the platform took, newest first: {event_id, content, times, conflict, …}."""
        path = f"/_sandbox/received?platform={platform}&limit=100000"
        path += "".join(f"&{k}={v}" for k, v in query.items())
        return self.request("GET", path)["events"]

    def summary(self):
        """Per platform: requests, events, repeats, conflicts, refused."""
        return self.request("GET", "/_sandbox/summary")["platforms"]

    def fault(self, spec):
        self.request("POST", "/_sandbox/fault", spec)

    def heal(self):
        self.request("DELETE", "/_sandbox/fault")

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10 * SLOW)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process.stdout.close()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]
