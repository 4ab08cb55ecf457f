"""Chapters as text: what stands between markers, and whether translations share everything but prose.

    <!-- table: NAME --> ... <!-- end -->      a table from docs/results/quick/NAME.csv; "NAME, full" of the full mode
    <!-- snippet: N --> ... <!-- end -->       in docs/zh: the N-th shown block of the English page
    <!-- rows: N --> ... <!-- end -->          in docs/zh: its N-th table that stands between no markers
"""

import re
import sys
from dataclasses import dataclass

import results
from experiments import ROOT, Book

DOCS = ROOT / "docs"
MARKER = re.compile(r"<!-- (table|snippet|rows): (.+?) -->\n(?:(?!<!-- end -->).*\n)*<!-- end -->")
FENCE = re.compile(r"^( *)(`{3,}|~{3,})([^\n]*)\n(.*?)^\1\2 *$", re.DOTALL | re.MULTILINE)
TABLE = re.compile(r"(?:^\|.*\n)+", re.MULTILINE)


@dataclass
class Block:
    info: str
    text: str
    start: int
    end: int

    @property
    def is_hidden(self):
        return "hidden" in self.info.split()


def blocks(markdown):
    return [Block(m[3].strip(), m[0], m.start(), m.end()) for m in FENCE.finditer(markdown)]


def shown(markdown):
    return [block for block in blocks(markdown) if not block.is_hidden]


def tables(markdown):
    """The tables that no experiment made."""
    return TABLE.findall(FENCE.sub("", MARKER.sub(lambda marker: "" if marker[1] == "table" else marker[0], markdown)))


def english():
    return sorted(path for path in DOCS.glob("*.md") if path.name != "README.md")


def translations():
    return sorted(path for path in (DOCS / "zh").glob("*.md") if path.name != "README.md")


def filled(path, books):
    """The page's text with its markers' contents as they should be."""
    text = path.read_text()
    language = "zh" if path.parent.name == "zh" else "en"
    original = (DOCS / path.name).read_text() if language == "zh" else ""
    shared = {"snippet": [block.text for block in shown(original)], "rows": [table.rstrip() for table in tables(original)]}

    def content(match):
        kind, name = match[1], match[2]
        if kind == "table":
            experiment, _, mode = name.partition(", ")
            book = books[mode or "quick"]
            if experiment not in book.experiments:
                raise SystemExit(f"{path}: no experiment \"{experiment}\" of mode {book.mode} in docs/experiments.yaml")
            inner = results.table(book.experiments[experiment], book.mode, language)
        else:
            if not name.isdigit() or not 1 <= int(name) <= len(shared[kind]):
                raise SystemExit(f"{path}: the English page has no {kind} {name}")
            inner = shared[kind][int(name) - 1]
        return f"<!-- {kind}: {name} -->\n{inner}\n<!-- end -->" if inner else match[0]

    return MARKER.sub(content, text)


def books_by_mode():
    return {mode: Book(mode) for mode in ("quick", "full")}


def fill_all():
    books = books_by_mode()
    for path in english() + translations():
        text = filled(path, books)
        if text != path.read_text():
            path.write_text(text)
            print(f"filled {path.relative_to(ROOT)}")


def check():
    """Exit status: 1 where a table is not that of its results, or a translation has drifted."""
    books = books_by_mode()
    problems = []
    for path in english() + translations():
        name = path.relative_to(ROOT)
        if filled(path, books) != path.read_text():
            problems.append(f"{name}: tables or blocks are not current; run \"make book\"")
        for figure in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", path.read_text()):
            if not (path.parent / figure).exists():
                problems.append(f"{name}: no figure {figure}")
    for path in translations():
        problems += drift(path)
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


def drift(path):
    """In what a translation differs from its original other than prose."""
    name = path.relative_to(ROOT)
    original, text = (DOCS / path.name).read_text(), path.read_text()
    used = [int(n) for n in re.findall(r"<!-- snippet: (\d+) -->", text)]
    wanted = list(range(1, len(shown(original)) + 1))
    if used != wanted:
        yield f"{name}: has blocks {used}, the English page {wanted}"
    # A table's words may be translated.
    numbers = [[re.findall(r"\d+", table) for table in tables(t)] for t in (original, text)]
    if numbers[0] != numbers[1]:
        yield f"{name}: its tables' numbers, or the tables' order, are not those of the English page"
    for what, pattern in [("tables", r"<!-- table: (.+?) -->"), ("figures", r"!\[[^\]]*\]\((?:\.\./)?([^)]+)\)")]:
        if re.findall(pattern, text) != re.findall(pattern, original):
            yield f"{name}: its {what} are not those of the English page"
    outside = [FENCE.sub("", t) for t in (original, text)]
    counts = [len(re.findall(r"^#+ ", t, re.MULTILINE)) for t in outside]
    if counts[0] != counts[1]:
        yield f"{name}: {counts[1]} headings, the English page has {counts[0]}"
