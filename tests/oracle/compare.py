#!/usr/bin/python3 -BEs
"""Runs one table of requests through urllib3 and through urlpool and compares what was seen.

Usage: compare.py [--case GLOB] [--show] [--page FILE] SIDE
       compare.py --write-page FILE

SIDE is the program that stands for urlpool (urlpool_side.c). For each case of cases/*.txt the same
server answers both sides by the same script. What counts is a list of named facts: each request's
line, order of fields, field lines and body with its framing, the connections used, and for each
response status, version, reason, fields, data and URL. Facts that differ have to be in
differences.txt, with the reason; a difference listed there that does not occur is a failure too.
--show prints the facts of each case; FILE is the page of docs/ that has differences.txt as a table.
Ends with a line as Check's programs have it; exits 77 when Debian's urllib3 is not there.
"""
import argparse
import fnmatch
import pathlib
import re
import subprocess
import sys
import time

import differences
from server import Server, unchunked
from text import MACRO, escape, expand, read_blocks, unescape

HERE = pathlib.Path(__file__).resolve().parent
CASE_SECONDS = 10
ANSWERS = {"answer": "answer", "answer-close": "close", "answer-reset": "reset",
           "answer-silent": "silent", "interim": "interim"}


def filled(value):
    """A value for the sides, who know no macros."""
    return escape(expand(unescape(value))) if MACRO.search(value.encode()) else value


class Case:
    """A block of the table: what the sides are told, and what the server answers."""

    def __init__(self, block, ports):
        def fill(text):
            for name, port in ports.items():
                text = text.replace(f"{{{name}}}", f"127.0.0.1:{port}")
                text = text.replace(f"{{:{name}}}", f":{port}")
                text = text.replace(f"{{port {name}}}", str(port))
            return text

        self.name = block[0][1]
        self.told = [(key, filled(fill(value)))
                     for key, value in block[1:] if key not in ANSWERS]
        self.answers = [(ANSWERS[key], expand(unescape(fill(value))))
                        for key, value in block[1:] if key in ANSWERS]


class Side:
    """A program that reads cases and prints what came of them."""

    def __init__(self, server, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.server, self.output, self.has_ended = server, b"", False
        server.watch(self.process.stdout, self.take_output)

    def take_output(self):
        piece = self.process.stdout.read1(1 << 16)
        self.output += piece
        if not piece:
            self.has_ended = True
            self.server.selector.unregister(self.process.stdout)

    def run(self, case):
        """Returns the facts of one case."""
        self.server.begin(case.answers)
        self.output = b""
        self.tell("".join(f"{key}: {value}\n" for key, value in case.told) + "end:\n")
        give_up = time.monotonic() + CASE_SECONDS
        while not ("\n" + self.output.decode("latin-1")).endswith("\nend\n"):
            self.server.work(0.5)
            if self.has_ended or time.monotonic() > give_up:
                sys.exit(f"compare.py: {case.name}: the side of {self.process.args[0]} "
                         f"{'ended' if self.has_ended else 'hangs'}")
        lines = self.output.decode("latin-1").splitlines()[:-1]
        facts = dict(line.split("\t", 1) for line in lines)
        if not self.server.finish():
            facts["connections.left-open"] = "yes"
        return without_chance({**wire_facts(self.server), **facts})

    def tell(self, text):
        try:
            self.process.stdin.write(text.encode("utf-8", "surrogateescape"))
            self.process.stdin.flush()
        except BrokenPipeError:
            self.has_ended = True


def content_of(body, lines):
    is_chunked = "Transfer-Encoding: chunked" in lines.get("transfer-encoding", [])
    return unchunked(body) if is_chunked else body


def wire_facts(server):
    """What the server saw. A field that was sent in several lines is one fact."""
    facts = {"connections": str(server.num_connections), "requests": str(len(server.requests))}
    for number, request in enumerate(server.requests, 1):
        at = f"request.{number}."
        line, *fields = request.head.removesuffix(b"\r\n\r\n").split(b"\r\n")
        names, lines = [], {}
        for field in fields:
            name = field.partition(b":")[0].decode("latin-1").lower()
            if name not in names:
                names.append(name)
            lines.setdefault(name, []).append(escape(field))
        facts.update({at + "to": request.to, at + "connection": str(request.connection),
                      at + "line": escape(line), at + "order": ", ".join(names),
                      at + "body": escape(request.body),
                      at + "content": escape(content_of(request.body, lines))})
        facts.update({at + "field." + name: " | ".join(found) for name, found in lines.items()})
        if not request.whole:
            facts[at + "whole"] = "no"
    return facts


def without_chance(facts):
    """Replaces each boundary of 32 hexadecimal digits by its name."""
    chosen = set()
    for value in facts.values():
        chosen.update(re.findall(r"boundary=([0-9a-f]{32})$", value))
    out = dict(facts)
    for boundary in chosen:
        out = {key: value.replace(boundary, "{boundary}") for key, value in out.items()}
    return out


def without_ports(facts, ports):
    """Replaces this run's ports, the only thing in which two runs may differ."""
    out = {}
    for key, value in facts.items():
        for name, port in ports.items():
            value = value.replace(f"127.0.0.1:{port}", f"{{{name}}}")
            value = value.replace(f":{port}", f"{{:{name}}}")
        out[key] = value
    return out


def differing(ours, theirs):
    """Yields (key, ours, theirs) of the facts that differ. Where one side has a response and the
    other none, that is the only difference of the two; and requests that only one side made differ
    in their number alone."""
    def counted(key):
        part = key.split(".")
        if part[0] == "request":
            return f"{part[0]}.{part[1]}.to" in ours and f"{part[0]}.{part[1]}.to" in theirs
        result = f"{part[0]}.result"
        return len(part) < 2 or key == result or ours.get(result) == theirs.get(result)

    for key in sorted({**ours, **theirs}):
        if counted(key) and ours.get(key) != theirs.get(key):
            yield key, ours.get(key, "-"), theirs.get(key, "-")


def run_table(options, table):
    server = Server()
    urllib3 = Side(server, [HERE / "urllib3_side.py"])
    urlpool = Side(server, [options.side])
    known, failed, num_run = differences.read(HERE / "differences.txt"), 0, 0
    for block in table:
        case = Case(block, server.ports)
        if not fnmatch.fnmatchcase(case.name, options.case):
            continue
        theirs = without_ports(urllib3.run(case), server.ports)
        ours = without_ports(urlpool.run(case), server.ports)
        if options.show:
            show(case.name, ours, theirs)
        adapted = known.adapt(theirs)
        found = [found for found in differing(ours, adapted) if not known.covers(case.name, *found)]
        for key, our, their in found:
            print(f"{case.name}: {key}\n    urllib3 {their}\n    urlpool {our}")
        failed += bool(found)
        num_run += 1
    if options.case == "*":
        for text in known.unused():
            print(f"differences.txt: {text}")
            failed += 1
            num_run += 1
    for side in (urllib3, urlpool):
        side.process.stdin.close()
        if side.process.wait(10) != 0:
            print(f"{side.process.args[0]} ended with {side.process.returncode}")
            failed += 1
    return num_run, failed


def show(name, ours, theirs):
    print(f"--- {name}")
    for key in sorted({**ours, **theirs}):
        our, their = ours.get(key, "-"), theirs.get(key, "-")
        both = f"\n    urllib3 {their}\n    urlpool {our}"
        print(f"{key} = {our}" if our == their else f"{key} differs{both}")


def has_urllib3():
    return subprocess.run([HERE / "urllib3_side.py"], stdin=subprocess.DEVNULL).returncode == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--case", default="*")
    parser.add_argument("--show", action="store_true")
    parser.add_argument("--page", type=pathlib.Path)
    parser.add_argument("--write-page", type=pathlib.Path)
    parser.add_argument("side", nargs="?")
    options = parser.parse_args()
    table = [block for path in sorted(HERE.glob("cases/*.txt")) for block in read_blocks(path)]
    names = [block[0][1] for block in table]
    twice = {name for name in names if names.count(name) > 1}
    if twice or any(block[0][0] != "case" for block in table):
        sys.exit(f"cases: a block without a case, or a case twice: {' '.join(twice)}")
    if options.write_page:
        differences.write_page(HERE / "differences.txt", options.write_page)
        return 0
    if not has_urllib3():
        print("compare.py: no urllib3 1.26 of Debian's: apt-get install python3-urllib3")
        return 77
    num_run, failed = run_table(options, table)
    if options.page:
        num_run += 1
        if not differences.is_on_page(HERE / "differences.txt", options.page):
            print(f"{options.page}: not what differences.txt says: compare.py --write-page")
            failed += 1
    percent = 100 * (num_run - failed) // max(num_run, 1)
    print(f"{percent}%: Checks: {num_run}, Failures: {failed}, Errors: 0")
    return 1 if failed or num_run == 0 else 0


sys.exit(main())
