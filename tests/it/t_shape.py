"""What a pixel's own names and the rule actions rename, set and remove make of events on their way:
browser and server events through the real listener, router and dispatcher to the platforms. A rule
decides once: retries repeat its version byte by byte, whatever it says by then."""
import json
import unittest

from lib import Cluster, Program, Sandbox, wait_until
from delivering import NOW, PLATFORMS, Stub, took_all

REJECTED, FILTERED, DELIVERED = "8", "5", "3"


class Shape(unittest.TestCase):
    def setUp(self):
        self.cluster = Cluster()
        self.addCleanup(self.cluster.destroy)

    def tearDown(self):
        for word in ("Sanitizer", "runtime error", "broken invariant"):
            self.assertNotIn(word, self.p.output())

    def begin(self, urls=None, platforms=PLATFORMS):
        self.sandbox = None
        if urls is None:
            self.sandbox = Sandbox(clock=NOW)
            self.addCleanup(self.sandbox.stop)
            urls = self.sandbox.urls
        self.p = Program(self.cluster, clock=NOW, **urls)
        self.addCleanup(self.p.destroy)
        self.p.run("migrate")
        self.p.run("store", "add", "--name", "shop", "--platform", "custom", "--currency", "EUR")
        for platform in platforms:
            self.p.run("pixel", "add", "--store", "shop", "--platform", platform, "--account", "1234567",
                       "--token", "token-shop")
        self.key = self.p.json("key", "add", "--store", "shop", "--scope", "track")["key"]
        self.p.serve("--roles", "listener,router,dispatcher")

    def rule(self, name, expr, action, argument, *scope):
        self.p.run("rule", "add", "--name", name, "--expr", expr, "--action", action, "--with", argument, *scope)

    def track(self, event, event_id, **more):
        item = {"event": event, "event_id": event_id, "url": "https://shop.example/",
                "user": {"email": "jane@example.com", "phone": "+4930123456", "ip": "198.51.100.7",
                         "user_agent": "Mozilla/5.0"}}
        item.update(more)
        status, body, _ = self.p.request("POST", "/event/track", json.dumps(item).encode(),
                                         {"Authorization": "Bearer " + self.key})
        self.assertEqual((status, json.loads(body)["accepted"]), (200, 1), body)

    def count(self, sql):
        return int(self.cluster.sql(sql)[0][0])

    def settled(self, n):
        """Until n deliveries are final: routed so, or by a verdict."""
        wait_until(lambda: self.count("SELECT (SELECT count(*) FROM route WHERE decision >= 3) + "
                                      "(SELECT count(*) FROM verdict WHERE after >= 3)") >= n, what=f"{n} finals")

    def sent(self, platform):
        """Wire id -> the event's JSON as it was sent."""
        out = {}
        for show in self.p.json("event", "list", "--limit", "100"):
            for d in self.p.json("event", "show", show["id"])["deliveries"]:
                for a in d["attempts"]:
                    if d["platform"] == platform and a["request"]:
                        e = json.loads(a["request"])
                        for one in e.get("data", [e]):
                            out[one["event_id"]] = one
        return out

    def one(self, platform):
        got = self.sent(platform)
        self.assertEqual(len(got), 1, got)
        return list(got.values())[0]

    def test_rename(self):
        self.begin()
        self.rule("leads", "name == lead", "rename", "signup")
        self.rule("vip", "event.custom_name == vip", "rename", "StartTrial", "--platform", "meta")
        self.track("lead", "lead-0001")
        self.settled(3)
        self.assertEqual(self.one("pinterest")["event_name"], "signup")
        self.assertEqual(self.one("meta")["event_name"], "CompleteRegistration")
        self.assertEqual(self.one("tiktok")["event"], "CompleteRegistration")
        for platform in PLATFORMS:
            self.assertEqual([e["times"] for e in self.sandbox.received(platform)], [1])
        self.track("custom", "vip-00001", name="vip")
        self.settled(6)  # TikTok takes no custom events
        self.assertEqual({e["event_name"] for e in self.sent("meta").values()}, {"CompleteRegistration", "StartTrial"})
        self.assertEqual(self.cluster.sql("SELECT count(*) FROM verdict WHERE after <> 3"), [["0"]])

    def test_set_and_remove(self):
        self.begin()
        self.rule("cap", "name == purchase", "set", 'value = 12.50 USD, user.city = "New York", event.search = x',
                  "--platform", "pinterest")
        self.rule("private", "name == purchase", "remove", "user.phone, user.ip, items", "--platform", "meta")
        self.track("purchase", "purchase-1", value="72.39", currency="EUR", order_id="1",
                   items=[{"id": "788", "price": "9.50", "quantity": 2}])
        self.settled(3)
        pin, meta, tiktok = (self.one(p) for p in PLATFORMS)
        self.assertEqual((pin["custom_data"]["value"], pin["custom_data"]["currency"]), ("12.50", "USD"))
        self.assertNotIn("item_price", pin["custom_data"]["contents"][0])  # its euros are no dollars
        self.assertIn("ct", pin["user_data"])
        self.assertEqual(pin["custom_data"]["search_string"], "x")
        self.assertNotIn("ph", meta["user_data"])
        self.assertNotIn("client_ip_address", meta["user_data"])
        self.assertNotIn("contents", meta["custom_data"])
        self.assertEqual(tiktok["properties"]["value"], 72.39)
        self.assertIn("phone", tiktok["user"])
        self.assertEqual(len({e["event_id"] for e in (pin, meta, tiktok)}), 1)

    def test_where_each_field_comes_from(self):
        self.begin()
        self.rule("cap", "name == purchase", "set", "value = 12.50 USD", "--platform", "pinterest")
        self.p.run("pixel", "set", "meta", "--content-ids", "788 = SKU-788", "--event-names", "purchase = Subscribe")
        wait_until(lambda: self.count("SELECT count(*) FROM pixel_version") == 4, what="the version")
        for i in range(3):  # also from the middle of a batch
            self.track("purchase", f"purchase-{i}", value="72.39", currency="EUR", order_id=str(i),
                       items=[{"id": "788", "price": "9.50", "quantity": 2}])
        self.settled(9)
        for e in self.p.json("event", "list"):
            show = self.p.json("event", "show", e["id"])
            fields = {d["platform"]: {f["path"]: f for f in d["fields"]} for d in show["deliveries"]}
            value = fields["pinterest"]["custom_data.value"]
            self.assertEqual((value["value"], value["source"], value["by"]), ("12.50", "", "rule 1, version 1"))
            order = fields["pinterest"]["custom_data.order_id"]
            self.assertEqual((order["value"], order["source"]), (show["doc"]["order_id"], "order_id"))
            self.assertEqual(fields["meta"]["event_name"]["by"], "the pixel's event names")
            item = fields["meta"]["custom_data.content_ids[0]"]
            self.assertEqual((item["value"], item["source"], item["by"]),
                             ("SKU-788", "items[0].id", "the pixel's content ids"))
            em = fields["tiktok"]["user.email"]
            self.assertEqual((em["source"], em["how"], em["origin"]),
                             ("user.email", "trimmed, lower case, SHA-256", "server: user.email"))
        text = self.p.run("event", "show", e["id"]).stdout
        self.assertIn("user_data.em[0] <- user.email (trimmed, lower case, SHA-256) <- server: user.email", text)
        self.assertIn("custom_data.value <- decimal text, rule 1, version 1", text)

    def test_own_names(self):
        self.begin()
        for platform, names in (("pinterest", "lead = watch_video, page_view ="), ("meta", "lead = Quiz finished"),
                                ("tiktok", "lead = SubmitForm, page_view = never")):
            self.p.run("pixel", "set", platform, "--event-names", names, "--content-ids", "788 = SKU-788,\n9 = never")
        wait_until(lambda: self.count("SELECT count(*) FROM pixel_version") == 6, what="the versions")
        self.track("page_view", "view-0001")
        self.track("lead", "lead-0001", items=[{"id": "788", "quantity": 1}, {"id": "9", "quantity": 1},
                                               {"id": "10", "quantity": 1}])
        self.settled(6)
        self.assertEqual(self.one("pinterest")["event_name"], "watch_video")
        lead = [e for e in self.sent("meta").values() if e["event_name"] == "Quiz finished"][0]
        self.assertEqual(lead["custom_data"]["content_ids"], ["SKU-788", "10"])
        self.assertEqual([c["content_id"] for c in self.one("tiktok")["properties"]["contents"]], ["SKU-788", "10"])
        unmapped = self.cluster.sql("SELECT p.platform FROM route r JOIN pixel p ON p.id = r.pixel_id WHERE "
                                    "r.decision = 5 AND r.reason = 11 ORDER BY 1")
        self.assertEqual(unmapped, [["pinterest"], ["tiktok"]])
        self.p.run("ledger", "--recount")

    def test_names_are_checked(self):
        self.begin()

        def refused(words, *args):
            p = self.p.run(*args, ok=False)
            self.assertEqual(p.returncode, 4, p.stderr)
            self.assertIn(words, p.stderr)
        refused("event_names: there is no event \"leed\"", "pixel", "set", "meta", "--event-names", "leed = Lead")
        refused("event_names: Pinterest writes it signup", "pixel", "set", "pinterest", "--event-names",
                "lead = Signup")
        refused("content_ids: \"1\" stands twice", "pixel", "set", "meta", "--content-ids", "1 = a, 1 = b")
        refused("between 1 and 60000 are allowed", "pixel", "set", "meta", "--content-ids", "x" * 60001)
        refused("with: TikTok has no event", "rule", "add", "--expr", "name == lead", "--action", "rename", "--with",
                "Leed", "--platform", "tiktok")
        refused("with: TikTok has no event", "rule", "add", "--expr", "name == lead", "--action", "rename", "--with",
                "Leed", "--pixel", "tiktok")
        refused("with: user.email: expected an e-mail", "rule", "add", "--expr", "name == lead", "--action", "set",
                "--with", "user.email = me")
        self.assertEqual(self.count("SELECT count(*) FROM rule"), 0)

    def test_a_long_map_from_a_file(self):
        self.begin(platforms=("meta",))
        path = self.p.home + "/ids"
        with open(path, "w") as f:
            f.write("\n".join(f"{i} = SKU-{i}" for i in range(3000)) + "\n")
        self.p.run("pixel", "set", "meta", "--content-ids", "@" + path)
        self.assertIn("2999 = SKU-2999", self.p.json("pixel", "show", "meta")["content_ids"])
        self.track("lead", "lead-0001", items=[{"id": "2999", "quantity": 1}])
        self.settled(1)
        self.assertEqual(self.one("meta")["custom_data"]["content_ids"], ["SKU-2999"])

    def test_retries_repeat_the_rule_that_decided(self):
        for answers in ([None], [(503, {}, b'{"error":{"message":"x","code":2,"is_transient":true}}')]):
            with self.subTest(answers=answers):
                self.cluster.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
                first = list(answers)

                def answer(body):
                    return first.pop() if first else took_all(body)
                stub = Stub(answer)
                self.addCleanup(stub.close)
                self.begin(urls={"TRACKAI_META_URL": stub.url}, platforms=("meta",))
                self.rule("first", "name == lead", "set", "value = 1 EUR")
                self.track("lead", "lead-0001")
                wait_until(lambda: self.count("SELECT count(*) FROM retry") == 1, what="the retry")
                self.p.run("rule", "set", "first", "--with", "value = 2 EUR")
                self.p.run("pixel", "set", "meta", "--content-ids", "1 = 2")
                self.settled(1)
                self.assertEqual(stub.seen[0], stub.seen[1])
                self.assertIn(b'"value":1.00', stub.seen[0])
                self.track("lead", "lead-0002")
                self.settled(2)
                self.assertIn(b'"value":2.00', stub.seen[2])
                self.p.stop(self.p.children[-1])

    def test_a_rule_that_fails_is_an_outcome(self):
        self.begin(platforms=("meta", "tiktok"))
        self.rule("price", "name == lead", "set", "value = 5", "--platform", "meta")
        self.track("lead", "lead-0001")
        self.settled(2)
        rows = self.cluster.sql("SELECT v.after, v.reason, v.message FROM verdict v JOIN pixel p ON p.id = v.pixel_id "
                                "WHERE p.platform = 'meta'")
        self.assertEqual(rows[0][:2], [REJECTED, "18"])
        self.assertIn("rule 1, version 1: value: neither the rule nor the event says a currency", rows[0][2])
        self.track("lead", "lead-0002", currency="EUR", value="9.00")
        self.settled(4)
        self.assertEqual(self.sent("meta")[self.cluster.sql("SELECT wire_id FROM event ORDER BY id DESC LIMIT 1")[0][0]]
                         ["custom_data"]["value"], 5.0)

    def test_without_a_match_key_after_the_change(self):
        self.begin(platforms=("meta",))
        self.rule("nobody", "name == lead", "remove", "user")
        self.track("lead", "lead-0001")
        self.settled(1)
        self.assertEqual(self.cluster.sql("SELECT after, reason FROM verdict"), [[REJECTED, "16"]])

    def test_renamed_to_what_the_pixel_leaves_out(self):
        self.begin(platforms=("meta", "pinterest"))
        self.p.run("pixel", "set", "meta", "--event-names", "signup = never")
        self.rule("leads", "name == lead", "rename", "signup")
        self.track("lead", "lead-0001")
        self.settled(2)
        self.assertEqual(self.cluster.sql("SELECT p.platform, v.after, v.reason FROM verdict v JOIN pixel p ON "
                                          "p.id = v.pixel_id ORDER BY 1"),
                         [["meta", FILTERED, "11"], ["pinterest", DELIVERED, "1"]])
        self.p.run("ledger", "--recount")

    def test_a_test_send_shows_the_change(self):
        self.begin(platforms=("meta",))
        self.rule("leads", "name == lead", "rename", "signup")
        self.track("lead", "lead-0001")
        self.settled(1)
        got = self.p.json("pixel", "test", "meta", "--test-code", "T1")
        self.assertEqual(got["event_name"], "CompleteRegistration")
        got = self.p.json("pixel", "test", "meta", "--test-code", "T1", "--event-names", "signup = Lead")
        self.assertEqual(got["event_name"], "Lead")

    def test_an_explanation_knows_the_names_of_then(self):
        self.begin(platforms=("meta",))
        self.rule("leads", "name == lead", "remove", "user.phone")
        self.p.run("pixel", "set", "meta", "--event-names", "lead = never")
        self.track("lead", "lead-1")
        self.settled(1)
        event = self.p.json("event", "list")[0]["id"]

        def told():
            d = self.p.json("event", "show", event)["deliveries"][0]
            return d["reason"], d["rule"]
        before = told()
        self.assertEqual(before[0], "unmapped")
        self.p.run("pixel", "set", "meta", "--event-names", "")
        self.assertEqual(told(), before)


if __name__ == "__main__":
    unittest.main()
