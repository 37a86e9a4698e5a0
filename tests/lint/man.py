#!/usr/bin/python3
"""The manual's tables are the program's rows: each stands between `.\\" table NAME` and `.\\" end` and
is what the .def files say. `man.py --write` rewrites them. mandoc must find nothing else to say."""
import os
import re
import subprocess
import sys

from tree import ROOT, Report, read

STRING = r'"((?:[^"\\]|\\.)*)"'


def rows(name, macro):
    """The arguments of each row, strings without quotes, the rest as written."""
    text = re.sub(r"/\*.*?\*/", "", read(name), flags=re.S)
    for m in re.finditer(rf"^{macro}\((.*)\)$", text, re.M):
        parts = re.findall(rf"{STRING}|([^,\"]+)", m.group(1))
        out = [s.replace('\\"', '"') if not bare.strip() else bare.strip() for s, bare in parts
               if s or bare.strip() or (not s and not bare)]
        yield out


def text(s):
    """A sentence as mdoc text: no macro at the start of a line, backslashes and dashes kept."""
    s = s.replace("\\", "\\e")
    return ("\\&" if s[:1] in ".'" else "") + s


def lines(s, width=78):
    out, line = [], ""
    for word in s.split():
        if line and len(line) + 1 + len(word) > width:
            out.append(text(line))
            line = word
        else:
            line = f"{line} {word}".strip()
    return out + [text(line)] if line else out


def item(head, body):
    return [f".It {head}"] + lines(body)


def quoted(words):
    """Arguments of a macro; a lone bracket or dash would be punctuation there."""
    return " ".join('"' + ("\\&" if len(w) == 1 else "") + w.replace('"', '""') + '"' for w in words)


def commands():
    out = []
    for _, name, args, help_ in rows("src/cmd.def", "CMD"):
        out += [".It Cm " + name + (" No " + quoted([args]) if args else "")] + lines(help_)
    return out


def keys():
    out = []
    for row in rows("ui/keys.def", "REQ"):
        out += item("Ic " + quoted([row[2]]), row[-1])
    return out


def prompt():
    out = []
    for word, _, help_, example in rows("ui/commands.def", "COMMAND"):
        out += item("Ic " + word + (" No " + quoted([example]) if example else ""), help_)
    return out


def settings():
    out = []
    for _, word, flag, env, default, meaning in rows("src/conf.def", "SETTING"):
        head = "Cm " + word + (" , Fl " + flag[1:] if flag != "NULL" else "") + " , Ev " + env
        out += item(head, meaning + (f"; {default} by default" if default else ""))
    return out


def routes():
    out = []
    for method, path, _, _, meaning in rows("net/routes.def", "ROUTE"):
        out += item(f"Li {method} {path}", meaning)
    return out


KINDS = {"TEXT": "text", "NUMBER": "number", "BOOL": "true or false", "LIST": "list of texts", "MONEY": "money",
         "DURATION": "duration", "INSTANT": "moment", "AMOUNTS": "list of money", "NUMBERS": "list of numbers",
         "ANY": "as given"}


def fields():
    return [part for name, kind, meaning in rows("src/rule_field.def", "FIELD")
            for part in item(f"Va {name} Pq {KINDS[kind]}", meaning)]


def operators():
    return [part for _, _, word, _, meaning in rows("src/rule_ops.def", "OP")
            for part in item("Li " + quoted([word]), meaning)]


def functions():
    return [part for _, logic, _, _, usage in rows("src/rule_calls.def", "CALL") if logic != "?:"
            for part in item("Li " + quoted([usage.partition(")")[0] + ")"]),
                             usage.partition(")")[2].strip(":, ") or f"JsonLogic's {logic}")]


def actions():
    argument = {"NONE": "", "MAY": " Op Ar argument", "MUST": " Ar argument"}
    return [part for _, word, takes, help_ in rows("src/rule_actions.def", "ACTION")
            for part in item("Ic " + word + argument[takes], help_)]


def faults():
    return [part for row in rows("src/rule_faults.def", "RULE_FAULT") if len(row) == 3 and row[1]
            for part in item("Li " + row[1], row[2])]


def dispositions():
    return [part for _, word, final in rows("src/dispositions.def", "DISP")
            for part in item("Li " + word, "final for this run" if final == "true" else "open")]


def reasons():
    return [part for row in rows("src/reasons.def", "REASON") if len(row) == 3 and row[1]
            for part in item("Li " + row[1], row[2])]


def failures():
    return [part for row in rows("src/failures.def", "FAILURE") if len(row) == 3 and row[1]
            for part in item("Li " + row[1], row[2])]


def health():
    return [part for _, word, meaning, _ in rows("src/health.def", "HEALTH") for part in item("Cm " + word, meaning)]


def causes():
    return [part for row in rows("src/cause.def", "CAUSE") for part in item("Cm " + row[1], row[5] + "; " + row[6])]


def names():
    known = {}
    for platform, name in rows("src/platform_events.def", "PEVENT"):
        known.setdefault(platform.lower(), []).append(name)
    return [part for platform, all_ in known.items() for part in item("Li " + platform, ", ".join(all_))]


def models():
    return [part for _, word, _, meaning in rows("src/attrib_models.def", "MODEL")
            for part in item("Cm " + word, meaning)]


TABLES = {f.__name__: f for f in (commands, keys, prompt, settings, routes, fields, operators, functions, actions, faults,
                                  dispositions, reasons, failures, models, health, causes, names)}
PLACE = re.compile(r'(^\.\\" table (\w+)\n)(.*?)(^\.\\" end\n)', re.M | re.S)


def filled(page):
    def fill(m):
        made = [".Bl -tag -width indent -compact"] + TABLES[m.group(2)]() + [".El"]
        return m.group(1) + "\n".join(made) + "\n" + m.group(4)
    return PLACE.sub(fill, page)


def main():
    report, found = Report(), set()
    for name in sorted(os.listdir(os.path.join(ROOT, "man"))):
        path = f"man/{name}"
        page = read(path)
        found.update(m.group(2) for m in PLACE.finditer(page))
        want = filled(page)
        if want != page and sys.argv[1:] == ["--write"]:
            with open(os.path.join(ROOT, path), "w", encoding="utf-8") as f:
                f.write(want)
        elif want != page:
            report.add(path, 1, "its tables differ from the .def files: tests/lint/man.py --write")
        out = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", os.path.join(ROOT, path)],
                             capture_output=True, text=True).stdout
        for line in out.splitlines():
            if "referenced manual not found" not in line:
                report.add(path, 1, line.split(": ", 1)[-1])
    for name in sorted(set(TABLES) - found):
        report.add("man", 1, f"no page has the table {name}")
    report.done()


main()
