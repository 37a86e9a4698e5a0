#!/usr/bin/python3
"""Every header compiles alone, and twice in a row, with the flags of CMakeLists.txt."""
import concurrent.futures
import re
import subprocess

from tree import ROOT, SOURCES, Report, files, read


def flags():
    """The warnings of ta_flags for gcc, and where the libraries' headers are."""
    text = read("CMakeLists.txt")
    warnings = []
    for block in re.findall(r"target_compile_options\(ta_flags INTERFACE\s+(-W.*?)\)", text, re.S)[:2]:
        warnings += block.split()
    packages = re.findall(r"pkg_check_modules\(\w+ REQUIRED IMPORTED_TARGET (\w+)\)", text)
    include = subprocess.run(["pkg-config", "--cflags"] + packages, capture_output=True, text=True,
                             check=True).stdout.replace("-I", "-isystem ").split()
    return ["-std=gnu17", "-D_GNU_SOURCE", '-DTA_VERSION="0"', '-DTA_TESTS="."', "-O1", "-Werror",
            "-I" + ROOT] + warnings + include


def compile_alone(name, options):
    text = f'#include "{name}"\n#include "{name}"\nextern int ta_headers_have_a_unit;\n'
    done = subprocess.run(["gcc", "-fsyntax-only", "-x", "c", "-"] + options, cwd=ROOT, input=text,
                          capture_output=True, text=True)
    return name, done.returncode, done.stderr.strip().split("\n")[-1 if done.returncode == 0 else 0:]


def main():
    report = Report()
    options = flags()
    names = files(".h", under=SOURCES)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for name, status, words in pool.map(lambda n: compile_alone(n, options), names):
            if status:
                report.add(name, 1, "does not compile alone: " + " / ".join(words[:3]))
    report.done()


main()
