"""./run from a foreign directory: its help, a word it does not know, and what it says about a build
tree that is not the caller's. Nothing is installed or built here."""
import os
import shutil
import subprocess
import tempfile
import unittest

from lib import ROOT, USER, as_user, ensure_user


def run(path, *args, user=False):
    argv = [path, *args]
    return subprocess.run(as_user(argv) if user else argv, cwd="/", stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)


class Run(unittest.TestCase):
    def test_help_and_nonsense(self):
        p = run(os.path.join(ROOT, "run"), "--help")
        self.assertEqual((p.returncode, p.stderr), (0, ""))
        self.assertIn("./run [COMMAND]", p.stdout)
        q = run(os.path.join(ROOT, "run"), "nonsense")
        self.assertEqual((q.returncode, q.stdout), (2, ""))
        self.assertEqual(q.stderr, 'run: there is no command "nonsense"\n' + p.stdout)

    @unittest.skipIf(os.geteuid() != 0, "needs two users")
    def test_a_build_of_another_user(self):
        ensure_user()
        home = tempfile.mkdtemp(prefix="ta run ")  # a path with spaces, too
        self.addCleanup(shutil.rmtree, home)
        os.chmod(home, 0o755)
        shutil.copy(os.path.join(ROOT, "run"), home)
        os.mkdir(os.path.join(home, "build"))
        p = run(os.path.join(home, "run"), "build", user=True)
        self.assertEqual(p.returncode, 5, p)
        self.assertIn(f"{home}/build belongs to root; build as that user, or remove build", p.stderr)
        shutil.rmtree(os.path.join(home, "build"))
        p = run(os.path.join(home, "run"), "build", user=True)
        self.assertEqual(p.returncode, 5, p)
        self.assertIn(f"{USER} may not write to {home}", p.stderr)


if __name__ == "__main__":
    unittest.main()
