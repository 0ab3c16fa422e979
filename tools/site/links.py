"""Whether links lead somewhere: those between the Markdown files of the tree, by GitHub's rules for
anchors, and those of the finished site, which may load nothing from elsewhere. And whether code that
the guide cuts out of a file is in it."""
import html.parser
import re
import urllib.parse

FENCE = re.compile(r"^(```+|~~~+).*?^\1", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[(?:[^\[\]]|\[[^\[\]]*\])*\]\(([^()\s]+)(?:\s+\"[^\"]*\")?\)")
HEADING = re.compile(r"^#{1,6} +(.*?) *#*$", re.MULTILINE)
TARGET = re.compile(r"^\(([\w-]+)\)=$", re.MULTILINE)
CUT = re.compile(r"^```\{literalinclude\} (\S+)\n((?::.*\n)*)", re.MULTILINE)
WORDS = re.compile(r'^:(start-at|end-at|end-before): "(.*)"$', re.MULTILINE)
ELSEWHERE = ("http:", "https:", "mailto:")


def without_code(text):
    """Keeps lines where they are: nothing in code is a link."""
    text = FENCE.sub(lambda found: "\n" * found.group().count("\n"), text)
    return re.sub(r"(`+)(?:(?!\1).)+?\1", lambda found: "x" * len(found.group()), text)


def slug(heading):
    """The anchor that GitHub gives a heading."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "")
    return re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")


def anchors(text):
    found = set(TARGET.findall(text))
    counts = {}
    for heading in HEADING.findall(FENCE.sub("", text)):
        name = slug(heading)
        counts[name] = counts.get(name, -1) + 1
        found.add(name if counts[name] == 0 else f"{name}-{counts[name]}")
    return found


def markdown(root):
    yield from sorted(root.glob("*.md"))
    yield from sorted((root / "docs").rglob("*.md"))


def missing(lines, options):
    """What a cut asks for that the lines have not: from the first that has its start, to one behind."""
    for option, words in WORDS.findall(options):
        at = next((i for i, line in enumerate(lines) if words in line), None)
        if at is None:
            return f"no such {option}: {words}"
        lines = lines[at:] if option == "start-at" else lines
    return None


def of_cuts(root):
    """Of docs/guide: its index stands one folder above in the site."""
    wrong = []
    for page in sorted((root / "docs/guide").glob("*.md")):
        text = page.read_text(encoding="utf-8")
        for found in CUT.finditer(text):
            target, options = found.groups()
            path = (page.parent if page.name != "index.md" else page.parent.parent) / target
            lacks = missing(path.read_text("utf-8").splitlines(), options) if path.exists() else "no such file"
            if lacks:
                line = text.count("\n", 0, found.start()) + 1
                wrong.append(f"{page.relative_to(root)}:{line}: {target}: {lacks}")
    return wrong


def of_sources(root):
    wrong = of_cuts(root)
    number = 0
    for page in markdown(root):
        text = without_code(page.read_text(encoding="utf-8"))
        for found in LINK.finditer(text):
            target = found.group(1)
            number += 1
            if target.startswith(ELSEWHERE):
                continue
            path, _, anchor = urllib.parse.unquote(target).partition("#")
            to = (page.parent / path).resolve() if path else page
            line = text.count("\n", 0, found.start()) + 1
            where = f"{page.relative_to(root)}:{line}"
            if not to.exists():
                wrong.append(f"{where}: {target}: no such file")
            elif anchor and to.suffix == ".md" and anchor not in anchors(to.read_text("utf-8")):
                wrong.append(f"{where}: {target}: no such heading")
    return wrong if number else ["no link found at all"]


class Page(html.parser.HTMLParser):
    """The ids of a page, what it links to and what it loads."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.links, self.loads = set(), [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if attrs.get("id"):
            self.ids.add(attrs["id"])
        if tag == "script":
            self.loads.append("a script")
        if tag == "a" and attrs.get("href"):
            self.links.append(attrs["href"])
        if tag in ("link", "img", "script", "iframe") and (attrs.get("href") or attrs.get("src")):
            self.loads.append(attrs.get("href") or attrs.get("src"))


def of_site(out):
    wrong = []
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in sorted(out.rglob("*.html"))}
    for path, page in pages.items():
        name = path.relative_to(out)
        for target in page.loads:
            if target == "a script" or ":" in target or not (path.parent / target).exists():
                wrong.append(f"{name}: loads {target}")
        for target in page.links:
            if target.startswith(ELSEWHERE):
                continue
            file, _, anchor = urllib.parse.unquote(target).partition("#")
            to = (path.parent / file).resolve() if file else path
            if not to.exists():
                wrong.append(f"{name}: {target}: no such page")
            elif anchor and to in pages and anchor not in pages[to].ids:
                wrong.append(f"{name}: {target}: no such place")
    for sheet in out.rglob("*.css"):
        if re.search(r"url\(|@import", sheet.read_text(encoding="utf-8")):
            wrong.append(f"{sheet.relative_to(out)}: loads something")
    return wrong if pages else ["no page at all"]
