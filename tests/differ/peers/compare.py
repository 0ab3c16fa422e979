#!/usr/bin/python3
"""Compares what ours, Python's http.client and node's http make of the same mutated transcripts.

Usage: compare.py FEED [--seed N] [--count N]      FEED: build/dev/bin/differ_feed

Each difference has to be of a class that differences.txt lists, with its reason. URLPOOL_TEST_SEED is
the seed, URLPOOL_TEST_INPUTS the number of inputs. Exit code 77: node is not installed."""
import argparse
import collections
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
TAKEN = ("whole", "switched")
PEERS = {
    "http.client": ["/usr/bin/python3", str(HERE / "http_client_side.py")],
    "node": ["node", str(HERE / "node_side.js")],
}


class Seen:
    """An input, and what there is to know of it for a class."""

    def __init__(self, line, theirs):
        self.given = json.loads(line)
        self.theirs = json.loads(theirs)
        self.data = bytes.fromhex(self.given["bytes"])
        self.why = self.given["why"].removeprefix("URLPOOL_E_")
        self.heads = split_heads(bytes.fromhex(self.given["heads"]).decode("latin-1"))
        self.version, self.status, self.fields = self.heads[-1] if self.heads else ("", 0, [])
        self.head_text = self.data.decode("latin-1").lower()

    def values(self, name):
        return [value for field, value in self.fields if field.lower() == name]

    def any_values(self, name):
        """Values of all heads, interim ones too."""
        return [value for head in self.heads for field, value in head[2] if field.lower() == name]


def split_heads(text):
    """The heads that ours has shown: [(version, status, [(name, value)])]. A status line is the one
    that begins "1.1 200 " - no field does, its name being a token."""
    heads = []
    for line in text.split("\n")[:-1]:
        if re.match(r"1\.[01] \d{3} ", line):
            heads.append((line[:3], int(line[4:7]), []))
        else:
            heads[-1][2].append(tuple(line.split(": ", 1)))
    return heads


def plain(value):
    """A value for comparison: how a fold is replaced is a matter of taste."""
    return re.sub(r"[ \t\r\n]+", " ", value).strip()


def what_differs(seen):
    """The third column of differences.txt, or None."""
    ours, theirs = seen.given, seen.theirs
    if ours["outcome"] not in TAKEN and theirs["outcome"] not in TAKEN:
        return None
    if theirs["outcome"] not in TAKEN:
        return "ours-takes"
    if ours["outcome"] not in TAKEN:
        return "ours-refuses"
    fields = [(name.lower(), plain(value)) for name, value in theirs["fields"]]
    if (ours["outcome"] != theirs["outcome"] or seen.status != theirs["status"]
            or (ours["outcome"] == "whole" and ours["body"] != theirs["body"])
            or fields != [(name.lower(), plain(value)) for name, value in seen.fields]):
        return "reads-else"
    if ours["outcome"] == "switched" or ours["reuse"] == theirs["reuse"]:
        return None
    return "ours-reuses" if ours["reuse"] else "peer-reuses"


CODES = {
    "bad-status-line": ("BAD_STATUS_LINE",),
    "other-major": ("UNKNOWN_PROTOCOL",),
    "bad-field": ("BAD_FIELD",),
    "bad-length": ("BAD_LENGTH",),
    "coding": ("TRANSFER_ENCODING",),
    "bad-chunk": ("BAD_CHUNK",),
    "cut-off": ("INCOMPLETE_READ", "REMOTE_DISCONNECTED"),
    "unasked-switch": ("PROTOCOL",),
    "limit": ("LINE_TOO_LONG", "TOO_MANY_HEADERS", "HEAD_TOO_LARGE"),
}


def has_interim(seen):
    return len(seen.heads) > 1 or re.match(rb"HTTP/1\.\d 1\d\d", seen.data) is not None


def has_no_body(seen):
    return (seen.given["method"] in ("HEAD", "CONNECT") or seen.status in (204, 304)
            or has_interim(seen))


def repeats_lengths(seen):
    values = seen.any_values("content-length")
    return len(values) > len([1 for head in seen.heads if head[2]]) or any("," in v for v in values) \
        or len(seen.values("content-length")) > 1


def coding_in(heads):
    return any(name.lower() == "transfer-encoding" for head in heads for name, _ in head[2])


# How to tell a class; those of CODES are told by our own code. `s` is a Seen.
CLASSES = {
    "early-final": lambda s: has_interim(s) and s.given["method"] != "CONNECT",
    "no-body-coding": lambda s: s.status in (204, 304) and coding_in(s.heads),
    "list-of-lengths": lambda s: any("," in value for value in s.any_values("content-length")),
    "tunnel": lambda s: s.given["method"] == "CONNECT",
    "switch": lambda s: s.status == 101,
    "line-ends": lambda s: re.search(rb"[\x0b\x0c\x1c-\x1e\x85\r]", s.data) is not None,
    "fold": lambda s: re.search(rb"\n[ \t]", s.data) and s.given["strict"] == "refused",
    "lf-alone": lambda s: re.search(rb"(?<!\r)\n", s.data) and s.given["strict"] == "refused",
    "blanks-in-chunk-line": lambda s: s.theirs.get("why") in ("HPE_INVALID_CHUNK_SIZE", "HPE_STRICT")
                            and re.search(rb"[0-9a-fA-F]+[ \t]|;[ \t]|[ \t][;=]|=[ \t]|\"[ \t]", s.data),
    "minor-version": lambda s: re.search(rb"HTTP/1\.[2-9]", s.data),
    "surplus": lambda s: s.given["left"] > 0,
    "repeated-length": repeats_lengths,
    "length-beside-chunked": lambda s: s.values("content-length") and coding_in(s.heads)
                             and not s.given["reuse"],
    "length-of-no-body": lambda s: has_no_body(s) and s.any_values("content-length"),
    "closing-interim": lambda s: any(
        version == "1.0" or any("close" in value.lower() for name, value in fields
                                if name.lower() == "connection")
        for version, _, fields in s.heads[:-1]),
    "not-the-token": lambda s: any("close" in value.lower() for value in s.values("connection")),
    "one-line-counts": lambda s: len(s.values("connection")) > 1,
    "blank-around": lambda s: re.search(rb"\n(transfer-encoding|content-length|connection):[ ]*"
                                        rb"(\t[^\n]*|[^\n]*[ \t])\r?\n", s.data.lower()),
    "no-body-framed": lambda s: s.status in (204, 304)
                      and (coding_in(s.heads) or s.values("content-length")),
    "cr-ends-head": lambda s: re.search(rb"\n\r[^\n]", s.data),
    "many-fields": lambda s: len(s.fields) > 100,
    "trailer-that-frames": lambda s: re.search(rb"(?m)^(content-length|transfer-encoding|connection):",
                                               bytes.fromhex(s.given["trailers"]).lower()),
    "short-hint": lambda s: any(re.search("timeout *= *[01]", value.lower())
                               for value in s.values("keep-alive")),
    "proxy-connection": lambda s: s.values("proxy-connection"),
    "head-without-length": lambda s: s.given["method"] == "HEAD"
                           and not s.values("content-length"),
    "own-close": lambda s: s.given["close"],
    "close-unheard": lambda s: any("close" in value.lower() for value in s.values("connection")),
    "keep-alive-said": lambda s: s.version == "1.0",
    "odd-framing": lambda s: coding_in(s.heads) or s.values("content-length"),
}


def is_of(seen, name):
    if name in CODES:
        return seen.why in CODES[name]
    return bool(CLASSES[name](seen))


def read_differences():
    """{(peer, what): [class]}, in the order of the file."""
    listed = collections.defaultdict(list)
    for line in (HERE / "differences.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            peer, what, name, _reason = (part.strip() for part in line.split(" | ", 3))
            listed[peer, what].append(name)
    return listed


def run_peer(command, feed):
    done = subprocess.run(command, input=feed, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def show(seen, peer, what):
    print(f"URLPOOL_TEST_SEED={seen.given['seed']}: {peer}: {what}")
    print("  ", seen.given["method"], seen.given["upgrade"], repr(seen.data)[1:])
    print("   ours  ", {key: seen.given[key] for key in ("outcome", "reuse", "left", "why", "strict")})
    print("   theirs", {key: value for key, value in seen.theirs.items() if value})


def compare(peer, feed, answers, listed):
    """How many inputs are of each class; those of none are shown."""
    counts = collections.Counter()
    for line, theirs in zip(feed.splitlines(), answers, strict=True):
        seen = Seen(line, theirs)
        what = what_differs(seen)
        if what is None:
            counts["taken by both" if seen.given["outcome"] in TAKEN else "taken by neither"] += 1
            continue
        name = next((name for name in listed[peer, what] if is_of(seen, name)), None)
        counts[f"{what} {name or 'UNLISTED'}"] += 1
        if name is None and counts[f"{what} UNLISTED"] <= 5:
            show(seen, peer, what)
    return counts


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("feed")
    parser.add_argument("--seed", type=int, default=int(os.environ.get("URLPOOL_TEST_SEED", 0)))
    parser.add_argument("--count", type=int,
                        default=int(os.environ.get("URLPOOL_TEST_INPUTS", 2000)))
    parser.add_argument("--node", default="node", help="the program, when it is another one")
    given = parser.parse_args()
    seed = given.seed or time.time_ns() % 2**62
    if shutil.which(given.node) is None:
        print("node is not installed")
        return 77
    print(f"URLPOOL_TEST_SEED={seed} URLPOOL_TEST_INPUTS={given.count}", flush=True)
    feed = subprocess.run([given.feed, str(seed), str(given.count)], capture_output=True, text=True,
                          check=True).stdout
    listed = read_differences()
    is_good = True
    for peer, command in PEERS.items():
        command = [given.node if part == "node" else part for part in command]
        counts = compare(peer, feed, run_peer(command, feed), listed)
        print(f"{peer}: " + ", ".join(f"{count} {name}" for name, count in counts.most_common()))
        unseen = [f"{what} {name}" for (who, what), names in listed.items() if who == peer
                  for name in names if f"{what} {name}" not in counts]
        print(f"{peer}: listed, and not seen: {', '.join(unseen) or 'none'}")
        is_good = is_good and not any("UNLISTED" in name for name in counts)
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
