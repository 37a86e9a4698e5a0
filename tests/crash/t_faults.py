"""The fault campaign in small: everything that can go wrong goes wrong, by a seed that is printed, and nothing is
lost, nothing goes out under a second id, and the books balance. TA_FAULT_SEED and TA_FAULT_EVENTS run another."""
import os
import unittest

from faults import Campaign

SEED = int(os.environ.get("TA_FAULT_SEED", "20261123"))
EVENTS = int(os.environ.get("TA_FAULT_EVENTS", "10000"))


class Faults(unittest.TestCase):
    def test_everything_that_can_succeed_does(self):
        again = f"run it again with TA_FAULT_SEED={SEED} TA_FAULT_EVENTS={EVENTS} tests/crash/t_faults.py"
        with Campaign(EVENTS, SEED) as c:
            try:
                c.run()
            except AssertionError as e:
                self.fail(f"{e}; {again}")
            rows = c.judge()
            print()
            c.report(rows)
            missed = [f"{what}: {value}" for what, value, right in rows if not right]
        self.assertEqual(missed, [], again)


if __name__ == "__main__":
    unittest.main()
