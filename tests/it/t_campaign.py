"""Campaigns: exports of ad platforms are stored once and corrected later, and stand beside what the shop
sold: by campaign and pin, with the platform's claim."""
import json
import os
import unittest

from lib import Cluster, Program, wait_until

NOW = "2026-11-22T10:40:00Z"
T0 = 1795329600  # 2026-11-22T06:40:00Z
SHOP = "https://www.shop.example/lamps"
HEAD = "date,campaign_id,campaign_name,ad_group_id,ad_id,pin_id,spend,impressions,clicks,conversions,conversion_value\n"


class Campaign(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster()
        cls.p = p = Program(cls.cluster, clock=NOW)
        p.run("migrate")
        p.run("store", "add", "--name", "one", "--platform", "custom", "--domain", "one.example", "--currency", "EUR")
        cls.key = p.json("key", "add", "--store", "one", "--scope", "track", "--json")["key"]
        p.serve()

    @classmethod
    def tearDownClass(cls):
        cls.p.destroy()
        cls.cluster.destroy()

    def load(self, text, *more, ok=True, platform="pinterest"):
        path = os.path.join(self.p.home, "report.csv")
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        p = self.p.run("campaign", "import", path, "--store", "one", "--platform", platform, "--json", *more, ok=ok)
        return json.loads(p.stdout) if ok else p

    def listed(self, *more):
        return {r["id"]: r for r in self.p.json("campaign", "list", "--store", "one", *more)}

    def test_1_the_same_report_twice_and_a_correction(self):
        def report(spend, claimed):
            return (HEAD + f"2026-11-20,626735565838,Spring,262673,68755,94857,{spend},1000,25,{claimed},90.00\n"
                    "2026-11-21,626735565838,Spring,262673,68755,94857,5.50,400,10,1,20\n"
                    "2026-11-21,626735565839,Summer,,,,1.25,90,2,,\n")
        self.assertEqual(self.load(report("10.00", 2), "--currency", "EUR", "--dry-run")["days_new"], 3)
        self.assertEqual(self.listed(), {})
        self.assertEqual(self.load(report("10.00", 2), "--currency", "EUR"), {
            "rows": 3, "skipped": 0, "entities": 5, "days_new": 3, "days_changed": 0, "days_same": 0,
            "dry_run": False})
        again = self.load(report("10.00", 2), "--currency", "EUR")
        self.assertEqual((again["entities"], again["days_new"], again["days_same"]), (0, 0, 3))
        corrected = self.load(report("10.40", 3), "--currency", "EUR")
        self.assertEqual((corrected["days_changed"], corrected["days_same"]), (1, 2))
        self.assertEqual(self.cluster.sql("SELECT spend_micro, claimed FROM ad_day_before"), [["10000000", "2"]])
        ad = self.listed("--level", "ad")["68755"]
        self.assertEqual(ad["spend"], {"amount": "15.900000", "currency": "EUR"})
        self.assertEqual((ad["claimed"], ad["pin"], ad["campaign"], ad["days"]), (4.0, "94857", "626735565838", 2))
        self.assertEqual(self.listed()["626735565839"]["spend"]["amount"], "1.250000")
        # A campaign of which only the ads were reported is their sum, a pin that of the ads it stands in.
        self.assertEqual(self.listed()["626735565838"]["spend"]["amount"], "15.900000")
        self.assertEqual(self.listed("--level", "pin")["94857"]["claimed"], 4.0)
        # Once it is reported itself, that counts for the day, and the other day stays the ads'.
        self.load("date,campaign_id,spend,conversions\n2026-11-21,626735565838,7.00,2\n", "--currency", "EUR")
        self.assertEqual(self.listed()["626735565838"]["spend"]["amount"], "17.400000")
        self.assertEqual(self.listed("--level", "ad")["68755"]["spend"]["amount"], "15.900000")

    def test_2_reports_that_say_something_else(self):
        twice = "date,campaign_id,spend\n2026-11-20,77777,1\n2026-11-20,77777,1\n"
        for text, words in ((twice, "two rows for 2026-11-20"), ("date,spend\n2026-11-20,1\n", "campaign_id"),
                            ("date,campaign_id,spend\n2026-11-20,77777,1,5\n", None),
                            ("date,campaign_id,spend\n2026-11-20,77777,x\n", "line 2: spend")):
            if words:
                p = self.load(text, "--currency", "EUR", ok=False)
                self.assertEqual(p.returncode, 4, p.stderr)
                self.assertIn(words, p.stderr)
        p = self.load("date,campaign_id,spend\n2026-11-20,77777,1\n", ok=False)
        self.assertIn("ISO 4217", p.stderr)
        self.assertNotIn("77777", self.listed())

    def test_3_beside_what_the_shop_sold(self):
        n = 0

        def send(event, at, **more):
            nonlocal n
            n += 1
            item = {"event": event, "event_id": f"e{n}", "event_time": T0 + at, **more}
            status, body, _ = self.p.request("POST", "/event/track", json.dumps(item).encode(),
                                             {"Authorization": f"Bearer {self.key}"})
            self.assertEqual((status, json.loads(body)["accepted"]), (200, 1), body)

        for i in range(12):
            who = {"user": {"email": f"p{i}@mail.example"}}
            if i < 10:
                send("page_view", i, url=SHOP + "?utm_source=pinterest&utm_medium=cpc&utm_campaign=" +
                     ("626735565838&adgroupid=262673&ad_id=68755&pin_id=94857" if i < 8 else "Summer"), **who)
            send("purchase", 100 + i, value="20.00", currency="EUR", order_id=f"o{i}", **who)
        wait_until(lambda: self.cluster.sql("SELECT count(*) FROM conversion") == [["12"]], 60, "the journeys")
        out = self.p.json("campaign", "roi", "--store", "one", "--margin", "0.5")
        rows = {r["what"]: r for r in out["rows"]}
        spring, summer = rows["pinterest / 626735565838"], rows["pinterest / 626735565839"]
        self.assertEqual((out["orders"], out["revenue"]["amount"]), (12, "240.00"))
        self.assertEqual((spring["conversions"]["value"], spring["revenue"]["amount"]), (8.0, "160.00"))
        self.assertEqual(summer["conversions"]["value"], 2.0)  # by its name
        self.assertEqual(rows["(unattributed)"]["conversions"]["value"], 2.0)
        self.assertTrue(spring["few"])
        self.assertAlmostEqual(summer["roas"]["value"], 32.0)
        self.assertAlmostEqual(summer["roi"]["value"], 15.0)
        ad = {r["what"]: r for r in self.p.json("campaign", "roi", "--store", "one", "--level", "ad")["rows"]}
        ad = ad["pinterest / 68755"]
        self.assertAlmostEqual(ad["roas"]["value"], 160 / 15.9)
        self.assertAlmostEqual(ad["over_claim"], 4 / 8)
        text = self.p.run("campaign", "roi", "--store", "one").stdout
        self.assertIn("too few", text)
        self.assertIn("12 orders by last_non_direct", text)

    def test_4_another_currency_makes_no_ratio(self):
        self.load("date,campaign_id,spend,currency\n2026-11-21,55555,8000,JPY\n", platform="meta")
        p = self.p.run("campaign", "roi", "--store", "one")
        self.assertIn("8000 JPY", p.stdout)
        self.assertIn("1 days were paid in another currency than EUR", p.stderr)

    def test_5_at_the_rate_of_the_day(self):
        rates = "Date,USD,JPY\n2026-11-20,1.0500,160.00\n2026-11-13,1.1000,165.00\n"
        with open(os.path.join(self.p.home, "eurofxref.csv"), "w", encoding="utf-8") as f:
            f.write(rates)
        path = os.path.join(self.p.home, "eurofxref.csv")
        self.assertEqual(self.p.json("rate", "import", path), {"added": 4, "same": 0, "kept": 0})
        self.assertEqual(self.p.json("rate", "import", path), {"added": 0, "same": 4, "kept": 0})
        p = self.p.run("rate", "set", "--currency", "JPY", "--date", "2026-11-20", "--per-euro", "1")
        self.assertIn("another rate already", p.stderr)
        self.assertEqual(self.p.json("rate", "list", "--currency", "jpy")[0]["per_euro"], "160.00000000")
        # 8,000 yen of a Saturday at Friday's rate: 50 euros.
        out = self.p.json("campaign", "roi", "--store", "one")
        self.assertEqual(out["days_without_rate"], 0)
        p = self.p.run("campaign", "roi", "--store", "one")
        self.assertEqual(p.stderr, "")
        self.assertAlmostEqual(float(out["spend"]["amount"]), 17.4 + 1.25 + 50)
        for argv, words in ((("--currency", "EUR"), "other than EUR"), (("--currency", "USD", "--per-euro", "-1"),
                            "positive")):
            p = self.p.run("rate", "set", "--date", "2026-11-20", "--per-euro", "2", *argv, ok=False)
            self.assertIn(words, p.stderr)

    def test_6_bad_questions(self):
        for argv, words in ((("roi", "--store", "none"), "no store"), (("roi",), "--store"),
                            (("roi", "--store", "one", "--margin", "40"), "0 to 1"),
                            (("list", "--store", "one", "--level", "moon"), "--level"),
                            (("import", "--store", "one", "--platform", "pinterest"), "FILE"),
                            (("import", "x.csv", "--store", "one"), "--platform"), ((), "import")):
            p = self.p.run("campaign", *argv, ok=False)
            self.assertIn(p.returncode, (2, 3), p.stderr)
            self.assertIn(words, p.stderr)


if __name__ == "__main__":
    unittest.main()
