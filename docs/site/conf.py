"""Sphinx's settings for the site that tools/docs builds: guide, reference, examples, pages.

Names of the library in `code` become links to the reference, wherever they stand. Nothing is loaded
from elsewhere, and there is no JavaScript.
"""
import json
import pathlib

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

project = "urlpool"
author = "the authors of urlpool"
extensions = ["myst_parser"]
myst_heading_anchors = 3
myst_enable_extensions = ["deflist"]
suppress_warnings = ["toc.excluded"]
nitpicky = True
highlight_language = "none"
pygments_style = "default"

smartquotes = False

html_theme = "theme"
html_theme_path = ["."]
html_title = "urlpool"
html_use_index = False
html_copy_source = False
html_show_sphinx = False

KNOWN = json.loads((pathlib.Path(__file__).parent / "known.json").read_text(encoding="utf-8"))
version = KNOWN["version"]
NAMES = KNOWN["names"]  # name: (page, anchor)


class LinkNames(SphinxPostTransform):
    """Makes a link of each literal that is a name of the library: `urlpool_x`, `struct urlpool_x`."""
    default_priority = 5

    def run(self, **_):
        for literal in list(self.document.findall(nodes.literal)):
            words = literal.astext().removesuffix("()").split()
            where = NAMES.get(words[-1]) if words and words[0] in (words[-1], "struct", "enum") else None
            if not where or isinstance(literal.parent, (nodes.reference, nodes.title)):
                continue
            page, anchor = where
            uri = self.app.builder.get_relative_uri(self.env.docname, page)
            if page == self.env.docname:
                uri = ""
            link = nodes.reference("", "", internal=True, refuri=f"{uri}#{anchor}")
            literal.replace_self(link)
            link += literal


def without_blank_ends(_, document):
    """A snippet that ends before a line has the empty ones in front of it, too."""
    for block in document.findall(nodes.literal_block):
        text = block.astext().rstrip()
        block.rawsource = text
        block[:] = [nodes.Text(text)]


def without_search(app):
    app.builder.search = False  # its page would be JavaScript


def setup(app):
    app.add_post_transform(LinkNames)
    app.connect("builder-inited", without_search)
    app.connect("doctree-read", without_blank_ends)
