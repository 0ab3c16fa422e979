"""One manual page: the hand-written source, and the sections that are drawn from the headers."""
import re
import textwrap

import words

DIRECTIVES = ("functions", "struct", "enum", "callback", "macro")
THREADS = {  # how a comment begins -> how the table says it; %s is the object
    "any number at once": "MT-Safe",
    "one at a time": "MT-Safe race:%s",
    "one reader": "MT-Safe race:%s/reader",
    "one writer": "MT-Safe race:%s/writer",
    "nobody else may be using it": "MT-Safe race:%s",
    "call it before any other urlpool function": "MT-Unsafe race:process",
}
NARROW = 16  # columns that a value in the table of threads has
ORDER = ["Thread safety", "Signal safety", "Waiting"]
LIBRARY = "urlpool, a connection-pooling HTTP/1.1 client (liburlpool, -lurlpool)"


def error_table(path):
    """What docs/ERRORS.md says of each code: (twin, classes, meaning)."""
    rows = re.findall(r"^\| `(URLPOOL_\w+)` \| \d+ \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$",
                      path.read_text(encoding="utf-8"), re.MULTILINE)
    return {name: tuple(part.strip() for part in rest) for name, *rest in rows}


class Source:
    """docs/man/NAME.SECTION.in, cut into its sections."""

    def __init__(self, path):
        self.path = path
        self.sections = {}
        self.see, self.includes, self.shown = [], [], []
        current = None
        for text in path.read_text(encoding="utf-8").splitlines():
            directive, _, rest = text.partition(" ")
            if directive == "@page":
                self.name, self.section, self.date, self.about = rest.split(" ", 3)
            elif directive == "@see":
                self.see += rest.split()
            elif directive == "@include":
                self.includes += rest.split()
            elif directive == ".SH":
                current = self.sections.setdefault(rest.strip('"'), [])
            else:
                current.append(text)
            if directive == "@codes":
                self.shown.append("urlpool_code")
            elif directive == "@values":
                self.shown.append(rest)
            elif directive.removeprefix("@") in DIRECTIVES:
                self.shown += [name for name in rest.split() if name not in self.shown]


class Page:
    def __init__(self, source, reference, homes, errors, version):
        self.source = source
        self.reference = reference
        self.errors = errors
        self.version = version
        self.homes = homes
        self.words = words.Words(reference, homes, set(source.shown))
        self.functions = [reference.functions[name] for name in source.shown
                          if name in reference.functions]

    def text(self):
        drawn = {
            "NAME": self.name(), "LIBRARY": [words.code(LIBRARY)], "SYNOPSIS": self.synopsis(),
            "RETURN VALUE": self.results(), "ERRORS": self.failures(),
            "ATTRIBUTES": self.attributes(), "VERSIONS": self.versions(),
            "STANDARDS": self.standards(), "URLLIB3 AND HTTP.CLIENT": self.twins(),
            "SEE ALSO": self.see_also(),
        }
        if not self.functions:
            drawn["ATTRIBUTES"] = []
        order = ["NAME", "LIBRARY", "SYNOPSIS", "DESCRIPTION", "RETURN VALUE", "ERRORS",
                 "ENVIRONMENT", "FILES", "ATTRIBUTES", "VERSIONS", "STANDARDS",
                 "URLLIB3 AND HTTP.CLIENT", "NOTES", "CAVEATS", "EXAMPLES", "SEE ALSO"]
        order += [name for name in self.source.sections if name not in order]
        if unplaced := [name for name in self.source.sections if name not in order[:16]]:
            order = order[:4] + unplaced + order[4:16]
        lines = [r"'\" t",
                 f'.TH {self.source.name.upper()} {self.source.section} {self.source.date} '
                 f'"urlpool {self.version}" "urlpool manual"', ".nh", ".ad l"]
        for title in order:
            body = [*drawn.get(title, []), *self.written(self.source.sections.get(title, []))]
            if body and not (title in ("LIBRARY", "SYNOPSIS") and self.source.section == "7"):
                lines += [f".SH {words.argument(title) if ' ' in title else title}", *body]
        return "\n".join(tidy(lines)) + "\n"

    # --- what is written by hand ----------------------------------------------------------------

    def written(self, lines):
        out = []
        for text in lines:
            directive, _, rest = text.partition(" ")
            if directive.startswith("@"):
                out += getattr(self, "show_" + directive[1:])(*rest.split())
            elif text.startswith((".", "'")):
                out.append(text)
            elif text:
                out += [self.words.mark(part) for part in split_sentences(text)]
            else:
                out.append(".PP")
        return out

    def show_functions(self, *names):
        out = []
        for function in (self.reference.functions[name] for name in names):
            said = [part for part in function.text if isinstance(part, str)]
            for label in ("Sizes", "Units"):
                if label in function.labels:
                    said[-1] += " " + words.sentence(function.labels[label])
            if "Owns" in function.labels and not gives(function):
                said[-1] += " " + words.sentence(function.labels["Owns"])
            for part in said:
                out += [".PP", *self.sentences(part, function.name)]
        return out

    def show_struct(self, *names):
        out = []
        for struct in (self.reference.structs[name] for name in names):
            if struct.members is None:
                out += [".PP", *self.sentences(" ".join(struct.text))]
                continue
            out += self.heading(f"struct {struct.name}", struct)
            out += [".PP", ".in +4n", ".EX", words.code(f"struct {struct.name} {{")]
            out += [words.code("    " + member.declaration) for member in struct.members]
            out += ["};", ".EE", ".in"]
            out += self.members(struct, lambda name: rf".I {name}")
        return out

    def show_enum(self, *names):
        out = []
        for enum in (self.reference.enums[name] for name in names):
            out += self.heading(f"enum {enum.name}", enum)
            out += self.members(enum, lambda name, enum=enum: tag_of(enum, name))
        return out

    def members(self, item, tag):
        out = []
        for member in item.members:
            if member.name == "reserved":
                continue
            if member.heading:
                out += [".PP", *self.sentences(words.sentence(member.heading))]
            about = [words.sentence(member.about)] if member.about else []
            out += [".TP", tag(member.name)]
            out += self.sentences(*about) if about else [r"\&"]
        return out

    def show_values(self, name):
        """An enum whose names say it all: a table."""
        enum = self.reference.enums[name]
        out = [*self.heading(f"enum {name}", enum), ".PP", ".TS", "r lx."]
        for member in enum.members:
            if member.heading:
                out += [".TE", ".PP", *self.sentences(words.sentence(member.heading)), ".PP",
                        ".TS", "r lx."]
            about = f" ({words.masked(member.about)})" if member.about else ""
            out += [f"{member.value}\tT{{", rf"\fB{member.name}\fP{about}", "T}"]
        return [*out, ".TE"]

    def show_codes(self):
        out = self.heading("enum urlpool_code", self.reference.enums["urlpool_code"])
        for member in self.reference.enums["urlpool_code"].members:
            twin, classes, means = self.errors[member.name]
            out += [".TP", f".BR {member.name} {words.argument(f' ({member.value})')}",
                    *self.sentences(words.sentence(means))]
            if classes != "–":
                belongs = ", ".join("URLPOOL_CLASS_" + name for name in classes.split())
                out += [self.words.mark(f"Of {belongs}.")]
        return out

    def show_callback(self, *names):
        out = []
        for typedef in (self.reference.typedefs[name] for name in names):
            out += [".PP", ".in +4n", ".EX", *folded(typedef.declaration), ".EE", ".in"]
            for part in typedef.text:
                out += [".PP", *self.sentences(part)]
        return out

    def show_macro(self, *names):
        out = []
        for macro in (self.reference.macros[name] for name in names):
            out += [".TP", f".BR {macro.name} {words.argument(' ' + words.code(macro.value))}"]
            out += self.sentences(words.sentence(" ".join(macro.text))) or [r"\&"]
        return out

    def show_example(self, name):
        text = (self.source.path.parent / "examples" / name).read_text(encoding="utf-8")
        text = re.sub(r"\A/\*.*?\*/\n+", "", text, flags=re.DOTALL)
        return [".PP", rf".\" example: {name}", ".EX",
                *(words.line(words.code(line)) for line in text.rstrip().split("\n")), ".EE"]

    def heading(self, title, item):
        out = [f".SS {words.argument(title)}"]
        for part in item.text:
            if isinstance(part, str):
                out += [".PP", *self.sentences(part)]
            else:
                for name, about in part:
                    out += [".TP", f".B {words.code(name)}", *self.sentences(words.sentence(about))]
        for label in ("Sizes", "Units", "Owns"):
            if label in item.labels:
                out += self.sentences(words.sentence(item.labels[label]))
        return out

    def sentences(self, *texts, errors=False):
        about = texts[1] if len(texts) > 1 else None
        return [self.words.mark(part, about, errors) for part in split_sentences(texts[0])]

    # --- what is drawn ----------------------------------------------------------------------------

    def name(self):
        names = [self.source.name] + [name for name in self.source.shown
                                      if name != self.source.name and not name.isupper()]
        return [", ".join(names) + r" \- " + self.source.about]

    def synopsis(self):
        out = [".nf"] + [f".B #include <{name}>" for name in self.source.includes]
        out += [".B #include <urlpool/urlpool.h>", ".PP"]
        for name in self.source.shown:
            kind = self.reference.anything()[name]
            if name in self.reference.structs:
                out.append(f".B struct {name};")
            elif name in self.reference.enums:
                out.append(f".B enum {kind.name};")
        if out[-1] != ".PP":
            out.append(".PP")
        for function in self.functions:
            out += synopsis_of(function)
        return [*out, ".fi"]

    def results(self):
        out, alike = [], {}
        for function in self.functions:
            owns = function.labels.get("Owns", "") if gives(function) else ""
            fails = bool(function.parameters) and function.parameters[-1].name == "err"
            kind = function.result if fails or function.result == "void" else function.name
            alike.setdefault((kind, owns), []).append(function)
        for (kind, owns), functions in alike.items():
            names = several(functions)
            if kind == "void":
                said = f"{names} nothing."
            elif kind == "enum urlpool_code":
                said = (f"{names} URLPOOL_OK, or the code of what went wrong, which is in `err` "
                        f"too; outputs are untouched then.")
            elif kind == functions[0].name:
                said = returned(functions[0])
            else:
                what = {"char *": "a string"}.get(kind, f"a {kind.rstrip(' *')}")
                said = f"{names} {what}, or NULL, and `err` says why."
            out += [".PP", *self.sentences(said, functions[0].name)]
            if owns:
                out += self.sentences(words.sentence(owns), functions[0].name)
        return out

    def failures(self):
        out = []
        for function in self.functions:
            if "Errors" in function.labels:
                text = re.sub(r"^NULL with (those)", r"\1", function.labels["Errors"])
                text = re.sub(r"^NULL with ", "", text)
                out += [".TP", f".BR {function.name} ()",
                        *self.sentences(words.sentence(text), function.name, errors=True)]
        told = [name for name in self.reference.codes()
                if re.search(rf"\\fB{name}\\fP", "\n".join(out))]
        if told:
            out += [".PP", "What these codes mean (all of them are in",
                    ".BR urlpool_error (3)):"]
            for name in told:
                out += [".TP", f".B {name}", *self.sentences(words.sentence(self.errors[name][2]))]
        return out

    def attributes(self):
        rows, notes = {}, []
        for function in self.functions:
            line = function.labels.get("Threads")
            how, more = thread_words(function, self.reference)
            rows.setdefault(("Thread safety", how), []).append(function.name)
            if line and "async-signal-safe" in line:
                rows.setdefault(("Signal safety", "AS-Safe"), []).append(function.name)
            if more:
                notes += [".PP", *self.sentences(f"{function.name}: {more}", function.name)]
        blocking = [f.name for f in self.functions if "blocks" in f.labels.get("Threads", "")]
        if blocking:
            rows[("Waiting", "may block")] = blocking
        long = [value for _, value in rows if len(value) > NARROW]
        widest = max((len(word) for value in long for word in value.split()), default=0)
        out = [".PP", "For an explanation of the terms used in this section, see",
               ".BR attributes (7).", "A call that is marked", r".IR race :OBJECT",
               "needs that object for itself: no other call may use it meanwhile.",
               ".PP", ".TS", "allbox;",
               "lbx1 lb1 lb", f"l l lw({widest}n)." if widest else "l l l.", "Interface\tAttribute\tValue"]
        for (attribute, value), names in sorted(
                rows.items(), key=lambda row: ORDER.index(row[0][0])):
            out += ["T{", ".nh", ".ad l",
                    ",\n".join(rf"\fB{breakable(name)}\fP()" for name in names),
                    f"T}}\t{attribute}\t{narrow(words.code(value))}"]
        out += [".TE", ".sp", *self.struct_threads(), *notes]
        return out

    def struct_threads(self):
        out = []
        for name in self.source.shown:
            item = self.reference.structs.get(name)
            if item and "Threads" in item.labels and item.labels["Threads"] != \
                    "any number at once.":
                out += [".PP", *self.sentences(f"struct {name}: {item.labels['Threads']}")]
        return out

    def versions(self):
        if not self.source.shown or self.source.section == "7":
            return []
        return ["In urlpool since 0.1.0."]

    def standards(self):
        out = []
        for name in self.source.shown:
            item = self.reference.anything()[name]
            if "Spec" in item.labels:
                out += [".TP", self.tag(name),
                        *self.sentences(words.sentence(item.labels["Spec"]))]
        return out

    def tag(self, name):
        if name in self.reference.functions:
            return f".BR {name} ()"
        kind = "struct " if name in self.reference.structs else (
            "enum " if name in self.reference.enums else "")
        return f".B {kind}{name}"

    def twins(self):
        out = []
        for name in self.source.shown:
            item = self.reference.anything()[name]
            if "Model" in item.labels:
                out += [".TP", self.tag(name),
                        words.line(words.code(words.sentence(item.labels["Model"])))]
            if name == "urlpool_code":
                for code, (twin, *_) in self.errors.items():
                    if twin != "–":
                        out += [".TP", f".B {code}",
                                words.line(words.code(words.sentence(twin.replace("`", ""))))]
        return [*["What is known from Python has its twin here:"], *out] if out else []

    def see_also(self):
        named = {*self.source.see, "urlpool"} - {self.source.name}
        out = []
        for name in sorted(named, key=lambda word: (section_of(word), word)):
            bare, _, section = name.partition("(")
            section = section.rstrip(")") or section_of(name)
            if section == "3" and bare not in self.homes.values():
                raise SystemExit(f"{self.source.path.name}: @see {name}: no such page")
            out.append(f".BR {words.code(bare)} ({section}),")
        out[-1] = out[-1].rstrip(",")
        return out


def section_of(name):
    if "(" in name:
        return name[name.index("(") + 1:].rstrip(")")
    return "7" if name == "urlpool" else "3"


def thread_words(function, reference):
    """How the table says who may call it at once, and what else its comment says of that."""
    line = function.labels.get("Threads")
    if not line and function.name.startswith("urlpool_body_"):
        line = "any number at once"           # urlpool_body_bytes speaks for all
    begin = re.split(r"[;.,]", line)[0].strip() if line else "one at a time"
    if function.inline:
        begin = "any number at once"
    how = THREADS[begin]
    if begin == "one at a time" and only_reads(function, reference):
        how = THREADS["any number at once"]
    if "%s" in how:
        how %= function.parameters[0].name
    more = (line or "")[len(begin):].strip(" .;,")
    more = re.sub(r"^(async-signal-safe|blocks)\b", "", more).strip(" .;,")
    if begin in ("nobody else may be using it", "call it before any other urlpool function"):
        more = begin
    return how, words.sentence(f"{begin}, {more}" if more != begin else begin) if more else ""


def breakable(name):
    """A long name may be broken in the table, behind its last underscore."""
    return r"_\:".join(name.rsplit("_", 1)) if len(name) > 32 else name


def narrow(value):
    """A value of the table: what is too long for one line is filled in a column made for it."""
    return f"T{{\n{value}\nT}}" if len(value) > NARROW else value


def only_reads(function, reference):
    """Whether it leaves an object alone that any number of threads may read at once."""
    first = re.fullmatch(r"const struct (\w+) \*\w+", function.parameters[0].text)
    struct = reference.structs.get(first.group(1)) if first else None
    return bool(struct) and struct.labels.get("Threads", "").startswith("any number may read")


def returned(function):
    """The sentences of a description that say what is returned."""
    prose = " ".join(part for part in function.text if isinstance(part, str))
    found = [part for part in split_sentences(prose) if re.search(r"\b[Rr]eturns?\b", part)]
    found = found or [function.summary]
    text = re.sub(r"\bsays (whether|that)\b", "returns true if", " ".join(found))
    text = re.sub(r"^Returns", function.name + " returns", text)
    return words.sentence(text)


def gives(function):
    """Whether something is handed to the caller: what it owns belongs to the result."""
    return "*" in function.result or any(
        part.name.startswith("out_") and "**" in part.text for part in function.parameters)


def tag_of(enum, name):
    value = next(member.value for member in enum.members if member.name == name)
    return f".BR {name} {words.argument(f' ({value})')}"


def several(functions):
    names = [function.name for function in functions]
    if len(names) == 1:
        return f"{names[0]} returns"
    return ", ".join(names[:-1]) + f" and {names[-1]} return"


def split_sentences(text):
    """One sentence a line, as roff likes it; "e.g." and the like do not end one."""
    return re.split(r"(?<=[.?!])(?<!e\.g\.)(?<!i\.e\.) (?=[A-Z`\"(]|urlpool_)(?! )", text)


def synopsis_of(function):
    """A declaration, each parameter a word in italics, broken where 78 columns are full."""
    gap = "" if function.result.endswith("*") else " "
    head = f"{function.result}{gap}{function.name}("
    parts = [(part.text[:part.text.rindex(part.name)], part.name,
              part.text[part.text.rindex(part.name) + len(part.name):])
             for part in function.parameters]
    out, current, width = [], [words.argument(words.code(head))], len(head)
    indent = " " * 8
    for number, (before, name, after) in enumerate(parts):
        after += ", " if number + 1 < len(parts) else ");"
        if width > len(indent) and width + len(before + name + after.rstrip()) > 72:
            out.append(current)
            current, width = [words.argument(indent)], len(indent)
        current[-1] = current[-1][:-1] + words.code(before) + '"'
        current += [name, words.argument(words.code(after.rstrip() if number + 1 == len(parts)
                                                   else after))]
        width += len(before + name + after)
    if not parts:
        current[-1] = current[-1][:-1] + 'void);"'
    out.append(current)
    lines = []
    for parts_of_line in out:
        lines.append(".BI " + " ".join(merged(parts_of_line)))
    return [*lines, ".PP"]


def merged(parts):
    """Alternates bold and italic: the text behind a name, and before the next, is one argument."""
    out = []
    for part in parts:
        quoted = part.startswith('"')
        if out and quoted and out[-1].startswith('"'):
            out[-1] = out[-1][:-1] + part[1:]
        else:
            out.append(part)
    return out


def folded(text):
    """Breaks a declaration at commas, at 78 columns."""
    lines, current = [], ""
    for part in re.split(r"(?<=,) ", text):
        if current and len(current) + 1 + len(part) > 74:
            lines.append(current)
            current = " " * 8 + part
        else:
            current = f"{current} {part}".lstrip() if not current.startswith(" ") else \
                f"{current} {part}"
    return [words.code(line) for line in [*lines, current]]


def wrapped(lines):
    """Text that roff fills is broken at 78 columns, as it likes it; what is shown as it is, is not."""
    filled = True
    for text in lines:
        filled = {".EX": False, ".EE": True, ".nf": False, ".fi": True}.get(text, filled)
        if filled and len(text) > 78 and not text.startswith((".", "'", "T{", "T}")):
            yield from map(words.line, textwrap.wrap(
                text, 78, break_long_words=False, break_on_hyphens=False))
        else:
            yield text


def tidy(lines):
    """No paragraph begins where nothing follows, or where one has just begun."""
    out = []
    for text in wrapped("\n".join(lines).split("\n")):
        if text == ".PP" and (not out or out[-1] in (".PP", ".nf") or
                              out[-1].startswith((".SH", ".SS"))):
            continue
        if text.startswith((".SH", ".SS", ".TP", ".fi", ".TS")) or text in (".in", ):
            while out and out[-1] == ".PP" and not text.startswith(".TS"):
                out.pop()
        out.append(text)
    while out and out[-1] == ".PP":
        out.pop()
    return out
