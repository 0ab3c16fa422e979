"""The finished manual pages, as tests see them: roff and rendered text, nothing of how they were made."""
import functools
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Manual:
    def __init__(self, folder):
        if shutil.which("mandoc") is None:
            sys.exit(77)
        self.folder = pathlib.Path(folder)
        self.links, self.pages = {}, {}
        for path in sorted(self.folder.glob("man[1-8]/*.[1-8]")):
            text = path.read_text(encoding="utf-8")
            if text.startswith(".so "):
                self.links[path.stem] = text.split()[1]
            else:
                self.pages[path.stem] = path

    @functools.lru_cache(maxsize=None)
    def rendered(self, name, width=300):
        """The text that a reader sees, in lines as long as they need be."""
        shown = subprocess.run(["mandoc", "-T", "utf8", "-O", f"width={width}",
                                str(self.pages[name])], check=True, capture_output=True, text=True)
        return re.sub(r".\x08", "", shown.stdout)

    def section(self, name, title, width=300):
        found = re.search(rf"^{title}\n(.*?)(?=^\S|\Z)", self.rendered(name, width),
                          re.MULTILINE | re.DOTALL)
        return found.group(1) if found else ""

    def home(self, name):
        """The page that `man NAME` shows."""
        if name in self.pages:
            return name
        target = self.links.get(name)
        if target is None or not (self.folder / target).exists():
            return None
        return pathlib.Path(target).stem


def plain(text):
    """A declaration without the blanks that mean nothing."""
    text = re.sub(r"\s+", " ", text)
    return re.sub(r" ?([*(),;{}\[\]]) ?", r"\1", text).strip()


def preprocessed():
    """All public headers, as a compiler that knows no attributes sees them."""
    done = subprocess.run(
        ["gcc", "-E", "-P", "-U__GNUC__", f"-I{ROOT}/include", "-x", "c", "-"], check=True,
        input="#include <urlpool/urlpool.h>\n", capture_output=True, text=True)
    return done.stdout.replace("_Bool", "bool")
