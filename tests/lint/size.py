#!/usr/bin/python3
"""Sizes: functions of at most 100 lines, modified McCabe 20, 5 parameters (the `err` at the end not
counted: it is a way out, not an argument; nor callbacks of a form that libmicrohttpd dictates),
nesting 4; .c of at most 800 lines, .h 250; lines of 100 columns. Nobody is excepted: tables are data
in a .def or in a file of nothing else (its first line says "generated" or "table of"). Prints the
median and the longest function."""
import re
import shutil
import statistics
import subprocess
import sys

from tree import ROOT, SOURCES, Report, files, read

LINES, MCCABE, PARAMETERS, NESTING = 100, 20, 5, 4
FILE = {".c": 800, ".h": 250}
COLUMNS = 100


def is_table(text):
    return bool(re.search(r"generated|table of", text.split("\n", 1)[0], re.I))


def check_functions(report, names):
    if not shutil.which("pmccabe"):
        sys.exit("pmccabe is missing: apt-get install pmccabe")
    out = subprocess.run(["pmccabe"] + names, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    lengths = []
    for row in out.splitlines():
        modified, _, _, line, lines, where, function = re.split(r"\s+", row.strip(), maxsplit=6)
        name = where.split("(")[0]
        lengths.append(int(lines))
        if int(lines) > LINES:
            report.add(name, line, f"{function} has {lines} lines, {LINES} are the limit")
        if int(modified) > MCCABE:
            report.add(name, line, f"{function} has McCabe {modified}, {MCCABE} is the limit")
    print(f"{len(lengths)} functions, median {statistics.median(lengths):.0f} lines, "
          f"longest {max(lengths)}", file=sys.stderr)


def parameters(header):
    """Number of parameters of a definition, text from its start to the brace."""
    depth, start, count = 0, header.rfind(")"), 0
    for i in range(start, -1, -1):
        depth += {")": 1, "(": -1}.get(header[i], 0)
        count += header[i] == "," and depth == 1
        if depth == 0:
            inside = header[i + 1:start].strip()
            if inside in ("", "void") or "struct MHD_Connection *" in inside:
                return 0
            return count + 1 - inside.endswith("struct ta_err *err")
    return 0


def check_definitions(report, name, text):
    for m in re.finditer(r"^(?![#/{}\s])[^;{}=]*?\)\s*\n\{", text, re.M):
        n = parameters(m.group())
        if n > PARAMETERS:
            line = text.count("\n", 0, m.start()) + 1
            report.add(name, line, f"{n} parameters, {PARAMETERS} are the limit: pass a struct")


def check_nesting(report, name, text):
    in_macro = False
    for i, line in enumerate(text.split("\n"), 1):
        m = re.match(r"(\t+)(if|for|while|switch|do)\b", line)
        if m and len(m.group(1)) > NESTING and not in_macro:
            report.add(name, i, f"nested {len(m.group(1))} deep, {NESTING} is the limit")
        in_macro = line.endswith("\\")


def check_file(report, name, text):
    lines = text.split("\n")
    # A header of the tests holds what they share, code and not an interface.
    limit = FILE[".c" if name.startswith("tests/") else name[-2:]]
    if len(lines) - 1 > limit and not is_table(text):
        report.add(name, 1, f"has {len(lines) - 1} lines, {limit} are the limit")
    for i, line in enumerate(lines, 1):
        if len(line.expandtabs(8)) > COLUMNS and not re.search(r'^\s*([?:] )?\{?"', line):
            report.add(name, i, f"{len(line.expandtabs(8))} columns, {COLUMNS} are the limit")


def main():
    report = Report()
    names = files(".c", ".h")
    check_functions(report, [n for n in names if n.endswith(".c") and n.split("/")[0] in SOURCES])
    for name in names:
        text = read(name)
        check_file(report, name, text)
        if name.endswith(".c"):
            check_definitions(report, name, text)
            check_nesting(report, name, text)
    report.done()


main()
