"""What stands between the program and the sandbox in tests that must see, hold up or answer single
requests: it passes everything on, notes it, and lets a test answer for one account."""
import http.client
import json
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Request:
    def __init__(self, platform, account, body, number):
        self.platform, self.account, self.body, self.number = platform, account, body, number
        self.began = time.monotonic()
        self.ended = None
        self.beside = 0  # exchanges of the same account that were under way when it came

    def events(self):
        return json.loads(self.body)["data"]

    def ids(self):
        return [e["event_id"] for e in self.events()]


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        """A program that was killed leaves connections behind: no fault of ours."""


class Front:
    """`answer[platform, account] = f`: f(request) gives (status, headers, body) to answer in the
    platform's place, None to hang up without an answer, or PASS."""
    PASS = "pass"

    def __init__(self, sandbox):
        self.sandbox_port = sandbox.port
        self.answer = {}
        self.requests = []
        self.lock = threading.Lock()
        front = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                front.handle(self)

            def log_message(self, *_):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.idle = []
        self.urls = {k: v.replace(f":{sandbox.port}/", f":{self.port}/") for k, v in sandbox.urls.items()}

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        for c in self.idle:
            c.close()

    def of(self, platform, account):
        with self.lock:
            return [r for r in self.requests if (r.platform, r.account) == (platform, account)]

    def note(self, path, body):
        parts = path.strip("/").split("/")
        platform = parts[0]
        try:
            account = (json.loads(body)["event_source_id"] if platform == "tiktok" else
                       parts[parts.index("events") - 1] if "events" in parts else parts[-2])
        except (ValueError, KeyError):
            account = ""
        with self.lock:
            mine = [r for r in self.requests if (r.platform, r.account) == (platform, account)]
            r = Request(platform, account, body, len(mine) + 1)
            r.beside = sum(m.ended is None for m in mine)
            self.requests.append(r)
        return r

    def handle(self, h):
        body = h.rfile.read(int(h.headers.get("Content-Length", 0)))
        r = self.note(h.path.split("?")[0], body)
        try:
            script = self.answer.get((r.platform, r.account))
            got = script(r) if script else self.PASS
            if got == self.PASS:
                got = self.passed_on(h, body)
        finally:
            r.ended = time.monotonic()
        if got is None:  # a beginning of an answer: without any, a client may send again by itself
            h.close_connection = True
            h.wfile.write(b"HTTP/1.1 200 X\r\nContent-Length: 9\r\n\r\n")
            h.connection.shutdown(socket.SHUT_RDWR)
            return
        status, headers, text = got
        head = "".join(f"{k}: {v}\r\n" for k, v in headers.items())
        h.wfile.write(f"HTTP/1.1 {status} X\r\nContent-Length: {len(text)}\r\n{head}\r\n".encode() + text)

    def passed_on(self, h, body):
        headers = {k: v for k, v in h.headers.items() if k.lower() not in ("host", "content-length", "expect")}
        try:
            c = self.idle.pop()
        except IndexError:
            c = http.client.HTTPConnection("127.0.0.1", self.sandbox_port, timeout=90)
        try:
            c.request("POST", h.path, body, headers)
            answer = c.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException):  # the sandbox hung up: so do we
            c.close()
            return None
        self.idle.append(c)
        keep = ("retry-after", "x-ratelimit-reset", "content-type")
        return answer.status, {k: v for k, v in answer.headers.items() if k.lower() in keep}, text
