"""Alerts by webhook and mail: told at least once, soon, in order and signed; a receiver that fails or hangs
is tried again and holds up nobody; what is muted, acknowledged or too mild is not told, and says so."""
import base64
import email
import email.policy
import hashlib
import hmac
import json
import os
import time
import unittest

from lib import Cluster, MailServer, Program, Receiver, Sandbox, wait_until
from t_health import order

NOW = "2026-11-22T10:40:00Z"
HUSH = "the webhook's secret"
PASSWORD = "the mail password"


def later(hours):
    return f"2026-11-22T{10 + hours:02}:41:00Z"


class Notify(unittest.TestCase):
    def setUp(self):
        self.cluster = Cluster()
        self.addCleanup(self.cluster.destroy)
        self.clock = os.path.join(self.cluster.dir, "clock")
        self.set_clock(NOW)

    def set_clock(self, when):
        with open(self.clock, "w") as f:
            f.write(when)

    def begin(self, webhook=None, mail=None, **env):
        """Database, ways; nothing runs yet."""
        if webhook:
            self.addCleanup(webhook.close)
            secret = os.path.join(self.cluster.dir, "secret")
            with open(secret, "w") as f:
                f.write(HUSH + "\n")
            env.update(TRACKAI_ALERT_WEBHOOK=webhook.url, TRACKAI_ALERT_SECRET="@" + secret)
        if mail:
            self.addCleanup(mail.close)
            env.update(TRACKAI_ALERT_MAIL_TO="ops@example.com, night@example.com",
                       TRACKAI_ALERT_MAIL_FROM="trackai@example.com", TRACKAI_SMTP_URL=mail.url,
                       TRACKAI_SMTP_USER="robot", TRACKAI_SMTP_PASSWORD=PASSWORD)
        self.p = Program(self.cluster, clock="@" + self.clock, **env)
        self.addCleanup(self.p.destroy)
        self.p.run("migrate")
        return self.p

    def tearDown(self):
        for word in (HUSH, PASSWORD, base64.b64encode(PASSWORD.encode()).decode(), "/hook/of"):
            self.assertNotIn(word, self.p.output(), "a secret in the log")
            self.assertNotIn(word, str(self.cluster.sql("SELECT detail FROM heartbeat UNION ALL SELECT outcome FROM "
                                                        "pull UNION ALL SELECT detail FROM notice_way")))
        for word in ("Sanitizer", "runtime error", "broken invariant"):
            self.assertNotIn(word, self.p.output())

    def puller(self, **env):
        self.p.env.update(env)
        p = self.p.start("serve", "--roles", "puller")
        self.p.active("puller")
        return p

    def turn(self, alert, turn, level=3, why="it is broken", part=0):
        """What the folder writes, in one transaction: turn 0 raises, 2 ends."""
        us = "(extract(epoch from timestamptz '" + NOW + "') * 1000000)::bigint"
        self.cluster.sql(
            ("INSERT INTO alert (scope, object, part, level, why, raised_us, changed_us) OVERRIDING SYSTEM VALUE "
             f"VALUES (0, {alert}, {part}, {level}, '{why}', {us}, {us});" if turn == 0 else "") +
            (f"UPDATE alert SET cleared_us = {us} WHERE id = {alert};" if turn == 2 else "") +
            f"INSERT INTO notice (alert_id, turn, level, why, at_us) VALUES ({alert}, {turn}, {level}, '{why}', {us});"
            "NOTIFY alert")

    def ways(self, alert):
        """{way: (state, detail)} of the newest notice of an alert."""
        found = {a["id"]: a for a in self.p.json("alert", "list", "--all")}[alert]
        return {w["way"]: (w["state"], w["detail"]) for w in found["notice"]["ways"]}

    def settled(self, alert, **states):
        return wait_until(lambda: all(self.ways(alert)[w][0] == s for w, s in states.items()) and self.ways(alert),
                          what=f"alert {alert}: {states}")

    def test_settings_are_checked(self):
        p = self.begin()
        for env, words in (({"TRACKAI_ALERT_WEBHOOK": "http://example.com/x"}, "alert webhook"),
                           ({"TRACKAI_ALERT_MAIL_TO": "nobody"}, "is no mail address"),
                           ({"TRACKAI_ALERT_MAIL_TO": "a@b"}, "`alert mail from`"),
                           ({"TRACKAI_SMTP_URL": "http://127.0.0.1"}, "smtp url"),
                           ({"TRACKAI_ALERT_LEVEL": "loud"}, "neither warn nor crit"),
                           ({"TRACKAI_ALERT_REPEAT": "often"}, "alert repeat"),
                           ({"TRACKAI_ALERT_SECRET": "@/nowhere"}, "/nowhere")):
            p.env.update(env)
            got = p.run("serve", "--roles", "puller", ok=False)
            self.assertEqual(got.returncode, 2, got.stderr)
            self.assertIn(words, got.stderr)
            for name in env:
                del p.env[name]
        p.env["TRACKAI_SMTP_PASSWORD"] = PASSWORD
        self.assertNotIn(PASSWORD, p.run("conf").stdout)
        del p.env["TRACKAI_SMTP_PASSWORD"]
        got = p.run("alert", "test", ok=False)
        self.assertEqual(got.returncode, 5, got.stderr)
        self.puller()
        got = p.run("alert", "test", ok=False)
        self.assertEqual(got.returncode, 2, got.stderr)
        self.assertIn("told to nobody", got.stderr)
        self.assertIn("`alert webhook` is not set", p.run("status", ok=False).stdout)

    def test_a_test_goes_every_way(self):
        hook, mail = Receiver(), MailServer()
        self.begin(hook, mail)
        self.puller()
        out = self.p.json("alert", "test")
        self.assertEqual([(w["way"], w["state"]) for w in out["ways"]], [("webhook", "told"), ("mail", "told")])
        _, headers, body = hook.got[0]
        mac = base64.b64encode(hmac.new(HUSH.encode(), body, hashlib.sha256).digest()).decode()
        self.assertEqual((headers["x-trackai-hmac-sha256"], headers["content-type"]), (mac, "application/json"))
        said = json.loads(body)
        self.assertEqual((said["version"], said["turn"], said["test"], said["id"]),
                         (1, "test", True, headers["x-trackai-id"]))
        sender, to, message, login = mail.got[0]
        self.assertEqual((sender.split()[0], to, login), ("<trackai@example.com>", ["<ops@example.com>", "<night@example.com>"],
                                                          ["robot", PASSWORD]))
        m = email.message_from_bytes(message, policy=email.policy.default)
        self.assertEqual((m["From"], m["To"], m["Date"], m.defects),
                         ("Track AI <trackai@example.com>", "ops@example.com, night@example.com",
                          "Sun, 22 Nov 2026 10:40:00 +0000", []))
        self.assertIn("a test that", m.get_content())
        mail.refuse["RCPT"] = "550 who is that?"
        got = self.p.run("alert", "test", ok=False)
        self.assertEqual(got.returncode, 1)
        self.assertIn("webhook  told", got.stdout)
        self.assertRegex(got.stdout, r"mail +failed: .*550")

    def test_a_real_alert_and_a_reminder(self):
        hook, mail, sandbox = Receiver(), MailServer(), Sandbox(clock="@" + self.clock)
        self.addCleanup(sandbox.stop)
        p = self.begin(hook, mail, **sandbox.urls)
        p.run("store", "add", "--name", "Gesch\u00e4ft", "--platform", "shopify", "--domain", "demo.myshopify.com",
              "--webhook-secret", "hush", "--currency", "EUR")
        p.run("pixel", "add", "--store", "Gesch\u00e4ft", "--platform", "meta", "--account", "1234567890", "--token",
              "sandbox-token-meta")
        p.serve()
        p.active("puller")
        sandbox.fault("meta:auth")
        self.assertEqual(p.shopify(order(1), "hush", webhook_id="w-1")[0], 200)
        wait_until(lambda: self.cluster.sql("SELECT 1 FROM alert"), what="an alert")
        raised = time.monotonic()
        wait_until(lambda: hook.got and mail.got, what="both notices")
        self.assertLess(hook.got[0][0] - raised, 10)
        print(f"from the second look's verdict to the receiver: {max(0, hook.got[0][0] - raised) * 1000:.0f} ms")
        said = json.loads(hook.got[0][2])
        self.assertEqual({k: said[k] for k in ("turn", "level", "scope", "object", "part", "raised_at", "test")},
                         {"turn": "raised", "level": "crit", "scope": "pixel", "object": "Gesch\u00e4ft/meta",
                          "part": "state", "raised_at": NOW, "test": False})
        self.assertIn("auth", said["why"])
        m = email.message_from_bytes(mail.got[0][2], policy=email.policy.default)
        self.assertEqual(m["Subject"], "Track AI: crit: pixel Gesch\u00e4ft/meta, state")
        self.settled(1, webhook="told", mail="told")
        self.assertIn("webhook, mail", p.run("alert", "list").stdout)
        # a reminder, until somebody takes it on
        def turns():
            return [s["turn"] for s in (json.loads(b) for _, _, b in hook.got) if s["alert"] == "1"]
        self.set_clock(later(5))
        wait_until(lambda: turns() == ["raised", "still"], what="a reminder")
        p.run("alert", "ack", "1")

    def test_failing_refusing_and_killed(self):
        answers = [500, 404, 200]
        hook, mail = Receiver(lambda: answers.pop(0) if answers else 200), MailServer(MAIL="451 not now")
        self.begin(hook, mail)
        puller = self.puller()
        self.turn(1, 0)
        wait_until(lambda: self.ways(1)["webhook"] == ("pending", "it answered HTTP 500"), what="the first refusal")
        self.assertIn("451", wait_until(lambda: self.ways(1)["mail"][1], what="the mail server's refusal"))
        self.assertIn("webhook pending, mail pending", self.p.run("alert", "list").stdout)
        wait_until(lambda: "1 not told yet: it answered HTTP 500" in self.p.run("status", ok=False).stdout, what="status")
        self.assertIn("fails: 1 not told yet: the mail server: ", self.p.run("doctor", ok=False).stdout)
        self.set_clock(later(0))
        wait_until(lambda: len(hook.got) == 2, what="the second try")
        self.p.stop(puller)
        # killed between the answer and the note of it: told again under the same id
        token = os.path.join(self.cluster.dir, "token")
        with open(token, "w") as f:
            f.write("x")
        mail.refuse.clear()
        self.puller(TRACKAI_FAULT=f"puller.after_send:1:{token}")
        self.set_clock(later(1))
        self.settled(1, webhook="told", mail="told")
        self.assertEqual(self.cluster.sql("SELECT count(*) FROM notice_way WHERE tries > 1"), [["2"]])
        self.assertIn("signal 9", self.p.output())
        ids = {h["x-trackai-id"] for _, h, _ in hook.got}
        self.assertEqual((len(ids), len({email.message_from_bytes(m)["Message-ID"] for _, _, m, _ in mail.got})), (1, 1))

    def test_a_receiver_that_hangs(self):
        """Holds up neither the mails nor, for longer than its time, what comes behind."""
        hook, mail = Receiver(lambda: None if len(hook.got) == 1 else 200), MailServer()
        self.begin(hook, mail)
        self.puller()
        self.turn(1, 0)
        self.settled(1, mail="told")
        self.assertEqual(self.ways(1)["webhook"][0], "pending")
        self.turn(2, 0)
        self.settled(2, webhook="told", mail="told")
        self.set_clock(later(0))
        self.settled(1, webhook="told")

    def test_not_told_and_why(self):
        hook, mail = Receiver(), MailServer()
        self.begin(hook, mail, TRACKAI_ALERT_LEVEL="crit")
        for alert in (1, 2, 3, 4):
            self.turn(alert, 0, level=2 if alert == 3 else 3)
        self.p.run("alert", "ack", "1")
        self.p.run("alert", "mute", "2", "--until", "2h")
        self.turn(3, 2, level=2)
        self.puller()
        self.settled(4, webhook="told", mail="told")
        self.settled(3, webhook="skipped")
        self.assertTrue(self.ways(1)["webhook"][1].startswith("acknowledged by "))
        self.assertEqual(self.ways(2)["webhook"], ("skipped", "muted"))
        self.assertEqual(self.ways(3)["webhook"], ("skipped", "its beginning was not told"))
        self.assertEqual(self.cluster.sql("SELECT w.detail FROM notice n JOIN notice_way w ON w.notice_id = n.id AND "
                                          "w.way = 0 WHERE n.alert_id = 3 AND n.turn = 0"), [["below the alert level"]])
        self.assertEqual(len(hook.got), 1)

    def test_one_mail_for_many(self):
        hook, mail = Receiver(), MailServer(RCPT="550 no")
        self.begin(hook, mail)
        for alert in range(1, 21):
            self.turn(alert, 0, why=f"trouble no. {alert}")
        self.turn(20, 2)
        self.puller()
        self.settled(19, webhook="told")
        mail.refuse.clear()
        self.set_clock(later(0))
        self.settled(20, webhook="told", mail="told")
        self.assertEqual(len(mail.got), 2)  # an alert's beginning goes before its end
        m = email.message_from_bytes(mail.got[0][2], policy=email.policy.default)
        self.assertEqual(m["Subject"], "Track AI: 20 alerts, 0 over")
        for alert in range(1, 21):
            self.assertIn(f"trouble no. {alert}\r\n", m.get_content())
        self.assertEqual(len({h["x-trackai-id"] for _, h, _ in hook.got}), 21)


if __name__ == "__main__":
    unittest.main()
