"""Words of comments and of docs/man/*.in as roff: what is a name stands out, what roff would take for
its own is masked. Text is plain but for `backticks`, which stand around parameters and code."""
import re

SPECIAL = {"±": r"\[+-]", "×": r"\[mu]", "−": r"\[mi]", "–": r"\[en]", "…": "...", "·": r"\[pc]",
           "≤": r"\[<=]", "²": r"\[S2]", "ⁿ": "^n", "→": r"\[->]", "“": r"\[lq]", "”": r"\[rq]",
           "\u00a0": r"\~", "—": r"\[em]", "’": "'", "\u202f": r"\~", '", "': r'",\~"'}
CODE = re.compile(r"(?:(?<=, )|(?<=; )|(?<=: )|(?<=or )|(?<=and )|(?<=with )|(?<=^))"
                  r"([A-Z][A-Z_]+[A-Z]|[A-Z]+_(?=\*))(\*?)(?=$|[,;.]| \(| when| …)")
TOKEN = re.compile(
    r"`(?P<tick>[^`]+)`"
    r"|(?P<kind>\b(?:struct|enum) urlpool_\w+)"
    r"|(?P<page>\b[a-z][\w.-]*\([1-8]\))"
    r"|(?P<name>\burlpool_\w+)"
    r"|(?<![\w`])(?P<short>_[a-z]\w+)"
    r"|(?P<constant>\bURLPOOL_[A-Z0-9_]+\*?)"
    r"|(?P<option>\b[a-z]+(?:_[a-z0-9]+)+\b)")


def masked(text):
    """Plain text for roff: nothing of it is a request or an escape."""
    text = text.replace("\\", r"\e")
    for char, escape in SPECIAL.items():
        text = text.replace(char, escape)
    left = [char for char in text if ord(char) > 126]
    if left:
        raise ValueError(f"no roff for {left[0]!r} in: {text}")
    return text


def code(text):
    """Text of a program: each hyphen is a minus, and no quote is bent."""
    text = text.replace("\\", r"\e").replace("-", r"\-").replace("'", r"\[aq]").replace(
        "`", r"\[ga]").replace("^", r"\[ha]").replace("~", r"\[ti]")
    for char, escape in SPECIAL.items():
        text = text.replace(char, escape if len(char) == 1 else char)
    return text


def argument(text):
    """Text as one argument of a macro."""
    return '"' + text.replace('"', r"\(dq") + '"'


def sentence(text):
    """Begins with a capital, where it begins with a word, and ends in a full stop."""
    text = text.strip()
    if re.match(r"[a-z]+(?:[ ,:;.'-]|$)", text):
        text = text[0].upper() + text[1:]
    return text if re.search(r"[.:?]\)?$", text) else text + "."


def line(text):
    """A line of text that roff does not take for a request."""
    return r"\&" + text if text.startswith((".", "'")) else text


class Words:
    """Marks the words of one page; `reference` says what is a name, `here` what stands on the page,
    and `homes` on which page every other name is."""

    def __init__(self, reference, homes, here):
        self.functions = reference.functions
        self.names = reference.anything()
        self.homes = homes
        self.here = here

    def mark(self, text, about=None, errors=False):
        """roff for `text`, the comment of the function `about`; with `errors`, bare codes are told
        in full."""
        if errors:
            text = CODE.sub(self.in_full, text)
        self.last = about or ""
        out, at = [], 0
        for token in TOKEN.finditer(text):
            out.append(masked(text[at:token.start()]))
            out.append(self.token(token, text))
            at = token.end()
        return line("".join([*out, masked(text[at:])]))

    def in_full(self, match):
        name = "URLPOOL_E_" + match.group(1)
        known = name in self.names or (match.group(2) and any(
            other.startswith(name) for other in self.names))
        return name + match.group(2) if known else match.group(0)

    def token(self, token, text):
        kind, word = token.lastgroup, token.group(token.lastgroup)
        if kind == "tick":
            inner = re.fullmatch(r"urlpool_\w+(\(\))?", word)
            if inner:
                return self.name(word.removesuffix("()"))
            return rf"\fI{code(word)}\fP"
        if kind == "kind":
            return rf"\fB{word}\fP"
        if kind == "page":
            name, _, section = word.rstrip(")").partition("(")
            return rf"\fB{code(name)}\fP({section})"
        if kind == "name":
            follows = text[token.end():token.end() + 2]
            return self.name(word, call=follows != "()")
        if kind == "short":
            return self.name(self.full(word))
        if kind == "constant":
            return rf"\fB{word}\fP"
        return rf"\fI{word}\fP"

    def full(self, short):
        """`_close_idle` behind urlpool_manager_clear is urlpool_manager_close_idle."""
        found = [name for name in self.functions if name.endswith(short)]
        if not found:
            return short
        shared = lambda name: len([1 for a, b in zip(name, self.last) if a == b])
        return max(found, key=shared)

    def name(self, word, call=True):
        self.last = word if word in self.functions else self.last
        if word not in self.names:
            return rf"\fI{word}\fP" if word.startswith("_") else rf"\fB{word}\fP"
        if word in self.here or word not in self.functions:
            return rf"\fB{word}\fP" + ("()" if call and word in self.functions else "")
        return rf"\fB{word}\fP" + ("(3)" if call else "")
