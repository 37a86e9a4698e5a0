"""What every check shares: the files of the repository and how a problem is told."""
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SOURCES = ("src", "db", "net", "ui")


def files(*suffixes, under=SOURCES + ("tests",)):
    """Paths from the root, tracked or new but not ignored, sorted."""
    out = subprocess.run(["git", "-C", ROOT, "ls-files", "-co", "--exclude-standard", "-z"],
                         capture_output=True, check=True).stdout.decode()
    names = sorted(n for n in set(out.split("\0")) if n and os.path.isfile(os.path.join(ROOT, n)))
    return [n for n in names
            if (not suffixes or n.endswith(suffixes)) and (not under or n.split("/")[0] in under)]


def read(name):
    with open(os.path.join(ROOT, name), encoding="utf-8", errors="surrogateescape") as f:
        return f.read()


class Report:
    """Collects problems; done() prints them and ends with the status."""

    def __init__(self):
        self.problems = []

    def add(self, name, line, text):
        self.problems.append(f"{name}:{line}: {text}")

    def done(self):
        for p in self.problems:
            print(p)
        sys.exit(1 if self.problems else 0)
