"""migrate: an empty database becomes ours, a second run changes nothing, a newer one is refused."""
import unittest

from lib import OnCluster


class Migrate(OnCluster):
    def test_1_applies_once(self):
        self.assertIn("would apply 0001_base.sql", self.p.run("migrate", "--dry-run").stdout)
        self.assertEqual(self.cluster.sql("SELECT to_regclass('event') IS NULL"), [["t"]])
        self.assertIn("applied 0001_base.sql", self.p.run("migrate").stdout)
        self.assertIn("up to date", self.p.run("migrate").stdout)
        days = self.cluster.sql("SELECT count(*) FROM pg_inherits WHERE inhparent = 'event'::regclass")
        self.assertEqual(days, [["4"]])

    def test_2_refuses_a_newer_database(self):
        self.cluster.sql("INSERT INTO schema_migration VALUES (9999, 'x', 'y', 0)")
        p = self.p.run("migrate", ok=False)
        self.assertEqual(p.returncode, 2)
        self.assertIn("newer trackai", p.stderr)
        self.cluster.sql("DELETE FROM schema_migration WHERE version = 9999")

    def test_3_refuses_changed_contents(self):
        self.cluster.sql("UPDATE schema_migration SET checksum = 'x' WHERE version = 1")
        p = self.p.run("migrate", ok=False)
        self.assertEqual(p.returncode, 2)
        self.assertIn("0001_base.sql", p.stderr)

    def test_4_no_database(self):
        self.p.env["TRACKAI_DATABASE"] = "host=/nonexistent dbname=x"
        p = self.p.run("migrate", ok=False)
        self.assertEqual(p.returncode, 5)
        self.assertIn("cannot reach the database", p.stderr)


if __name__ == "__main__":
    unittest.main()
