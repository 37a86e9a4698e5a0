#!/usr/bin/python3
"""Words that have no place: unbounded string functions, clocks outside src/clock.c, now() in SQL,
work left for later, paths of one machine; subjects of commits as CONTRIBUTING.md wants them."""
import re
import subprocess

from tree import ROOT, Report, files, read

UNBOUNDED = re.compile(r"(?<![\w.>])(strcpy|strcat|sprintf|vsprintf|strtok|gets|atoi|atol|atoll|atof|alloca)\(")
CLOCKS = re.compile(r"(?<![\w.>])(time|gettimeofday|clock_gettime|localtime|gmtime|mktime)\(")
SQL_NOW = re.compile(r"\b(now\(\)|current_timestamp|clock_timestamp\(|statement_timestamp\()", re.I)
LATER = re.compile(r"\b(TODO|FIXME|HACK)\b")
# The paths are spelled so that this file does not match itself.
MACHINE = re.compile(r"(?<![\w.$}])(/(?:work|root|home/\w+)/)")
SUBJECT = re.compile(r"^[a-z][\w. ,+/-]*: \S")
CODE = ("src", "db", "net", "ui")


def code_only(text):
    """Comments blanked, lines kept."""
    def blank(m):
        return re.sub(r"[^\n]", " ", m.group())
    return re.sub(r"/\*.*?\*/|//[^\n]*(?=\n)", blank, text, flags=re.S)


def find(report, name, text, pattern, words):
    for m in pattern.finditer(text):
        report.add(name, text.count("\n", 0, m.start()) + 1, words.format(m.group(1)))


def check_code(report):
    for name in files(".c", ".h", ".sql", ".py", under=CODE + ("tests",)):
        text = read(name)
        code = code_only(text) if name.endswith((".c", ".h")) else text
        ours = name.split("/")[0] in CODE
        if name.endswith((".c", ".h")):
            find(report, name, code, UNBOUNDED, "{} is unbounded or hides errors")
        if ours and name.endswith(".c") and name != "src/clock.c":
            find(report, name, code, CLOCKS, "{}() belongs to src/clock.c alone")
        if ours:
            find(report, name, code, SQL_NOW, "{}: times come from src/clock.c")


def check_texts(report):
    for name in files(under=()):
        if name.startswith(("tests/fuzz/corpus/", "tests/lint/words.py")):
            continue
        text = read(name)
        find(report, name, text, LATER, "{}: do it or leave it")
        if not name.startswith("tests/golden/"):
            find(report, name, text, MACHINE, "a path of one machine: {}")


def check_commits(report):
    """What is not on main yet: later nobody can change it any more."""
    log = subprocess.run(["git", "-C", ROOT, "log", "--no-merges", "--format=%h%x09%s", "main..HEAD"],
                         capture_output=True, text=True)
    for row in log.stdout.splitlines():
        commit, subject = row.split("\t", 1)
        if len(subject) > 72 or not SUBJECT.match(subject):
            report.add(commit, 0, f'subject is not "area: what" in 72 columns: {subject}')


def main():
    report = Report()
    check_code(report)
    check_texts(report)
    check_commits(report)
    report.done()


main()
