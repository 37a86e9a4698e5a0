"""Trap 17: one dead, slow or throttled destination slows no other one. The bench (bench_isolation) measures the
ratio; here the bound is wide, and a dispatcher that waits for the sick one still breaks it."""
import unittest

from isolation import SICK, measure
from lib import SLOW


class Isolation(unittest.TestCase):
    def test_one_sick_destination(self):
        alone = measure(None, 60, 1)
        for ill in SICK:
            beside = [measure(ill, 60, 1)]
            if beside[0][0] > 2 * alone[0] + 300 * SLOW:  # the machine may have stood still: once more
                beside.append(measure(ill, 60, 1))
            whole, send = min(beside)
            self.assertLess(whole, 2 * alone[0] + 300 * SLOW, (ill, alone, beside))
            self.assertLess(send, 2 * alone[1] + 300 * SLOW, (ill, alone, beside))


if __name__ == "__main__":
    unittest.main()
