"""The deliberate differences: differences.txt, held against what is seen, and as a table in docs/.

A block of differences.txt is

    difference: what it is, for people
    reason: why urlpool does not do it
    cases: names, "*" for any run of characters
    at: keys of facts, likewise
    urllib3: what urllib3 has at the first of these keys, likewise; optional
    urlpool: what urlpool has at the first of these keys, likewise; optional

or, where the fact itself has to be put right before it can be compared, has in place of the last
four lines "adapt:" with one of ADAPTERS, which is then used in all cases. Each pattern of `cases`
and of `at` must have covered something, or it is out of date.
"""
import fnmatch
import re

from text import read_blocks

BEGIN, END = "<!-- differences.txt: begin -->", "<!-- differences.txt: end -->"


OWN = ("host", "accept-encoding", "content-length", "transfer-encoding")


def moved(theirs, number, name):
    """The order with `name` right behind the fields at its beginning that urllib3 adds itself."""
    names = [other for other in theirs[f"request.{number}.order"].split(", ") if other != name]
    own = list(OWN)
    if theirs.get(f"request.{number}.field.accept-encoding") != "Accept-Encoding: identity":
        own.remove("accept-encoding")
    at = 0
    while at < len(names) and names[at] in own:
        at += 1
    return ", ".join(names[:at] + [name] + names[at:])


def place_user_agent(theirs, number):
    """urllib3 1.26 adds its own User-Agent last; 2.x and urlpool before the caller's fields."""
    agent = theirs.get(f"request.{number}.field.user-agent", "")
    if not agent.startswith("User-Agent: python-urllib3"):
        return None
    return moved(theirs, number, "user-agent")


def place_transfer_encoding(theirs, number):
    """urllib3 1.26 with chunked=True adds Transfer-Encoding as the last field."""
    if not theirs[f"request.{number}.order"].endswith(", transfer-encoding"):
        return None
    return moved(theirs, number, "transfer-encoding")


ADAPTERS = {"transfer-encoding": place_transfer_encoding, "user-agent": place_user_agent}


class Difference:
    def __init__(self, block):
        self.block = dict(block)
        self.cases = self.block.get("cases", "").split()
        self.keys = self.block.get("at", "").split()
        self.unused = set(self.cases) | set(self.keys)
        self.adapter = self.block.get("adapt")
        if self.adapter:
            self.unused = {self.adapter}
        elif not (self.cases and self.keys and self.block.get("reason")):
            raise SystemExit(f"differences.txt: {block[0][1]}: no cases, keys or reason")

    def covers(self, case, key, ours, theirs):
        cases = [name for name in self.cases if fnmatch.fnmatchcase(case, name)]
        keys = [name for name in self.keys if fnmatch.fnmatchcase(key, name)]
        if not cases or not keys:
            return False
        if self.keys[0] in keys and not (fits(self.block.get("urlpool"), ours) and
                                         fits(self.block.get("urllib3"), theirs)):
            return False
        self.unused -= {*cases, *keys}
        return True


def fits(pattern, value):
    """Whether `value` is like `pattern`, where "*" is any run of characters and all else itself."""
    if pattern is None:
        return True
    expression = ".*".join(map(re.escape, pattern.split("*")))
    return re.fullmatch(expression, value) is not None


class Known:
    def __init__(self, known):
        self.known = known

    def adapt(self, theirs):
        """`theirs` with what differs everywhere put as urlpool has it."""
        theirs, number = dict(theirs), 1
        while f"request.{number}.order" in theirs:
            for difference in self.known:
                if not difference.adapter:
                    continue
                order = ADAPTERS[difference.adapter](theirs, number)
                if order is not None and order != theirs[f"request.{number}.order"]:
                    theirs[f"request.{number}.order"] = order
                    difference.unused.clear()
            number += 1
        return theirs

    def covers(self, case, key, ours, theirs):
        return any([known.covers(case, key, ours, theirs) for known in self.known])

    def unused(self):
        for known in self.known:
            for pattern in sorted(known.unused):
                yield f"{known.block['difference']}: nothing differs for {pattern}"


def read(path):
    return Known([Difference(block) for block in read_blocks(path)])


def table_of(path):
    """The page's table: a row for each difference, however many blocks it takes to pin it."""
    rows = {}
    for block in map(dict, read_blocks(path)):
        their, _, our = block["difference"].partition(" / ")
        cases = rows.setdefault(f"| {their} | {our} | {block['reason']} |", [])
        cases += [case for case in block.get("cases", "*").split() if case not in cases]
    lines = ["| urllib3 | urlpool | reason | cases |", "|---|---|---|---|"]
    lines += [f"{row} {' '.join(cases)} |".replace("*", "\\*") for row, cases in rows.items()]
    return "\n".join(lines)


def parts_of(page):
    before, _, rest = page.read_text().partition(BEGIN)
    table, _, after = rest.partition(END)
    return before, table.strip(), after


def is_on_page(path, page):
    return parts_of(page)[1] == table_of(path)


def write_page(path, page):
    before, _, after = parts_of(page)
    page.write_text(f"{before}{BEGIN}\n\n{table_of(path)}\n\n{END}{after}")
