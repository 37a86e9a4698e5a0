"""Journeys: visits of the browser and what orders tell become touches of persons, and the models share
the orders of a store over them; also when a person is known by several names, and after a restart."""
import json
import unittest

from lib import Cluster, Program, wait_until

NOW = "2026-11-22T10:40:00Z"
T0 = 1795329600  # 2026-11-22T06:40:00Z
SHOP = "https://www.shop.example/lamps"


class Journey(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster()
        cls.p = p = Program(cls.cluster, clock=NOW)
        p.run("migrate")
        for name in ("one", "two"):
            p.run("store", "add", "--name", name, "--platform", "custom", "--domain", f"{name}.example",
                  "--currency", "EUR")
        cls.keys = {s: p.json("key", "add", "--store", s, "--scope", "track", "--json")["key"]
                    for s in ("one", "two")}
        cls.server = p.serve()
        cls.n = 0

    @classmethod
    def tearDownClass(cls):
        cls.p.destroy()
        cls.cluster.destroy()

    def send(self, store, event, at, value=None, **more):
        Journey.n += 1
        item = {"event": event, "event_id": f"e{self.n}", "event_time": T0 + at, **more}
        if event == "purchase":
            item.update(value=value or "10.00", currency="EUR", order_id=f"o{self.n}")
        status, body, _ = self.p.request("POST", "/event/track", json.dumps(item).encode(),
                                         {"Authorization": f"Bearer {self.keys[store]}"})
        self.assertEqual((status, json.loads(body)["accepted"]), (200, 1), body)

    def followed(self):
        """All documents were read."""
        wait_until(lambda: self.one("SELECT count(*) FROM event") == self.n and self.one(
            "SELECT coalesce((SELECT max(pos) FROM curlog WHERE stage = 'journey'), 0) >= "
            "(SELECT max(id) FROM event)"), 60, "the journeys")

    def one(self, query):
        value, = self.cluster.sql(query)[0]
        return {"t": True, "f": False}.get(value) if value in ("t", "f") else int(value)

    def shares(self, store, **options):
        argv = [a for k, v in options.items() for a in (f"--{k}", v)]
        out = self.p.json("attribution", "--store", store, "--json", "--to", "2026-11-23T00:00:00Z", *argv)
        self.assertEqual(sum(c["value"] for c in out["credits"]), out["value"])
        return {c["channel"]: c["value"] for c in out["credits"] if c["value"]}, out

    def test_1_visits_become_credit(self):
        ann = {"click": {"fbp": "fb.1.1795300062780.4680204111"}}
        self.send("one", "page_view", 0, url=SHOP + "?utm_source=pinterest&utm_medium=cpc&utm_campaign=spring"
                  "&utm_id=626735565838&adgroupid=262673&pin_id=94857", **ann)
        self.send("one", "page_view", 10, url=SHOP + "/2", referrer=SHOP, **ann)
        self.send("one", "page_view", 3600, url=SHOP, referrer="https://www.google.de/", **ann)
        # The person is known by another name from here on.
        self.send("one", "initiate_checkout", 3700, user={"email": "ann@mail.example"}, **ann)
        self.send("one", "purchase", 4000, "10.01", user={"email": " Ann@Mail.example"})
        # Somebody came and bought nothing; somebody bought of whom nothing is known.
        self.send("one", "page_view", 100, url=SHOP, click={"fbp": "fb.1.1795300062780.4680204222"})
        self.send("one", "purchase", 4100, "5.00", user={"email": "bob@mail.example"})
        # The same address in another shop is another person.
        self.send("two", "purchase", 4200, "7.00", user={"email": "ann@mail.example"})
        self.followed()
        shares, out = self.shares("one", model="linear")
        self.assertEqual(shares, {"Paid Social": 500, "Organic Search": 501, "(unattributed)": 500})
        self.assertEqual((out["orders"], out["orders_without_touch"], out["journeys_without_order"]), (2, 1, 1))
        self.assertEqual(self.shares("one", model="first_touch")[0]["Paid Social"], 1001)
        self.assertEqual(self.shares("two")[0], {"(unattributed)": 700})
        by = self.shares("one", model="first_touch", by="campaign")[0]
        self.assertEqual(by["pinterest / 626735565838"], 1001)
        self.assertEqual(self.shares("one", model="first_touch", by="pin")[0]["pinterest / 94857"], 1001)

    def test_2_two_persons_turn_out_to_be_one(self):
        before = self.shares("one", model="linear")[1]
        phone = {"click": {"fbp": "fb.1.1795300062780.4680204333"}}
        laptop = {"click": {"fbp": "fb.1.1795300062780.4680204444"}}
        self.send("one", "page_view", 5000, url=SHOP + "?ttclid=E.C.P.1", **phone)
        self.send("one", "page_view", 6000, url=SHOP + "?utm_source=news&utm_medium=email", **laptop)
        self.send("one", "signup", 6100, user={"email": "cy@mail.example"}, **laptop)
        self.send("one", "signup", 6200, user={"email": "cy@mail.example"}, **phone)
        self.send("one", "purchase", 7000, "8.00", user={"email": "cy@mail.example"})
        self.followed()
        self.assertEqual(self.one("SELECT count(*) FROM person_alias"), 1)
        shares, out = self.shares("one", model="linear")
        self.assertEqual(out["orders"], before["orders"] + 1)
        self.assertEqual(shares["Email"], 400)
        self.assertEqual(shares["Paid Social"], 500 + 400)

    def test_3_an_order_tells_of_its_visit_once(self):
        dora = {"click": {"epik": "dj0yDora"}, "user": {"email": "dora@mail.example"}}
        landing = SHOP + "?epik=dj0yDora"
        self.send("one", "page_view", 8000, url=landing, **dora)
        self.send("one", "purchase", 8100, "3.00", url=landing, **dora)
        # Nobody saw this visit, but the order has its click id.
        self.send("one", "purchase", 8200, "4.00", url=SHOP, click={"ttclid": "E.C.P.9"},
                  user={"email": "eve@mail.example"})
        self.followed()
        before = self.shares("one", model="linear", by="source")[0]
        self.assertEqual(before["pinterest / paid"], 300)
        self.assertEqual(before["tiktok / paid"], 400 + 400)

    def test_4_all_again_from_the_documents(self):
        """What the folder wrote can be made anew: the same credit, whatever the steps were."""
        self.p.stop(self.server)
        before = [self.shares("one", model=m, by=b)[0] for m in ("linear", "position", "markov")
                  for b in ("channel", "campaign")]
        self.cluster.sql("DELETE FROM touch; DELETE FROM conversion; DELETE FROM person_key; "
                         "DELETE FROM person_alias; DELETE FROM curlog WHERE stage = 'journey'")
        Journey.server = self.p.serve()
        self.followed()
        self.assertEqual(before, [self.shares("one", model=m, by=b)[0] for m in ("linear", "position", "markov")
                                  for b in ("channel", "campaign")])

    def test_5_one_id_for_everybody_does_not_make_them_one(self):
        for i in range(60):
            self.send("two", "signup", 9000 + i, user={"email": f"p{i}@mail.example"})
            self.send("two", "page_view", 9000 + i, url=SHOP, user={"email": f"p{i}@mail.example", "phone":
                      f"+4930123{i:05}"})
        for i in range(60):
            self.send("two", "lead", 9100 + i, user={"email": f"p{i}@mail.example", "external_id": "guest"})
        self.followed()
        self.assertEqual(self.one("SELECT max(n) FROM (SELECT count(*) AS n FROM person_alias GROUP BY means) x"),
                         50)

    def test_6_bad_questions(self):
        for argv, words in ((("--store", "none"), "no store"), (("--store", "one", "--by", "moon"), "share by"),
                            (("--store", "one", "--paths", "x"), "either"), ((), "either"),
                            (("--paths", "x", "--from", "-2d"), "go with --store"),
                            (("--store", "one", "--from", "2026-11-22", "--to", "2026-11-21"), "not before")):
            p = self.p.run("attribution", *argv, ok=False)
            self.assertNotEqual(p.returncode, 0)
            self.assertIn(words, p.stderr)


if __name__ == "__main__":
    unittest.main()
