"""What the integration tests share: a private PostgreSQL cluster (fsync on, Unix socket only), the
built program, signed webhooks. Standard library only. TRACKAI names the program under test."""
import atexit
import base64
import fcntl
import glob
import hashlib
import hmac
import http.client
import json
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TRACKAI = os.environ.get("TRACKAI", os.path.join(ROOT, "build", "trackai"))
USER = "trackai"
# How much longer than usual things may take: a sanitizer's build is several times slower.
SLOW = float(os.environ.get("TA_SLOW", "1"))
_held = []  # locks that end with this process


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


def scratch_dir(prefix, within=None):
    """A directory of ours that is gone with us: we hold a lock in it, and a later test sweeps away what
    nobody holds, because a test that was killed could not clean up."""
    base = within or scratch() or tempfile.gettempdir()
    for old in glob.glob(os.path.join(base, "ta-*", ".held")):
        sweep(old)
    path = tempfile.mkdtemp(prefix=prefix, dir=base)
    os.chmod(path, 0o755)
    held = open(os.path.join(path, ".held"), "w")
    fcntl.flock(held, fcntl.LOCK_EX)
    _held.append(held)
    return path


def sweep(held):
    try:
        with open(held) as f:
            fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
            home = os.path.dirname(held)
            for path in glob.glob(os.path.join(home, "**", "run", "up.pid"), recursive=True):
                end_supervisor(path)
            shutil.rmtree(home, ignore_errors=True)
    except OSError:  # another test holds it, or sweeps it
        pass


def end_supervisor(path):
    """Of `trackai up` or `demo`, which are meant to outlive whoever started them."""
    with open(path, "r+") as f:
        pid = f.readline().strip()
        for _ in range(200):
            try:
                fcntl.lockf(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except OSError:  # the supervisor holds it as long as it lives
                os.kill(int(pid), signal.SIGTERM)
                time.sleep(0.1)


def mortal(argv, sig="KILL"):
    """The command line of a process that gets `sig` when the test dies before it."""
    return ["setpriv", "--pdeathsig", sig, "--", *argv]


def as_user(argv, sig=None):
    """PostgreSQL refuses root: under root its programs run as the unprivileged user."""
    options = ["--pdeathsig", sig] if sig else []
    if os.geteuid() == 0:
        options += ["--reuid", USER, "--regid", USER, "--clear-groups"]
    return ["setpriv", *options, "--", *argv] if options else argv


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


def wait_until(check, seconds=60, what="the condition"):
    """Polls `check` until it returns something true; a test fails when it never does. The last look comes
    after the deadline, however long the machine stood still before."""
    seconds *= SLOW
    end = time.monotonic() + seconds
    while True:
        late = time.monotonic() > end
        got = check()
        if got:
            return got
        if late:
            raise AssertionError(f"{what} did not come true within {seconds} s")
        time.sleep(0.02)


def within(seconds, attempt, what, tries=6):
    """What must be quick is quick in one of some tries: a busy machine spoils one of them, a program that
    waits for something spoils them all. Returns what that attempt returned."""
    took = []
    seconds *= SLOW
    for _ in range(tries):
        begun = time.monotonic()
        got = attempt()
        took.append(time.monotonic() - begun)
        if took[-1] < seconds:
            return got
    raise AssertionError(f"{what} should take less than {seconds} s, took " +
                         ", ".join(f"{t:.2f}" for t in took))


class Cluster:
    """A private cluster; `with Cluster() as c: c.url` is a conninfo of its database. The server is our
    child and dies with us."""

    def __init__(self):
        ensure_user()
        self.dir = scratch_dir("ta-")
        self.data = os.path.join(self.dir, "data")
        self.server = None
        if os.geteuid() == 0:
            p = pwd.getpwnam(USER)
            os.chown(self.dir, p.pw_uid, p.pw_gid)
        subprocess.run(as_user([os.path.join(pg_bin(), "initdb"), "-D", self.data, "-U", USER, "-A", "trust",
                                "--no-locale", "-E", "UTF8", "--no-sync"]), check=True,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd="/")
        with open(os.path.join(self.data, "postgresql.conf"), "a") as f:
            f.write(f"listen_addresses = ''\nunix_socket_directories = '{self.dir}'\n"
                    "max_connections = 60\nshared_buffers = 64MB\nfsync = on\n"
                    "dynamic_shared_memory_type = mmap\n")  # inside the directory that is swept away
        atexit.register(self.destroy)
        self.start()
        self.url = f"host={self.dir} user={USER} dbname=trackai"
        self.sql("CREATE DATABASE trackai", db="postgres")

    def start(self):
        with open(os.path.join(self.dir, "pg.log"), "ab") as log:
            self.server = subprocess.Popen(as_user([os.path.join(pg_bin(), "postgres"), "-D", self.data], "QUIT"),
                                           stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/")
        wait_until(self.ready, what="the database server")

    def ready(self):
        if self.server.poll() is not None:
            with open(os.path.join(self.dir, "pg.log"), errors="replace") as f:
                raise AssertionError("the database server ended: " + f.read()[-2000:])
        try:
            with open(os.path.join(self.data, "postmaster.pid")) as f:
                lines = f.read().splitlines()
        except OSError:
            return False
        return len(lines) > 7 and lines[0] == str(self.server.pid) and lines[7].strip() == "ready"

    def stop(self, mode="fast"):
        self.server.send_signal({"fast": signal.SIGINT, "immediate": signal.SIGQUIT}[mode])
        self.server.wait(60 * SLOW)

    def crash(self):
        """kill -9 of the server; returns when its last process is gone, so that it can be started again."""
        self.server.kill()
        self.server.wait()
        wait_until(lambda: not self.processes(), what="the end of the server's processes")

    def processes(self):
        """Those that work in the data directory: they hold the shared memory."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/stat") as f:
                    ours = "(postgres)" in f.read()
                if ours and os.path.realpath(f"/proc/{pid}/cwd") == os.path.realpath(self.data):
                    found.append(int(pid))
            except OSError:
                pass
        return found

    def sql(self, text, db="trackai"):
        """Rows of one statement as lists of text."""
        out = subprocess.run([os.path.join(pg_bin(), "psql"), "-XqAt", "-F", "\x1f", "-v", "ON_ERROR_STOP=1",
                              "-h", self.dir, "-U", USER, "-d", db, "-c", text],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if out.returncode:
            raise AssertionError(f"{text}: {out.stderr}")
        return [line.split("\x1f") for line in out.stdout.splitlines()]

    def destroy(self):
        if self.server and self.server.poll() is None:
            self.stop("immediate")
        shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.destroy()


class Program:
    """The program under test with a database, a data dir and an environment of its own."""

    def __init__(self, cluster, clock=None, **env):
        self.cluster = cluster
        self.home = scratch_dir("ta-home-")
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
        p = subprocess.Popen(mortal([TRACKAI, *args], "TERM"), env=self.env, stdout=log, stderr=log)
        log.close()
        self.children.append(p)
        return p

    def serve(self, *args):
        p = self.start("serve", *args)
        wait_until(lambda: self.get("/healthz")[0] == 200 or p.poll() is not None, what="the listener")
        if p.poll() is not None:
            raise AssertionError(self.output())
        return p

    def active(self, role):
        """Waits until a process of ours holds this stage: until then an order to it finds nobody."""
        def lives():
            return any(os.path.exists(f"/proc/{pid}") for pid, in self.cluster.sql(
                f"SELECT pid FROM heartbeat WHERE role = '{role}' AND active"))
        wait_until(lives, what=f"the {role}")

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

    def stop(self, p, sig=signal.SIGTERM, seconds=60):
        if p.poll() is None:
            p.send_signal(sig)
        return p.wait(seconds * SLOW)

    def destroy(self):
        for p in self.children:
            if p.poll() is None:
                p.kill()
                p.wait()
        shutil.rmtree(self.home, ignore_errors=True)


class OnCluster(unittest.TestCase):
    """The tests of a class share a database and the program on it; both go whatever happens."""
    clock = None

    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster()
        cls.addClassCleanup(cls.cluster.destroy)
        cls.p = Program(cls.cluster, clock=cls.clock)
        cls.addClassCleanup(cls.p.destroy)


class Sandbox:
    """`trackai sandbox` on a port of its own, with the clock of the programs that talk to it."""

    def __init__(self, clock=None, fault=None, tls=None):
        """tls: a directory that the authority goes to; the platforms are reached by https then."""
        self.port = free_port()
        env = {k: v for k, v in os.environ.items() if not k.startswith("TRACKAI_")}
        if clock:
            env["TRACKAI_CLOCK"] = clock
        argv = [TRACKAI, "sandbox", "--listen", f"127.0.0.1:{self.port}"]
        if fault:
            argv += ["--fault", fault]
        if tls:
            argv += ["--tls", tls]
        self.process = subprocess.Popen(mortal(argv), env=env, stdout=subprocess.PIPE, text=True)
        atexit.register(self.stop)
        said = {}
        for line in self.process.stdout:
            if line.strip() == "ready":
                break
            name, _, value = line.strip().partition("=")
            said[name] = value
        else:
            raise AssertionError("the sandbox did not start")
        base = f"http://127.0.0.1:{self.port}"
        self.urls = {"TRACKAI_PINTEREST_URL": base + "/pinterest/v5",
                     "TRACKAI_META_URL": base + "/meta/v24.0",
                     "TRACKAI_TIKTOK_URL": base + "/tiktok/open_api/v1.3"}
        if tls:
            self.urls = said

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

    def faults(self, spec):
        """These and no others, without a moment between."""
        self.request("PUT", "/_sandbox/fault", spec)

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
    """A port that nobody takes until we end: below those that the system gives to outgoing connections,
    of which other tests make thousands, and named to the other tests by an abstract socket."""
    with open("/proc/sys/net/ipv4/ip_local_port_range") as f:
        low = int(f.read().split()[0])
    top = low if low > 12000 else 65000
    for port in random.sample(range(top - 10000, top), 10000):
        name = socket.socket(socket.AF_UNIX)
        try:
            name.bind(f"\0trackai-test-port-{port}")
            with socket.socket() as s:
                s.bind(("127.0.0.1", port))
        except OSError:
            name.close()
            continue
        _held.append(name)
        return port
    raise AssertionError("no port is free")


class Server:
    """A scripted server on the loopback, a thread per connection."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                c, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.guard, args=(c,), daemon=True).start()

    def guard(self, c):
        try:
            with c, c.makefile("rb") as f:
                self.talk(c, f)
        except OSError:
            pass

    def close(self):
        self.listener.close()


class Receiver(Server):
    """Takes POSTs: `got` holds (monotonic time, headers, body). `answer()` gives each its status; None: the
    receiver says nothing until `close()`."""

    def __init__(self, answer=lambda: 200):
        self.answer, self.got, self.closed = answer, [], threading.Event()
        super().__init__()
        self.url = f"http://127.0.0.1:{self.port}/hook/of/team"

    def talk(self, c, f):
        while True:
            if not f.readline():
                return
            headers = {}
            for line in iter(f.readline, b"\r\n"):
                name, _, value = line.decode().partition(":")
                headers[name.lower()] = value.strip()
            body = f.read(int(headers.get("content-length", 0)))
            self.got.append((time.monotonic(), headers, body))
            status = self.answer()
            if status is None:
                self.closed.wait(120)
                return
            c.sendall(f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n".encode())

    def close(self):
        self.closed.set()
        super().close()


class MailServer(Server):
    """Speaks SMTP (RFC 5321) with AUTH PLAIN: `got` holds (from, [to], message, user and password). `refuse`
    maps the beginning of a command to the line that answers it."""

    def __init__(self, **refuse):
        self.refuse, self.got = refuse, []
        super().__init__()
        self.url = f"smtp://127.0.0.1:{self.port}"

    def talk(self, c, f):
        mail, login = {"to": []}, None
        c.sendall(b"220 mail.example.com ESMTP\r\n")
        for line in iter(f.readline, b""):
            text = line.decode("ascii").rstrip("\r\n")
            word = text.split(" ")[0].upper().split(":")[0]
            answer = "250 OK"
            if word in self.refuse:
                answer = self.refuse[word]
            elif word == "EHLO":
                answer = "250-mail.example.com\r\n250 AUTH PLAIN"
            elif word == "AUTH":
                c.sendall(b"334 \r\n")
                login = base64.b64decode(f.readline()).decode().split("\0")[1:]
                answer = "235 OK"
            elif word == "MAIL":
                mail = {"from": text.partition(":")[2], "to": []}
            elif word == "RCPT":
                mail["to"].append(text.partition(":")[2])
            elif word == "DATA":
                c.sendall(b"354 go on\r\n")
                message = b""
                for part in iter(f.readline, b".\r\n"):
                    message += part[1:] if part.startswith(b".") else part
                self.got.append((mail["from"], mail["to"], message, login))
            elif word == "QUIT":
                answer = "221 bye"
            c.sendall(answer.encode() + b"\r\n")
            if word == "QUIT":
                return
