"""Operations in the real console on a real database: from a number to its events and back to the very place,
what does not add up, alerts acknowledged and muted."""
import unittest

import seed
from lib import wait_until
from t_console import Seeded


class Desk(Seeded):
    def one(self, sql):
        return int(self.cluster.sql(sql)[0][0])

    def test_a_number_of_the_ledger_and_back(self):
        """Exactly the deliveries that the number counts, then the cell that was left."""
        pixel, n = (int(v) for v in self.cluster.sql(
            f"SELECT pixel_id, sum(n) FROM ledger WHERE item = {seed.DISP['rejected']} GROUP BY 1 "
            "ORDER BY 2 DESC LIMIT 1")[0])
        store, name = self.cluster.sql(f"SELECT s.name, p.name FROM pixel p JOIN store s ON s.id = p.store_id "
                                       f"WHERE p.id = {pixel}")[0]
        rows = [r[0] for r in self.cluster.sql("SELECT p.id FROM pixel p JOIN store s ON s.id = p.store_id WHERE "
                                               'p.deleted_us IS NULL ORDER BY s.name COLLATE "C", p.name COLLATE "C"')]
        t = self.start(cols=200, rows=60)
        t.keys(b"L")
        t.sees(["LEDGER", "balance", "rejected", name, f"{n}"])
        t.keys(b"g" + b"j" * (1 + rows.index(str(pixel))) + b"l" * 9)
        t.keys(b"\r")
        t.sees(["EVENTS", f"store == {store} and pixel == {name} and state == rejected",
                f" {n}, as far back as events are kept"])
        t.keys(b"\x1b")
        t.sees(["LEDGER", "balance"])
        t.keys(b"\r")
        t.sees(["EVENTS", f"store == {store} and pixel == {name} and state == rejected"])
        t.keys(b"Q")
        self.assertEqual(t.ended(), 0)

    def test_what_does_not_add_up(self):
        event = self.one("SELECT max(id) FROM event")
        self.cluster.sql(f"INSERT INTO ledger_fault VALUES (1, {event}, 0, 0, 3, {seed.NOW_US}, "
                         "'the book says delivered, the rows say queued: nothing will send it')")
        t = self.start(cols=132, rows=43)
        t.keys(b"L")
        t.sees(["1 do not add up", f"event {event}", "the book says delivered, the rows say queued"])
        t.keys(b"gl" + b"l" * 12 + b"\r")
        t.sees(["EVENTS", "Summary", "what"])
        t.keys(b"\x1b")
        t.sees(["LEDGER", "1 do not add up"])
        self.cluster.sql("DELETE FROM ledger_fault")
        t.sees(["every event is accounted for"])

    def test_alerts_are_acknowledged_and_muted(self):
        self.cluster.sql("INSERT INTO alert (scope, object, part, level, why, raised_us, changed_us) VALUES "
                         f"(2, 1, 1, 3, '41 of 50 failed in 5 min', {seed.NOW_US - 90_000_000}, {seed.NOW_US})")
        t = self.start()
        t.keys(b"!")
        t.sees(["ALERTS", "1 open", "acme-de/px-181", "delivery", "41 of 50"])
        t.keys(b"a")
        wait_until(lambda: self.one("SELECT count(*) FROM alert WHERE acked_us > 0"), what="the acknowledgement")
        t.sees(["ack "])
        t.keys(b"m")
        t.sees(["mute this cause for"])
        t.keys(b"2h\r")
        wait_until(lambda: self.one(f"SELECT count(*) FROM alert_mute WHERE until_us > {seed.NOW_US + 7_000_000_000}"),
                   what="the muting")
        t.sees(["muted to"])
        self.assertEqual([r[0] for r in self.cluster.sql("SELECT action FROM audit WHERE action LIKE 'alert.%' ORDER BY id")],
                         ["alert.ack", "alert.mute"])
        t.keys(b"\r")
        t.sees(["HEALTH", "acme-de/px-181"])


if __name__ == "__main__":
    unittest.main()
