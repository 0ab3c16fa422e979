"""Draws the reference: a page for each public header, a section for each name, in the words of the
comment at its declaration, and the examples that show it."""
import re

import headers

SHOWN_MAX = 4
SHORT = re.compile(r"(?<![\w`])(?:[A-Z]+(?:_[A-Z]+)+|NOMEM|RESET|CANCELLED)(?![\w`])")


def escaped(text):
    """Prose as Markdown: what stands in `code` stays, all else means itself."""
    parts = re.split(r"(`[^`]*`)", text)
    parts[::2] = [linked(re.sub(r"([\\*_\[\]<>|#])", r"\\\1", part)) for part in parts[::2]]
    return "".join(parts)


def linked(text):
    """Names of the library that the comments write plainly become code, and so links."""
    return re.sub(r"\b(?:urlpool|URLPOOL)(?:\\_\w+)+(?:\\_\w+)*",
                  lambda name: "`" + name.group().replace("\\_", "_") + "`", text)


def codes_linked(text, names):
    """Codes are told without URLPOOL_E_ behind the first: those that can be nothing else are links."""
    return SHORT.sub(lambda name: f"`{name.group()}`" if f"URLPOOL_E_{name.group()}" in names
                     else name.group(), text)


def anchor(name):
    """The id that docutils makes of a target; that of URLPOOL_VERSION is not urlpool_version's."""
    if name.isupper():
        name = f"macro {name}"
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def paragraphs(text):
    for part in text:
        if isinstance(part, str):
            yield escaped(part)
        else:
            yield "\n".join(["| | |", "|---|---|",
                             *(f"| `{name}` | {escaped(about)} |" for name, about in part)])


def labels_of(item, names):
    if item.labels:
        yield "\n\n".join(f"{name}\n: {escaped(codes_linked(item.labels[name], names))}"
                          for name in headers.LABELS if name in item.labels)


def prototype(function):
    """As declared, a parameter a line where it is long."""
    if len(function.prototype) <= 84:
        return function.prototype
    head = function.prototype.split("(")[0]
    return head + "(\n    " + ",\n    ".join(part.text for part in function.parameters) + ");"


def struct_text(struct):
    lines = [f"struct {struct.name} {{"]
    lines += [f"    {member.declaration}" for member in struct.members if member.name != "reserved"]
    return "\n".join([*lines, "};"])


def members_table(members, mark):
    rows = [f"| `{member.name}` | {escaped(' '.join(filter(None, (member.heading, member.about))))} |"
            for member in members if member.name != "reserved"]
    return "\n".join([f"| {mark} | |", "|---|---|", *rows])


def shown_by(name, examples):
    found = [stem for stem, text in examples.items() if re.search(rf"\b{name}\b", text)]
    found.sort(key=lambda stem: (examples[stem].count("\n"), stem))
    return found[:SHOWN_MAX]


def section(item, examples, names):
    kind = {headers.Struct: "struct ", headers.Enum: "enum "}.get(type(item), "")
    parts = [f"({anchor(item.name)})=\n## {kind}{item.name.replace('_', chr(92) + '_')}"]
    if isinstance(item, headers.Function):
        parts.append(f"```c\n{prototype(item)}\n```")
    elif isinstance(item, headers.Typedef):
        parts.append(f"```c\n{item.declaration}\n```")
    elif isinstance(item, headers.Macro):
        parts.append(f"```c\n#define {item.name} {item.value}\n```")
    elif isinstance(item, headers.Struct) and item.members is not None:
        parts.append(f"```c\n{struct_text(item)}\n```")
    parts += paragraphs(item.text)
    if isinstance(item, headers.Struct) and item.members:
        parts.append(members_table(item.members, "member"))
    if isinstance(item, headers.Enum):
        parts.append(members_table(item.members, "value"))
    parts += labels_of(item, names)
    shown = shown_by(item.name, examples)
    if isinstance(item, headers.Function) and not item.inline and not shown:
        raise SystemExit(f"docs: {item.name}: no example")
    if shown:
        parts.append("Shown in " + ", ".join(f"[{stem}.c](../examples/{stem}.md)" for stem in shown))
    return "\n\n".join(parts)


def lay_out(reference, folder, out):
    """Writes the pages; returns where each name is: {name: (page, anchor)}."""
    out.mkdir()
    examples = {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.c"))}
    everything = reference.anything()
    names = {name: (f"reference/{item.header[:-2]}", anchor(item.name))
             for name, item in everything.items()}
    short = {name.removeprefix("URLPOOL_E_"): place for name, place in names.items()}
    names.update({name: place for name, place in short.items() if SHORT.fullmatch(name)})
    index = ["# Reference", "Every public name by its header; a program includes `<urlpool/urlpool.h>`, "
             "which has them all. A name in the text leads here."]
    for header, order in sorted(reference.order.items()):
        stem = header[:-2]
        items = [everything[name] for name in order]
        parts = [f"# urlpool/{header}", *(section(item, examples, names) for item in items)]
        (out / f"{stem}.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")
        rows = "\n".join(f"| `{item.name}` | {escaped(item.summary)} |" for item in items)
        index += [f"## [urlpool/{header}]({stem}.md)", f"| | |\n|---|---|\n{rows}"]
    stems = "\n".join(header[:-2] for header in sorted(reference.order))
    index.append(f"```{{toctree}}\n:hidden:\n{stems}\n```")
    (out / "index.md").write_text("\n\n".join(index) + "\n", encoding="utf-8")
    return names
