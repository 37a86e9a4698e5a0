#!/usr/bin/python3
"""The lists are complete: every file of a kind is a row in its .def and every row has its file."""
import os
import re

from tree import ROOT, Report, files, read

# (list, macro, number of the argument that names the file, files, what the file must define)
FILES = (
    ("net/dests.def", "DEST", 1, "net/dest_{}.c", r"^const struct dest dest_{}\b"),
    ("net/pulls.def", "PULL", 0, "net/pull_{}.c", r"\bpull_{}\b"),
    ("db/tables.def", "TABLE", 0, "db/table_{}.c", r"^const struct table table_{}\b"),
    ("ui/panes.def", "PANE", 0, "ui/pane_{}.c", r"^void pane_{}_draw\("),
)
# (list, macro, number of the argument that names the function, files, definition of such a function)
FUNCTIONS = (
    ("net/routes.def", "ROUTE", 3, r"net/api_\w+\.c", r"^void (api_\w+)\(struct request \*\w+\)\n"),
    ("net/sandbox.def", "SANDBOX", 0, r"net/sandbox_\w+\.c", r"^void sandbox_(\w+)_handle\("),
    ("src/roles.def", "ROLE", 1, r"(net|db|src)/\w+\.c", r"^int (\w+_run)\(const struct role \*"),
)


def rows(name, macro, index):
    """(line, argument) of each row, comments taken out."""
    text = re.sub(r"/\*.*?\*/", lambda m: re.sub(r"[^\n]", " ", m.group()), read(name), flags=re.S)
    for m in re.finditer(rf"^{macro}\(([^\n]*)\)", text, re.M):
        arguments = re.split(r',\s*(?=(?:[^"]*"[^"]*")*[^"]*$)', m.group(1))
        yield text.count("\n", 0, m.start()) + 1, arguments[index].strip().strip('"')


def check_schema(report, names):
    """A migration's number is its version: each one once, without gaps."""
    found = sorted(n for n in names if n.startswith("db/schema/"))
    for want, name in enumerate(found, 1):
        if int(os.path.basename(name)[:4]) != want:
            report.add(name, 1, f"migrations are numbered one by one: this is the {want:04}th")
            return


def check_files(report, names):
    for listed, macro, index, pattern, definition in FILES:
        if listed not in names:
            continue
        known = set()
        for line, word in rows(listed, macro, index):
            known.add(pattern.format(word))
            if pattern.format(word) not in names:
                report.add(listed, line, f"{pattern.format(word)} does not exist")
            elif not re.search(definition.format(word), read(pattern.format(word)), re.M):
                report.add(pattern.format(word), 1, f"does not define what {listed} lists as {word}")
        shape = re.escape(pattern).replace(r"\{\}", r"\w+")
        for name in names:
            if re.fullmatch(shape, name) and name not in known:
                report.add(name, 1, f"is not a row in {listed}")


def check_functions(report, names):
    for listed, macro, index, where, definition in FUNCTIONS:
        if listed not in names:
            continue
        wanted = {word: line for line, word in rows(listed, macro, index)}
        defined = {}
        for name in names:
            if re.fullmatch(where, name):
                for m in re.finditer(definition, read(name), re.M):
                    defined[m.group(1)] = name
        for word, line in wanted.items():
            if word not in defined:
                report.add(listed, line, f"no {where} defines {word}")
        for word, name in defined.items():
            if word not in wanted:
                report.add(name, 1, f"{word} is not a row in {listed}")


def check_commands(report, names):
    """A command may share its file with another; a helper of commands has a header of its own."""
    sources = [n for n in names if re.fullmatch(r"src/cmd_\w+\.c", n)]
    headers = "".join(read(n) for n in names if n.startswith("src/") and n.endswith(".h"))
    defined = {}
    for name in sources:
        for m in re.finditer(r"^int (cmd_\w+)\(int argc, char \*\*argv\)", read(name), re.M):
            defined[m.group(1)] = name
    listed = {"cmd_" + word: line for line, word in rows("src/cmd.def", "CMD", 0)}
    for word, line in listed.items():
        if word not in defined:
            report.add("src/cmd.def", line, f"no src/cmd_*.c defines {word}")
    for word, name in defined.items():
        if word not in listed and not re.search(rf"\b{word}\(", headers):
            report.add(name, 1, f"{word} is not a row in src/cmd.def")


def check_settings(report):
    """Every setting is in the manual page of the configuration, once that page is there."""
    page = os.path.join(ROOT, "man", "trackai.conf.5")
    if not os.path.isfile(page):
        return
    text = read("man/trackai.conf.5").replace("\\-", "-")
    for line, word in rows("src/conf.def", "SETTING", 1):
        if word not in text:
            report.add("man/trackai.conf.5", 1, f'does not name the setting "{word}"')


def main():
    report = Report()
    names = files(".c", ".h", ".def")
    check_files(report, names)
    check_functions(report, names)
    check_commands(report, names)
    check_settings(report)
    check_schema(report, files(".sql"))
    report.done()


main()
