"""What include/urlpool/*.h declare and say of it: the one source of the manual pages and of the site.

    reference = headers.read(ROOT / "include/urlpool")
    reference.functions["urlpool_request"].labels["Threads"]

Knows the shape in which the headers are written (clang-format, a comment before each declaration and
behind each member, labels in comments) and refuses what it does not understand: nothing is left out
in silence. Holds no opinion of how it is shown; texts are the comments' own, lines joined.
"""
import dataclasses
import pathlib
import re

LABELS = ("Sizes", "Units", "Owns", "Errors", "Threads", "Spec", "Model")
DECORATION = re.compile(
    r"\b(?:URLPOOL_API|URLPOOL_MUST_USE|URLPOOL_MALLOC|URLPOOL_(?:PRINTF|FREED_BY)\([^)]*\))")
GUARDS = {"URLPOOL_API", "URLPOOL_MUST_USE", "URLPOOL_MALLOC", "URLPOOL_BEGIN_DECLS",
          "URLPOOL_END_DECLS", "URLPOOL_PRINTF", "URLPOOL_FREED_BY"}
TOKEN = re.compile(r"/\*(?P<block>.*?)\*/|//[^\n]*|(?P<line>^[ \t]*#[^\n]*)|(?P<text>\S)",
                   re.DOTALL | re.MULTILINE)


class Unclear(Exception):
    """A header has something of a shape that is not known here."""


@dataclasses.dataclass
class Item:
    """One declaration: its header, and its comment cut into paragraphs and labels."""
    name: str
    header: str
    text: list = dataclasses.field(default_factory=list)   # paragraphs; a list of pairs is a table
    labels: dict = dataclasses.field(default_factory=dict)

    @property
    def summary(self):
        """The first sentence."""
        first = next((part for part in self.text if isinstance(part, str)), "")
        return re.split(r"(?<=[.:]) (?=[A-Z`])", first)[0].rstrip(":")


@dataclasses.dataclass
class Function(Item):
    result: str = ""                       # "struct urlpool_manager *"
    parameters: list = dataclasses.field(default_factory=list)  # Parameter
    must_use: bool = False
    freed_by: str = ""                     # the function that ends what is returned
    inline: bool = False

    @property
    def prototype(self):
        """As declared, on one line, without attributes."""
        inside = ", ".join(part.text for part in self.parameters) or "void"
        gap = "" if self.result.endswith("*") else " "
        return f"{self.result}{gap}{self.name}({inside});"


@dataclasses.dataclass
class Parameter:
    text: str                              # "const char *method"
    name: str


@dataclasses.dataclass
class Member:
    """A member of a struct (`declaration` is its text) or of an enum (`value` is its number)."""
    name: str
    about: str = ""
    declaration: str = ""
    value: int = 0
    heading: str = ""                      # a comment of its own line, before it


@dataclasses.dataclass
class Struct(Item):
    members: list = None                   # None: opaque


@dataclasses.dataclass
class Enum(Item):
    members: list = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Typedef(Item):
    declaration: str = ""


@dataclasses.dataclass
class Macro(Item):
    value: str = ""


@dataclasses.dataclass
class Reference:
    functions: dict = dataclasses.field(default_factory=dict)
    structs: dict = dataclasses.field(default_factory=dict)
    enums: dict = dataclasses.field(default_factory=dict)
    typedefs: dict = dataclasses.field(default_factory=dict)
    macros: dict = dataclasses.field(default_factory=dict)
    order: dict = dataclasses.field(default_factory=dict)   # header -> names as they come

    def codes(self):
        """The names of enum urlpool_code in the order of their values."""
        return [member.name for member in self.enums["urlpool_code"].members]

    def anything(self):
        """Every public name there is, and what it is the name of; enumerators lead to their enum."""
        found = {}
        for group in (self.enums, self.structs, self.typedefs, self.macros, self.functions):
            found.update(group)
        for enum in self.enums.values():
            found.update((member.name, enum) for member in enum.members)
        return found


def joined(text):
    return " ".join(text.split())


def lines_of(comment):
    return [re.sub(r"^\s*\*? ?", "", line, count=1).rstrip() if number else line.strip()
            for number, line in enumerate(comment.split("\n"))]


def paragraphs(lines):
    """Joins lines; a block whose lines are "word  meaning" is a list of such pairs."""
    found = []
    block = []
    for line in [*lines, ""]:
        if line:
            block.append(line)
            continue
        pairs = [re.fullmatch(r"(\S+)\s{2,}(\S.*)", part) for part in block]
        if block and all(pairs):
            found.append([(pair.group(1), pair.group(2)) for pair in pairs])
        elif block:
            found.append(joined(" ".join(block)))
        block = []
    return found


def cut(comment):
    """Cuts a comment into its paragraphs and its labels."""
    prose, labels, current = [], {}, None
    for line in lines_of(comment):
        begin = re.match(rf"({'|'.join(LABELS)}):\s+(.*)", line)
        if begin:
            current = begin.group(1)
            labels[current] = [begin.group(2)]
        elif current and line:
            labels[current].append(line)
        elif current:
            current = None
        else:
            prose.append(line)
    return paragraphs(prose), {name: joined(" ".join(part)) for name, part in labels.items()}


def parameters_of(text):
    """Splits at commas that stand in no parentheses."""
    parts, depth, start = [], 0, 0
    for at, char in enumerate(text):
        depth += {"(": 1, ")": -1}.get(char, 0)
        if char == "," and depth == 0:
            parts.append(text[start:at])
            start = at + 1
    parts = [joined(part) for part in [*parts, text[start:]]]
    return [] if parts == ["void"] else [Parameter(part, declared_name(part)) for part in parts]


def declared_name(text):
    """The name that a declarator gives: "uint16_t list[16]" is `list`, "void (*f)(int)" is `f`."""
    pointer = re.search(r"\(\*\s*(\w+)\)\s*\(", text)
    plain = re.search(r"(\w+)\s*(?:\[[^\]]*\])*$", text.strip())
    if not pointer and not plain:
        raise Unclear(text)
    return (pointer or plain).group(1)


class Reader:
    """Goes through one header, from declaration to declaration."""

    def __init__(self, path, into):
        self.text = path.read_text(encoding="utf-8")
        self.header = path.name
        self.into = into
        self.at = 0

    def read(self):
        comment = ""
        gap = 0
        while token := TOKEN.search(self.text, self.at):
            if token.group("block") is not None:
                comment, self.at, gap = token.group("block"), token.end(), token.end()
                continue
            if "\n\n" in self.text[gap:token.start()]:
                comment = ""
            if token.group("line"):
                self.directive(token, comment)
            elif token.group("text"):
                self.at = token.start()
                self.declaration(comment)
            else:
                self.at = token.end()
            comment, gap = "", self.at

    def keep(self, group, item):
        comment_name = item.name
        group[comment_name] = item
        self.into.order.setdefault(self.header, [])
        if comment_name not in self.into.order[self.header]:
            self.into.order[self.header].append(comment_name)

    def directive(self, token, comment):
        """Takes a #define that is a value; the rest of the preprocessor is of no interest."""
        self.at = token.end()
        while self.text[self.at - 1] == "\\":
            self.at = self.text.index("\n", self.at + 1)
        line = re.match(r"\s*#define\s+(URLPOOL_\w+)[ \t]+(\S[^\n]*)", token.group("line"))
        if not line or line.group(1) in GUARDS:
            return
        value, _, behind = line.group(2).partition("/*")
        text, labels = cut(comment)
        if behind:
            text = [behind.replace("*/", "").strip()]
        self.keep(self.into.macros, Macro(line.group(1), self.header, text, labels, value.strip()))

    def declaration(self, comment):
        start = self.at
        wrapped = re.compile(r"URLPOOL_(BEGIN|END)_DECLS\b|extern \"C\" \{|\}").match(
            self.text, start)
        if wrapped:
            self.at = wrapped.end()
            return
        end = re.compile(r"[;{]").search(self.text, start)
        head = joined(self.text[start:end.start()])
        self.at = end.end()
        text, labels = cut(comment)
        if end.group() == "{":
            self.braced(head, text, labels)
        elif head.startswith("typedef "):
            name = declared_name(re.sub(r"\)\s*\(.*", ")(", head, count=1))
            self.keep(self.into.typedefs,
                      Typedef(name, self.header, text, labels, head + ";"))
        elif re.fullmatch(r"struct \w+", head):
            if text:
                self.keep(self.into.structs, Struct(head.split()[1], self.header, text, labels))
        else:
            self.function(head, text, labels)

    def braced(self, head, text, labels):
        kind, _, name = head.partition(" ")
        body = self.body()
        if kind == "struct":
            self.keep(self.into.structs,
                      Struct(name, self.header, text, labels, list(struct_members(body))))
        elif kind == "enum":
            self.keep(self.into.enums,
                      Enum(name, self.header, text, labels, list(enum_members(body))))
        elif head.startswith("static inline "):
            self.function(head.removeprefix("static inline "), text, labels, inline=True)
        else:
            raise Unclear(f"{self.header}: {head}")

    def body(self):
        start, depth = self.at, 1
        for token in re.compile(r"/\*.*?\*/|[{}]", re.DOTALL).finditer(self.text, start):
            depth += {"{": 1, "}": -1}.get(token.group(), 0)
            if depth == 0:
                self.at = token.end()
                if self.text[self.at:self.at + 1] == ";":
                    self.at += 1
                return self.text[start:token.start()]
        raise Unclear(f"{self.header}: a brace without end")

    def function(self, head, text, labels, inline=False):
        ended = re.search(r"URLPOOL_FREED_BY\((\w+)", head)
        plain = joined(DECORATION.sub(" ", head))
        shape = re.fullmatch(r"(.*?[\s*])(urlpool_\w+) ?\((.*)\)", plain)
        if not shape or ("URLPOOL_API" in head) == inline:
            raise Unclear(f"{self.header}: {head}")
        result, name, inside = shape.groups()
        self.keep(self.into.functions, Function(
            name, self.header, text, labels, result.strip(), parameters_of(inside),
            "URLPOOL_MUST_USE" in head, ended.group(1) if ended else "", inline))


def members(body, separator):
    """Cuts a body into (declaration, comment behind it, comment before it)."""
    found = []
    heading, declaration, begun = "", "", 0
    for token in re.compile(rf"/\*(.*?)\*/|({separator})|([^\s{separator}][^/{separator}]*)",
                            re.DOTALL).finditer(body):
        behind, ended, text = token.groups()
        if text:
            declaration = joined(declaration + " " + text)
            begun = token.end()
        elif ended:
            found.append([declaration, "", heading])
            heading, declaration, begun = "", "", token.end()
        elif declaration:                       # before the comma of the last enumerator
            found.append([declaration, behind, heading])
            heading, declaration = "", ""
        elif found and not found[-1][1] and "\n" not in body[begun:token.start()]:
            found[-1][1] = behind
        else:
            heading = behind
    if declaration:
        found.append([declaration, "", heading])
    return [(item, joined(" ".join(lines_of(about))), joined(" ".join(lines_of(before))))
            for item, about, before in found]


def struct_members(body):
    for text, about, heading in members(body, ";"):
        kind, _, names = text.rpartition(" ")
        several = [part.strip() for part in parts_of(text)]
        if len(several) > 1:                    # uint64_t bytes_sent, bytes_received;
            kind = several[0].rsplit(" ", 1)[0]
            several = [several[0], *(f"{kind} {name}" for name in several[1:])]
        for one in several:
            yield Member(declared_name(one), about, one + ";", heading=heading)
            heading = ""


def parts_of(text):
    return [text] if "(" in text else text.split(",")


def enum_members(body):
    value = -1
    for text, about, heading in members(body, ","):
        name, _, given = (part.strip() for part in text.partition("="))
        value = int(given, 0) if given else value + 1
        yield Member(name, about, value=value, heading=heading)


def read(folder):
    reference = Reference()
    for path in sorted(pathlib.Path(folder).glob("*.h")):
        Reader(path, reference).read()
    return reference
