#!/usr/bin/python3
"""clang-format has nothing to change."""
import re
import subprocess

from tree import ROOT, Report, files


def main():
    report = Report()
    names = files(".c", ".h")
    done = subprocess.run(["clang-format", "--dry-run", "--ferror-limit=1"] + names, cwd=ROOT,
                          capture_output=True, text=True, check=True)
    for name, line in re.findall(r"^(\S+?):(\d+):\d+: warning", done.stderr, re.M):
        report.add(name, line, "clang-format -i would change it")
    report.done()


main()
