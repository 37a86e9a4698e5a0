"""A locale with a decimal comma changes nothing that is read or written as data."""
import json
import os
import subprocess
import tempfile
import unittest

from lib import TRACKAI

COMMA = """comment_char %
escape_char /
LC_NUMERIC
decimal_point ","
thousands_sep ""
grouping -1
END LC_NUMERIC
"""


class Locale(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory(prefix="ta-locale-")
        self.addCleanup(self.dir.cleanup)
        source = os.path.join(self.dir.name, "source")
        with open(source, "w", encoding="ascii") as f:
            f.write(COMMA)
        # Only numbers are defined; -c makes the locale although the rest is missing.
        subprocess.run(["localedef", "-c", "-i", source, os.path.join(self.dir.name, "comma")],
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        # glibc itself never frees what it made of LOCPATH: no leaks are looked for under ASan here.
        self.env = {"ASAN_OPTIONS": "detect_leaks=0", "PATH": os.environ["PATH"],
                    "HOME": "/nonexistent", "LOCPATH": self.dir.name, "LC_NUMERIC": "comma"}

    def run_with(self, *argv):
        return subprocess.run(argv, env=self.env, capture_output=True, text=True, timeout=60)

    def test_the_locale_has_a_comma(self):
        p = self.run_with("locale", "decimal_point")
        self.assertEqual(p.stdout, ",\n", p.stderr)

    def test_numbers_of_rules_have_a_point(self):
        for number, want in ((2.5, True), (1.25, False)):
            p = self.run_with(TRACKAI, "rule", "eval", "--expr", "custom.x > 1.5",
                              "--json", "--data", '{"custom": {"x": %s}}' % number)
            self.assertEqual(p.returncode, 0, p.stderr)
            got = json.loads(p.stdout)
            self.assertIs(got["result"], want)
            self.assertEqual(got["expr"], "custom.x > 1.5")


if __name__ == "__main__":
    unittest.main()
