"""The words of the table: escapes, macros of answers, and blocks of "key: value" lines."""
import gzip
import re
import zlib

ESCAPES = {"r": b"\r", "n": b"\n", "t": b"\t", "0": b"\0", "\\": b"\\"}
ESCAPED = re.compile(r"\\(x[0-9a-fA-F]{2}|.)")


def unescape(text):
    """Returns the bytes that `text` stands for: UTF-8, and \\r \\n \\t \\0 \\\\ \\xHH."""
    out, at = b"", 0
    for found in ESCAPED.finditer(text):
        word = found.group(1)
        out += text[at:found.start()].encode()
        out += bytes([int(word[1:], 16)]) if word[0] == "x" and len(word) == 3 else ESCAPES[word]
        at = found.end()
    return out + text[at:].encode()


def escape(data):
    """Writes bytes as one line of printable ASCII that unescape understands."""
    named = {0x0D: "\\r", 0x0A: "\\n", 0x09: "\\t", 0x5C: "\\\\"}
    return "".join(named.get(b) or (chr(b) if 0x20 <= b < 0x7F else f"\\x{b:02x}") for b in data)


def raw_deflate(data):
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


MACROS = {
    "gzip": lambda data: gzip.compress(data, mtime=0),
    "zlib": zlib.compress,
    "raw": raw_deflate,
    "cut": lambda data: data[:-6],
    "chunk": lambda data: b"%x\r\n%s\r\n" % (len(data), data),
    "10": lambda data: data * 10,
    "k": lambda data: data * 1000,
    "lines": lambda data: b"".join(b"X-%d: 1\r\n" % number for number in range(int(data))),
}
MACRO = re.compile(rb"\{(%s):([^{}]*)\}" % "|".join(MACROS).encode())


def expand(data):
    """Replaces {gzip:...} and its like from the inside out, then {len} by the length of the body.

    What a macro has made may hold braces, so it waits outside the text until the end.
    """
    made = []

    def keep(found):
        inner = re.sub(rb"\x00(\d+)\x00", lambda ref: made[int(ref.group(1))], found.group(2))
        made.append(MACROS[found.group(1).decode()](inner))
        return b"\0%d\0" % (len(made) - 1)

    while MACRO.search(data):
        data = MACRO.sub(keep, data)
    data = re.sub(rb"\x00(\d+)\x00", lambda ref: made[int(ref.group(1))], data)
    head, blank, body = data.partition(b"\r\n\r\n")
    return head.replace(b"{len}", b"%d" % len(body)) + blank + body


def read_blocks(path):
    """Yields each block of a file as a list of (key, value); "#" begins a comment line, and a line
    that begins with a blank goes on with the value before it."""
    block = []
    for number, line in enumerate(path.read_text().splitlines() + [""], 1):
        if line.startswith("#"):
            continue
        if not line.strip():
            if block:
                yield block
            block = []
        elif line[0] == " ":
            block[-1] = (block[-1][0], block[-1][1] + " " + line.strip())
        else:
            key, colon, value = line.partition(":")
            if not colon:
                raise SystemExit(f"{path}:{number}: not 'key: value'")
            block.append((key, value[1:] if value.startswith(" ") else value))
