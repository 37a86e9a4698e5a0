"""https: certificates are checked; what fails before anything was sent is tried again, with a cause that people
understand."""
import unittest

from delivering import DELIVERED, NOW, Delivering
from lib import Sandbox, scratch_dir, wait_until

FAULTS = {"expired": "TLS: the certificate has expired", "wrong_name": "TLS: the certificate names another host",
          "unknown_ca": "TLS: the certificate is of an unknown authority", "handshake": "TLS: the handshake broke off",
          "refuse": "TLS: the handshake broke off|Failed to connect"}  # as far as it came


class Tls(Delivering):
    def begin_tls(self, **env):
        self.box = Sandbox(clock=NOW, tls=scratch_dir("ta-tls-"))
        self.addCleanup(self.box.stop)
        urls = dict(self.box.urls)
        urls.update(env)
        self.begin(platforms=("meta",), urls=urls)
        self.start()

    def last(self):
        """Code and message of the newest attempt's verdict, its class and status."""
        return self.cluster.sql("SELECT v.code, v.message, a.class, a.http FROM verdict v JOIN attempt a ON a.id = "
                                "v.attempt_id ORDER BY a.id DESC LIMIT 1")[0]

    def test_each_failure_is_told_and_tried_again(self):
        self.begin_tls()
        for n, (fault, message) in enumerate(FAULTS.items()):
            self.box.request("PUT", "/_sandbox/fault", "tls:" + fault)
            self.put(1)
            self.cluster.sql("NOTIFY route")
            wait_until(lambda n=n: int(self.one("SELECT count(DISTINCT event_id) FROM verdict")) == n + 1, what=fault)
            code, said, kind, http = self.last()
            self.assertEqual((code, kind, http), ("not_sent", "retry", "0"))
            self.assertRegex(said, message)
        self.assertEqual(self.box.summary()["meta"]["requests"], 0)
        self.assertEqual(self.one("SELECT count(*) FROM verdict WHERE after <> 2"), "0")
        self.box.heal()
        self.p.run("pixel", "circuit", "meta", "close")
        self.p.run("delivery", "retry", "--pixel", "meta", "--force")
        self.settle(len(FAULTS))
        self.assertEqual(self.finals(), {DELIVERED: len(FAULTS)})
        self.assertEqual(self.box.summary()["meta"]["repeats"], 0)
        self.check_books()

    def test_the_system_does_not_know_our_authority(self):
        self.begin_tls(TRACKAI_CA_FILE="")
        self.put(1)
        self.cluster.sql("NOTIFY route")
        wait_until(lambda: self.one("SELECT count(*) FROM verdict") != "0", what="an attempt")
        self.assertIn("TLS: the certificate is of an unknown authority", self.last()[1])
        self.assertEqual(self.box.summary()["meta"]["requests"], 0)


if __name__ == "__main__":
    unittest.main()
