#!/usr/bin/python3
"""Includes go one way, src <- db <- {net, ui}; net and ui never meet; each foreign library has one
home; includes are written from the root; a file's own header comes first."""
import os
import re

from tree import ROOT, SOURCES, Report, files, read

MAY = {"src": {"src"}, "db": {"src", "db"}, "net": {"src", "db", "net"}, "ui": {"src", "db", "ui"}}
# (header, where it may be included)
HOMES = (
    (r"openssl/", r"src/crypto\.c"),
    (r"lz4", r"src/.*"),
    (r"libpq-fe\.h|postgresql/|libpq/", r"db/.*"),
    (r"microhttpd\.h|curl/", r"net/.*"),
    (r"ncurses|curses\.h|term\.h", r"ui/.*"),
    (r"cmocka\.h|vterm", r"tests/.*"),
)
INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]', re.M)


def layer(name):
    """The folder whose rules a file follows; None: it may see everything of ours."""
    parts = name.split("/")
    if parts[0] == "tests":
        return parts[2] if parts[1] == "unit" else None
    if parts[0] == "src" and re.match(r"(main|cmd_\w+)\.[ch]$", parts[1]):
        return None
    return parts[0]


def check(report, name, text):
    own = layer(name)
    first = None
    for m in INCLUDE.finditer(text):
        line = text.count("\n", 0, m.start(2)) + 1
        quoted, target = m.group(1) == '"', m.group(2)
        first = first or target
        if not quoted:
            for header, home in HOMES:
                if re.match(header, target) and not re.fullmatch(home, name) \
                        and not name.startswith("tests/"):
                    report.add(name, line, f"<{target}> has its home in {home}")
            continue
        top = target.split("/")[0]
        if top == "tests" and not name.startswith("tests/"):
            report.add(name, line, "the program does not include its tests")
        beside = os.path.join(os.path.dirname(name), target)
        if top not in SOURCES + ("tests",) or "/" not in target:
            if not (name.startswith("tests/") and os.path.isfile(os.path.join(ROOT, beside))):
                report.add(name, line, f'"{target}" is not written from the root')
        elif not os.path.isfile(os.path.join(ROOT, target)):
            report.add(name, line, f'"{target}" does not exist')
        elif own and top not in MAY[own] and top != "tests":
            report.add(name, line, f"{own}/ must not include {top}/")
    header = name[:-1] + "h"
    if name.endswith(".c") and os.path.isfile(os.path.join(ROOT, header)) and first != header:
        report.add(name, 1, f'its own header "{header}" comes first')


def main():
    report = Report()
    for name in files(".c", ".h", ".def"):
        check(report, name, read(name))
    report.done()


main()
