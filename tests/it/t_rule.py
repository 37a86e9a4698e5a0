"""trackai rule: JsonLogic on given data, versions of rules, what a draft would change."""
import json
import os
import unittest

from lib import Cluster, Program

GOLDEN = os.path.join(os.path.dirname(__file__), "../golden/jsonlogic")


class Eval(unittest.TestCase):
    """Needs no database."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster()
        cls.p = Program(cls.cluster)
        cls.p.env.pop("TRACKAI_DATABASE")

    @classmethod
    def tearDownClass(cls):
        cls.p.destroy()
        cls.cluster.destroy()

    def eval(self, *args, **more):
        return self.p.run("rule", "eval", *args, **more)

    def lines(self, text):
        return [json.loads(line) for line in self.eval("--lines", stdin=text).stdout.splitlines()]

    def test_result_is_json(self):
        for logic, data, text in (
                ('{"+":[0.1,0.2]}', "{}", "0.30000000000000004"),
                ('{"var":"a"}', '{"a":{"b":[1e21,-0.5,null]}}', '{"b":[1e+21,-0.5,null]}'),
                ('{"cat":["é",1]}', "null", '"é1"'),
                ('{"or":[0,"x"]}', "{}", '"x"')):
            self.assertEqual(self.eval("--logic", logic, "--data", data).stdout, text + "\n")
        self.assertEqual(self.eval("--expr", "value >= 50 and not test", "--data",
                                   '{"value":72.39}').stdout, "true\n")

    def test_official_suite(self):
        with open(GOLDEN + "/suite.json") as f:
            cases = [c for c in json.load(f) if isinstance(c, list)]
        out = self.lines("".join(json.dumps(c[:2]) + "\n" for c in cases))
        self.assertEqual(len(cases), 278)
        self.assertEqual(out, [c[2] for c in cases])

    def test_bad_lines_do_not_stop_the_rest(self):
        out = self.lines('{"a":\n[]\n[{"nosuch":1},{}]\n[{"*":[]}]\n[{"var":"a"},{"a":5}]\n'
                         '[' + '[' * 3000 + ']' * 3000 + ',1]\n[1,2]')
        self.assertEqual([o["error"][:22] for o in out[:4]],
                         ["the line is not JSON: ", "expected [logic, data]", "there is no operator \"",
                          "* needs at least one a"])
        self.assertEqual((out[4], "error" in out[5], out[6]), (5, True, 1))

    def test_bounds(self):
        deep = '{"!":[' * 65 + "1" + "]}" * 65
        p = self.eval("--logic", deep, ok=False)
        self.assertEqual(p.returncode, 4)
        self.assertIn("deeper than 64", p.stderr)
        many = {"map": [list(range(2000)), {"map": [list(range(2000)), 1]}]}
        self.assertIn("steps", self.lines(json.dumps([many, None]))[0]["error"])

    def test_trace_and_forms(self):
        out = json.loads(self.eval("--logic", '{">":[{"+":[{"var":"value"},1]},{"var":"n"}]}', "--data",
                                   '{"value":1.2,"n":0}', "--json").stdout)
        self.assertEqual(out["result"], True)
        self.assertEqual(out["trace"][0]["seen"], {"value": 1.2, "n": 0})
        self.assertIn("saw", self.eval("--expr", "a == 1", "--data", '{"a":1}', "--trace").stdout)


if __name__ == "__main__":
    unittest.main()
