"""trackai event normalise: bodies on the command line, without a database."""
import json
import os
import subprocess
import tempfile
import unittest

from lib import ROOT

PROGRAM = os.environ.get("TRACKAI", os.path.join(ROOT, "build", "trackai"))
COMPOSED = os.path.join(ROOT, "tests", "golden", "shopify", "composed")


def normalise(*args, text=None):
    env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent",
           "TRACKAI_CLOCK": "2026-11-22T10:40:00Z"}
    return subprocess.run([PROGRAM, "event", "normalise", *args], input=text, env=env,
                          capture_output=True, text=True, timeout=60)


class Normalise(unittest.TestCase):
    def test_an_order_is_one_document(self):
        p = normalise("--topic", "orders/create", "--domain", "x.myshopify.com",
                      os.path.join(COMPOSED, "orders_create_jpy_minimal.json"))
        self.assertEqual((p.returncode, p.stderr), (0, ""))
        doc = json.loads(p.stdout)
        self.assertEqual((doc["event"], doc["value"], doc["currency"]),
                         ("purchase", "12000", "JPY"))
        self.assertEqual(doc["event_time"], 1795341598)
        self.assertEqual(doc["url"], "https://x.myshopify.com/")

    def test_updated_gives_two(self):
        p = normalise("--topic", "orders/updated",
                      os.path.join(COMPOSED, "orders_paid_pinterest.json"))
        names = [json.loads(line)["event"] for line in p.stdout.splitlines()]
        self.assertEqual(names, ["purchase", "order_updated"])

    def test_failures_are_typed(self):
        for text, topic, words in (("{", "orders/create", "failed invalid_json"),
                                   ("{}", "orders/create", "failed missing_field"),
                                   ("{}", "carts/create", "failed unsupported_topic")):
            p = normalise("--topic", topic, "-", text=text)
            self.assertEqual(p.returncode, 4, p.stdout)
            self.assertTrue(p.stdout.startswith(words), p.stdout)

    def test_track_items(self):
        body = [{"event": "lead", "event_id": "a", "test": True}, {"event": "lead"}]
        p = normalise("--topic", "track", "-", text=json.dumps(body))
        self.assertEqual(p.returncode, 4)
        first, second = p.stdout.splitlines()
        self.assertTrue(json.loads(first)["test"])
        self.assertEqual(second, "rejected: event_id is missing")
        p = normalise("--topic", "track", "--public", "-", text=json.dumps(body[0]))
        self.assertEqual(p.stdout, "rejected: test can only be set with a secret key\n")

    def test_wrong_use(self):
        self.assertEqual(normalise("x.json").returncode, 2)
        p = normalise("--topic", "orders/create", "/nonexistent.json")
        self.assertEqual(p.returncode, 5)
        self.assertIn("/nonexistent.json", p.stderr)
        with tempfile.NamedTemporaryFile() as f:
            f.truncate(3 << 20)
            self.assertEqual(normalise("--topic", "orders/create", f.name).returncode, 4)


if __name__ == "__main__":
    unittest.main()
