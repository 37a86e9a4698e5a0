"""Everything an operator can type wrongly on the command line: refused with the field, the value and the
rule that it broke, by the right exit status, and nothing is half saved. A table: each row is the exit
status, the words that the answer must hold, and the command."""
import os
import subprocess
import unittest

from lib import TRACKAI, Cluster, Program

LONG = "x" * 300
STORE = ("store", "add", "--name", "New", "--platform", "custom", "--currency", "EUR")
PIXEL = ("pixel", "add", "--store", "Shop", "--token", "t")
RULE = ("rule", "add", "--action", "drop")

STORES = [
    (4, ["name", "required"], ("store", "add", "--platform", "custom", "--currency", "EUR")),
    (4, ["name", "blank"], STORE[:3] + ("   ",) + STORE[4:]),
    (4, ["name", "blank"], STORE[:3] + (" lead",) + STORE[4:]),
    (4, ["name", "blank"], STORE[:3] + ("trail ",) + STORE[4:]),
    (4, ["name", "digits"], STORE[:3] + ("123",) + STORE[4:]),
    (4, ["name", "slash"], STORE[:3] + ("a/b",) + STORE[4:]),
    (4, ["name", "300 bytes", "60"], STORE[:3] + (LONG,) + STORE[4:]),
    (4, ["name", "control"], STORE[:3] + ("a\nb",) + STORE[4:]),
    (4, ["name", "control"], STORE[:3] + ("a\x1b[2Jb",) + STORE[4:]),
    (4, ["name", "control"], STORE[:3] + ("a\x7fb",) + STORE[4:]),
    (4, ["name", "control"], STORE[:3] + ("a\u009bb",) + STORE[4:]),
    (4, ["name", "control"], STORE[:3] + ("a\u202eb",) + STORE[4:]),
    (4, ["name", "UTF-8"], STORE[:3] + (b"caf\xe9",) + STORE[4:]),
    (4, ["name", "UTF-8"], STORE[:3] + (b"\xed\xa0\x80",) + STORE[4:]),
    (4, ["name", "Shop"], STORE[:3] + ("Shop",) + STORE[4:]),
    (4, ["platform", "amazon", "shopify"], ("store", "add", "--name", "N", "--platform", "amazon", "--currency", "EUR")),
    (4, ["platform", "required"], ("store", "add", "--name", "N", "--currency", "EUR")),
    (4, ["currency", "required"], ("store", "add", "--name", "N", "--platform", "custom")),
    (4, ["currency", "XYZ", "ISO 4217"], STORE[:7] + ("XYZ",)),
    (4, ["currency", "bytes"], STORE[:7] + ("EURO",)),
    (4, ["currency", "bytes"], STORE[:7] + ("E",)),
    (4, ["currency", "ISO 4217"], STORE[:7] + ("€",)),
    (4, ["timezone", "Mars/Olympus"], STORE + ("--timezone", "Mars/Olympus")),
    (4, ["timezone", "Europe"], STORE + ("--timezone", "Europe")),
    (4, ["timezone", "leapseconds"], STORE + ("--timezone", "leapseconds")),
    (4, ["timezone", "../../etc/passwd"], STORE + ("--timezone", "../../etc/passwd")),
    (4, ["timezone", "+02:00"], STORE + ("--timezone", "+02:00")),
    (4, ["timezone", "CEST"], STORE + ("--timezone", "CEST")),
    (4, ["timezone", "bytes"], STORE + ("--timezone", "E" * 61)),
    (4, ["domain", "nodots"], STORE + ("--domain", "nodots")),
    (4, ["domain", "https://shop.example.com"], STORE + ("--domain", "https://shop.example.com")),
    (4, ["domain", "shop.example.com/path"], STORE + ("--domain", "shop.example.com/path")),
    (4, ["domain", "shop..example.com"], STORE + ("--domain", "shop..example.com")),
    (4, ["domain", "-shop.example.com"], STORE + ("--domain", "-shop.example.com")),
    (4, ["domain", "shop_a.example.com"], STORE + ("--domain", "shop_a.example.com")),
    (4, ["domain", "shop.example.com:8080"], STORE + ("--domain", "shop.example.com:8080")),
    (4, ["domain", "shöp.example.com"], STORE + ("--domain", "shöp.example.com")),
    (4, ["domain", "a b.example.com"], STORE + ("--domain", "a b.example.com")),
    (4, ["domain", "bytes"], STORE + ("--domain", "a" * 254)),
    (4, ["domain", "myshopify.com"], ("store", "add", "--name", "N", "--platform", "shopify", "--currency", "EUR",
                                      "--domain", "shop.example.com")),
    (4, ["domain", "required"], ("store", "add", "--name", "N", "--platform", "shopify", "--currency", "EUR")),
    (4, ["consent", "maybe", "optional|required"], STORE + ("--consent", "maybe")),
    (4, ["purchase_on", "shipped", "created|paid"], STORE + ("--purchase-on", "shipped")),
    (4, ["basis", "gross"], STORE + ("--basis", "gross")),
    (4, ["send_pos", "perhaps", "true nor false"], STORE + ("--send-pos=perhaps",)),
    (2, ["--colour"], STORE + ("--colour", "red")),
    (2, ["--domain", "value"], STORE + ("--domain",)),
    (2, ["extra"], STORE + ("extra",)),
    (2, ["state"], STORE + ("--state", "active")),
    (3, ["Nix"], ("store", "set", "Nix", "--currency", "USD")),
    (3, ["99"], ("store", "delete", "99")),
    (4, ["currency", "USDT"], ("store", "set", "Shop", "--currency", "USDT")),
    (4, ["platform", "cannot be changed"], ("store", "set", "Shop", "--platform", "meta")),
    (4, ["name", "required"], ("store", "set", "Shop", "--name", "")),
    (4, ["changed meanwhile"], ("store", "set", "Shop", "--currency", "USD", "--version", "7")),
    (2, ["--version", "abc", "whole number"], ("store", "set", "Shop", "--currency", "USD", "--version", "abc")),
    (2, ["which store"], ("store", "set")),
]

PIXELS = [
    (4, ["store", "required"], ("pixel", "add", "--platform", "meta", "--account", "1", "--token", "t")),
    (3, ["Nix"], ("pixel", "add", "--store", "Nix", "--platform", "meta", "--account", "1", "--token", "t")),
    (4, ["platform", "bing"], PIXEL + ("--platform", "bing", "--account", "1")),
    (4, ["account", "required"], PIXEL + ("--platform", "meta")),
    (4, ["token", "required"], ("pixel", "add", "--store", "Shop", "--platform", "meta", "--account", "1")),
    (4, ["account", "12345678901234567890", "1 to 18 digits"],
     PIXEL + ("--platform", "pinterest", "--account", "12345678901234567890")),
    (4, ["account", "act_123", "digits"], PIXEL + ("--platform", "pinterest", "--account", "act_123")),
    (4, ["account", "12a", "digits"], PIXEL + ("--platform", "meta", "--account", "12a")),
    (4, ["account", "-5"], PIXEL + ("--platform", "meta", "--account=-5")),
    (4, ["account", "1.5"], PIXEL + ("--platform", "meta", "--account", "1.5")),
    (4, ["account", "C4 ABC"], PIXEL + ("--platform", "tiktok", "--account", "C4 ABC")),
    (4, ["account", "C4.ABC"], PIXEL + ("--platform", "tiktok", "--account", "C4.ABC")),
    (4, ["account", "a/../b"], PIXEL + ("--platform", "sheets", "--account", "a/../b")),
    (4, ["account", "bytes"], PIXEL + ("--platform", "sheets", "--account", "a" * 101)),
    (4, ["account", "UTF-8"], PIXEL + ("--platform", "meta", "--account", b"1\xff")),
    (4, ["name", "px", "another pixel"], PIXEL + ("--platform", "meta", "--account", "1", "--name", "px")),
    (4, ["name", "slash"], PIXEL + ("--platform", "meta", "--account", "1", "--name", "a/b")),
    (4, ["content_id", "ean"], PIXEL + ("--platform", "meta", "--account", "1", "--content-id", "ean")),
    (4, ["test_code", "T 1"], PIXEL + ("--platform", "meta", "--account", "1", "--test-code", "T 1")),
    (5, ["--token", "/no/such/file"], ("pixel", "add", "--store", "Shop", "--platform", "meta", "--account", "1",
                                       "--token", "@/no/such/file")),
    (4, ["account", "x1"], ("pixel", "set", "Shop/px", "--account", "x1")),
    (4, ["platform", "cannot be changed"], ("pixel", "set", "Shop/px", "--platform", "meta")),
    (4, ["store", "cannot be changed"], ("pixel", "set", "Shop/px", "--store", "Shop2")),
    (4, ["name", "a pixel needs one"], ("pixel", "set", "Shop/px", "--name", "")),
    (3, ["Shop/nix"], ("pixel", "set", "Shop/nix", "--account", "1")),
    (2, ["which pixel"], ("pixel", "delete")),
]

RULES = [
    (4, ["expr", "--expr or --logic"], RULE),
    (4, ["logic", "not both"], RULE + ("--expr", "value > 5", "--logic", "{\">\":[{\"var\":\"value\"},5]}")),
    (4, ["action", "required"], ("rule", "add", "--expr", "value > 5")),
    (4, ["action", "explode"], ("rule", "add", "--expr", "value > 5", "--action", "explode")),
    (4, ["priority", "-1", "between"], RULE + ("--expr", "value > 5", "--priority=-1")),
    (4, ["priority", "1000001", "between"], RULE + ("--expr", "value > 5", "--priority", "1000001")),
    (4, ["priority", "high", "whole number"], RULE + ("--expr", "value > 5", "--priority", "high")),
    (4, ["priority", "1.5", "whole number"], RULE + ("--expr", "value > 5", "--priority", "1.5")),
    (4, ["priority", "1e3", "whole number"], RULE + ("--expr", "value > 5", "--priority", "1e3")),
    (4, ["priority", "0x10", "whole number"], RULE + ("--expr", "value > 5", "--priority", "0x10")),
    (4, ["priority", "9" * 25, "too large"], RULE + ("--expr", "value > 5", "--priority", "9" * 25)),
    (4, ["name", "big"], RULE + ("--expr", "value > 5", "--name", "big")),
    (4, ["name", "digits"], RULE + ("--expr", "value > 5", "--name", "7")),
    (3, ["Nix"], RULE + ("--expr", "value > 5", "--store", "Nix")),
    (3, ["Shop/nix"], RULE + ("--expr", "value > 5", "--pixel", "Shop/nix")),
    (4, ["pixel", "Shop/px", "belongs to"], RULE + ("--expr", "value > 5", "--store", "Shop2", "--pixel", "Shop/px")),
    (4, ["platform", "bing"], RULE + ("--expr", "value > 5", "--platform", "bing")),
    (4, ["enabled", "si"], RULE + ("--expr", "value > 5", "--enabled=si")),
    (4, ["note", "bytes"], RULE + ("--expr", "value > 5", "--note", "x" * 2001)),
    (4, ["expr", "expected a value", "character 8"], RULE + ("--expr", "value >")),
    (4, ["expr", "valu", "did you mean value"], RULE + ("--expr", "valu > 5")),
    (4, ["expr", "amount of money"], RULE + ("--expr", "value > lots")),
    (4, ["expr", "no commas"], RULE + ("--expr", "value > 1,000")),
    (4, ["expr", "EUR has decimals"], RULE + ("--expr", "value > 1.005 EUR")),
    (4, ["expr", "XYZ", "ISO 4217"], RULE + ("--expr", "value > 5 XYZ")),
    (4, ["expr", "moment"], RULE + ("--expr", "received > 2026-02-30")),
    (4, ["expr", "duration"], RULE + ("--expr", "latency > 3y")),
    (4, ["expr", "pattern", "without its )"], RULE + ("--expr", "url matches \"(\"")),
    (4, ["expr", "pattern", "too large"], RULE + ("--expr", "url matches \"(a{200}){200}\"")),
    (4, ["expr", "pattern", "allowed"], RULE + ("--expr", "url matches \"" + "a" * 600 + "\"")),
    (4, ["expr", "UTF-8"], RULE + ("--expr", b"name == \"\xff\"")),
    (4, ["expr", "control"], RULE + ("--expr", "name == \x01")),
    (4, ["expr", "bytes"], RULE + ("--expr", "value > 5 and " * 5000 + "test")),
    (4, ["expr", "deeper than 64"], RULE + ("--expr", "(" * 70 + "test" + ")" * 70)),
    (4, ["expr", "value alone"], RULE + ("--expr", "\"pinterest\"")),
    (4, ["expr", "did you mean purchase"], RULE + ("--expr", "name == Purchase")),
    (4, ["logic", "not JSON"], RULE + ("--logic", "{")),
    (4, ["logic", "not JSON"], RULE + ("--logic", "{'>':[1,2]}")),
    (4, ["logic", "nosuch"], RULE + ("--logic", "{\"nosuch\":[1]}")),
    (4, ["logic", "valeu"], RULE + ("--logic", "{\">\":[{\"var\":\"valeu\"},1]}")),
    (4, ["logic", "takes 2 arguments"], RULE + ("--logic", "{\">\":[1]}")),
    (4, ["logic", "one key"], RULE + ("--logic", "{\">\":[1,2],\"<\":[1,2]}")),
    (4, ["logic", "duplicate"], RULE + ("--logic", "{\">\":[1,2],\">\":[1,2]}")),
    (4, ["logic", "value alone"], RULE + ("--logic", "[1,2]")),
    (4, ["logic", "deeper than 64"], RULE + ("--logic", "{\"!\":" * 70 + "1" + "}" * 70)),
    (4, ["expr", "expected a value"], ("rule", "set", "big", "--expr", "value >")),
    (4, ["priority", "-5"], ("rule", "set", "big", "--priority=-5")),
    (4, ["changed meanwhile"], ("rule", "set", "big", "--expr", "value > 9", "--version", "5")),
    (3, ["nix"], ("rule", "set", "nix", "--expr", "value > 9")),
    (3, ["version 9"], ("rule", "rollback", "big", "--to", "9")),
    (2, ["--to", "x", "whole number"], ("rule", "rollback", "big", "--to", "x")),
    (2, ["--hours"], ("rule", "backtest", "--hours", "0", "--expr", "test", "--action", "drop")),
    (2, ["--hours"], ("rule", "backtest", "--hours=-3", "--expr", "test", "--action", "drop")),
    (2, ["--hours", "soon"], ("rule", "backtest", "--hours", "soon", "--expr", "test", "--action", "drop")),
    (5, ["/no/such/file"], ("rule", "backtest", "--hours", "1", "--file", "/no/such/file")),
    (4, ["value >"], ("rule", "backtest", "--hours", "1", "--expr", "value >", "--action", "drop")),
]

OTHERS = [
    (4, ["scope", "root"], ("key", "add", "--store", "Shop", "--scope", "root")),
    (4, ["store", "required"], ("key", "add", "--scope", "read")),
    (3, ["Nix"], ("key", "add", "--store", "Nix", "--scope", "read")),
    (3, ["77"], ("key", "revoke", "77")),
    (4, ["value >"], ("event", "list", "--where", "value >")),
    (4, ["valu", "did you mean"], ("event", "list", "--where", "valu > 5")),
    (2, ["--limit", "few"], ("event", "list", "--limit", "few")),
    (2, ["--limit", "0"], ("event", "list", "--limit", "0")),
    (2, ["--since", "someday"], ("event", "list", "--since", "someday")),
    (4, ["zz"], ("event", "show", "zz")),
    (3, ["12"], ("event", "show", "12")),
    (4, ["expected a value"], ("rule", "eval", "--expr", "value >", "--data", "{}")),
    (4, ["--data is not JSON"], ("rule", "eval", "--expr", "value > 5", "--data", "{")),
    (4, ["--logic is not JSON"], ("rule", "eval", "--logic", "{", "--data", "{}")),
    (4, ["nosuch"], ("rule", "eval", "--logic", "{\"nosuch\":1}", "--data", "{}")),
    (2, ["--expr or --logic"], ("rule", "eval", "--data", "{}")),
    (5, ["/no/such/file"], ("rule", "eval", "--expr", "test", "--data", "@/no/such/file")),
    (2, ["explode"], ("rule", "explode")),
    (2, ["exploded"], ("exploded",)),
]

SETTINGS = [
    ("TRACKAI_PINTEREST_URL", "not a url"),
    ("TRACKAI_META_URL", "ftp://graph.example.com/v1"),
    ("TRACKAI_TIKTOK_URL", "http://example.com/v1"),
    ("TRACKAI_LISTEN", "127.0.0.1:99999"),
    ("TRACKAI_LISTEN", "nowhere"),
    ("TRACKAI_CLOCK", "someday"),
    ("TRACKAI_DISK_RESERVE", "lots"),
]

EVERYTHING = ("SELECT (SELECT count(*) FROM audit), (SELECT count(*) FROM store), (SELECT count(*) FROM pixel), "
              "(SELECT count(*) FROM rule), (SELECT count(*) FROM pixel_version), (SELECT count(*) FROM api_key), "
              "(SELECT count(*) FROM revision), (SELECT md5(string_agg(s::text, '' ORDER BY id)) FROM store s), "
              "(SELECT md5(string_agg(p::text, '' ORDER BY id)) FROM pixel p), "
              "(SELECT md5(string_agg(r::text, '' ORDER BY id, version)) FROM rule r)")


class BadInput(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster()
        cls.p = Program(cls.cluster)
        cls.p.run("migrate")
        for name in ("Shop", "Shop2"):
            cls.p.run("store", "add", "--name", name, "--platform", "custom", "--currency", "EUR")
        cls.p.run("pixel", "add", "--store", "Shop", "--platform", "pinterest", "--account", "123", "--token", "t",
                  "--name", "px")
        cls.p.run("rule", "add", "--expr", "value >= 50", "--action", "drop", "--name", "big")

    @classmethod
    def tearDownClass(cls):
        cls.cluster.destroy()

    def refused(self, status, words, args):
        p = subprocess.run([TRACKAI, *args], env=self.p.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, timeout=60)
        said = p.stderr.decode("utf-8", "replace")
        self.assertEqual(p.returncode, status, said)
        self.assertEqual(p.stdout, b"", said)
        for word in words:
            self.assertIn(word, said)
        lines = [s for s in said.splitlines() if s.startswith("trackai") and "command line, where" not in s]
        self.assertEqual(len(lines), 1, said)  # one sentence

    def sweep(self, table):
        before = self.cluster.sql(EVERYTHING)
        wrong = []
        for status, words, args in table:
            shown = " ".join(str(a)[:60] for a in args)
            with self.subTest(shown):
                self.refused(status, words, args)
            if len(wrong) < 5 and self.cluster.sql(EVERYTHING) != before:
                wrong.append(shown)
                before = self.cluster.sql(EVERYTHING)
        self.assertEqual(wrong, [], "these were half saved")

    def test_stores(self):
        self.sweep(STORES)

    def test_pixels(self):
        self.sweep(PIXELS)

    def test_rules(self):
        self.sweep(RULES)

    def test_others(self):
        self.sweep(OTHERS)

    def test_a_secret_with_a_nul(self):
        path = os.path.join(self.p.home, "token")
        for content, words in ((b"abc\0def", "NUL"), (b"", "required"), (b"x" * 9000, "at most"), (b"a\nb\xff", "control")):
            with open(path, "wb") as f:
                f.write(content)
            before = self.cluster.sql(EVERYTHING)
            self.refused(4, ["token", words], ("pixel", "add", "--store", "Shop", "--platform", "meta", "--account", "1",
                                               "--token", "@" + path))
            self.assertEqual(self.cluster.sql(EVERYTHING), before)

    def test_settings(self):
        for name, value in SETTINGS:
            with self.subTest(f"{name}={value}"):
                p = subprocess.run([TRACKAI, "serve"], env={**self.p.env, name: value}, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
                self.assertEqual(p.returncode, 2, p.stderr)
                self.assertIn(value, p.stderr)


if __name__ == "__main__":
    unittest.main()
