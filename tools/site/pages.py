"""Lays out what Sphinx reads, in a folder of its own: settings, guide and pages as they are written,
with links to what the site has not taken out; reference and examples as they are drawn."""
import json
import re
import shutil

import headers
import reference

LINK = re.compile(r"\[((?:[^\[\]]|\[[^\[\]]*\])*)\]\(([^()\s]+)\)")
FENCED = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)
GROUPS = (
    ("To begin with", "first_get shared_by_threads json_bearer download_progress upload_file "
                      "multipart_form cancel_on_sigint"),
    ("Where it goes", "through_proxy unix_socket own_resolver client_certificate shared_trust"),
    ("What goes wrong, and what is watched", "retry_budget how_it_went watch_pool metrics_server "
                                             "trace_log timing_table upkeep"),
    ("Streams", "model_events reading_bodies reading_chunks stop_reading upgrade"),
    ("Values and lower floors", "headers urls bodies connection one_origin pools_of_manager "
                                "own_memory"),
    ("Services", "watch_service"),
)


class Site:
    """Where each file of the tree is on the site."""

    def __init__(self, root):
        self.root = root
        self.places = {root / "docs/examples": "examples/index",
                       root / "include/urlpool": "reference/index",
                       root / "README.md": "index"}
        for path in (root / "docs/guide").glob("*.md"):
            self.places[path] = f"guide/{path.stem}"
        self.places[root / "docs/guide/index.md"] = "index"
        for path in (root / "docs").glob("*.md"):
            self.places[path] = f"pages/{path.stem}"
        self.places[root / "CONTRIBUTING.md"] = "pages/CONTRIBUTING"
        for path in (root / "docs/examples").glob("*.c"):
            self.places[path] = f"examples/{path.stem}"
        for path in (root / "include/urlpool").glob("*.h"):
            self.places[path] = f"reference/{path.stem}"

    def rewritten(self, source, text):
        """The text of a page with its links as they are on the site."""
        here = self.places[source].split("/")[0] if "/" in self.places[source] else ""

        def one(found):
            words, target = found.groups()
            if ":" in target or target.startswith("#"):
                return found.group()
            path, mark, anchor = target.partition("#")
            place = self.places.get((source.parent / path).resolve())
            if not place:
                return words
            up = "../" if here else ""
            return f"[{words}]({up}{place}.md{mark}{anchor})"

        parts = FENCED.split(text)
        parts[::2] = [LINK.sub(one, part) for part in parts[::2]]
        return "".join(parts)


def head_comment(text):
    """The first comment of an example: its prose, and the lines that build and run it."""
    comment = re.match(r"/\*(.*?)\*/", text, re.DOTALL).group(1)
    lines = [re.sub(r"^ \* ?", "", line).rstrip() for line in comment.strip().split("\n")]
    prose = [" ".join(part.split()) for part in "\n".join(lines).split("\n\n")
             if not part.startswith("  ")]
    return prose


def example_page(path, functions):
    """Everything there is to see of one example."""
    text = path.read_text(encoding="utf-8")
    prose = head_comment(text)
    used = [name for name in sorted(functions) if re.search(rf"\b{name}\b", text)]
    parts = [f"# {path.name}", *map(reference.escaped, prose),
             f"```{{literalinclude}} {path.name}\n:language: c\n```"]
    unit = path.with_suffix(".service")
    if unit.exists():
        parts += [f"## {unit.name}", f"```{{literalinclude}} {unit.name}\n:language: ini\n```"]
    parts += ["## What it calls", " ".join(f"`{name}`" for name in used)]
    return "\n\n".join(parts) + "\n", prose[0]


def lay_out_examples(root, tree, functions):
    folder = tree / "examples"
    folder.mkdir()
    first = {}
    for path in sorted((root / "docs/examples").glob("*.[cs]*")):
        shutil.copy(path, folder)
        if path.suffix == ".c":
            text, first[path.stem] = example_page(path, functions)
            (folder / f"{path.stem}.md").write_text(text, encoding="utf-8")
    parts = ["# Examples", "Each is a page, built with the public headers alone, run by the tests "
             "against servers, under AddressSanitizer too. Together they call every function there is."]
    listed = []
    for title, names in GROUPS:
        rows = [f"| [{name}.c]({name}.md) | {reference.escaped(re.split(r'(?<=[.:]) ', first[name])[0])} |"
                for name in names.split()]
        listed += names.split()
        parts += [f"## {title}", "\n".join(["| | |", "|---|---|", *rows])]
    if sorted(listed) != sorted(first):
        raise SystemExit(f"docs: in no group: {set(first) ^ set(listed)}")
    parts.append("```{toctree}\n:hidden:\n" + "\n".join(listed) + "\n```")
    (folder / "index.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def lay_out(root, tree):
    site = Site(root)
    shutil.copy(root / "docs/site/conf.py", tree)
    shutil.copytree(root / "docs/site/theme", tree / "theme")
    for source, place in site.places.items():
        if source.suffix != ".md" or source.name == "README.md":
            continue  # folders and sources; the site begins in its own way
        to = tree / f"{place}.md"
        to.parent.mkdir(exist_ok=True)
        to.write_text(site.rewritten(source, source.read_text(encoding="utf-8")), encoding="utf-8")
    rows = sorted(place.split("/")[1] for place in site.places.values() if place.startswith("pages/"))
    (tree / "pages/index.md").write_text(
        "# Pages\n\nWhat holds, and what was decided, in the words of those who work on it.\n\n"
        "```{toctree}\n:maxdepth: 1\n\n" + "\n".join(rows) + "\n```\n", encoding="utf-8")
    known = headers.read(root / "include/urlpool")
    names = reference.lay_out(known, root / "docs/examples", tree / "reference")
    lay_out_examples(root, tree, known.functions)
    version = known.macros["URLPOOL_VERSION"].value.strip('"')
    (tree / "known.json").write_text(json.dumps({"names": names, "version": version}),
                                     encoding="utf-8")
