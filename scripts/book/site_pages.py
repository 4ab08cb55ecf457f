"""The web site: the chapters without hidden blocks and fence words, formulas as MathML, English at site/, Chinese at site/zh/."""

import os
import re
import shutil
import subprocess
import sys

from latex2mathml.converter import convert

import chapters
from chapters import DOCS, FENCE
from experiments import ROOT

SOURCE = ROOT / ".build/book"
SITE = ROOT / "site"
# $...$ outside of code.
INLINE_MATH = re.compile(r"(`+)(?:.*?[^`])?\1(?!`)|(?<![\\$\w])\$([^$\n]+?)\$(?!\w)")
# Code, formulas, or N_f in prose.
SUBSCRIPT = re.compile(r"(`[^`\n]*`|\$[^$\n]+\$|\]\([^)]*\))|(?<!\w)([NLR])_(f|j|k|cls|reg)(?!\w)")
# (1 - p)^γ in prose.
SUPERSCRIPT = re.compile(r"(`[^`\n]*`|\$[^$\n]+\$)|\^(\w)")
# A line break between Chinese characters would show as a space.
CHINESE = "[\u3000-\u30ff\u4e00-\u9fff\uff00-\uffef]"
CHINESE_BREAK = re.compile(f"(?<={CHINESE})\n(?={CHINESE})")
MARKER_LINE = re.compile(r"^<!-- (?:table: .+?|(?:snippet|rows): \d+|end) -->\n", re.MULTILINE)


def build():
    shutil.rmtree(SOURCE, ignore_errors=True)
    for language, folder in [("en", DOCS), ("zh", DOCS / "zh")]:
        target = SOURCE / language
        # A chapter that is not translated stands in English.
        for path in sorted(DOCS.glob("*.md")):
            own = folder / path.name
            write(target / path.name, page(own.read_text(), own) if own.exists() else page(path.read_text(), path))
        for shared in ["figures", "results", "recipes"]:
            if (DOCS / shared).exists():
                shutil.copytree(DOCS / shared, target / shared)
        shutil.copy(DOCS / "site/book.css", target)
        (target / "README.md").rename(target / "index.md")
        os.environ["NO_MKDOCS_2_WARNING"] = "1"
        command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--config-file", str(DOCS / f"site/{language}.yml")]
        if subprocess.run(command, cwd=ROOT).returncode != 0:
            raise SystemExit("the site could not be built")
    print(f"site: {SITE.relative_to(ROOT)}/index.html")


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def page(markdown, path):
    """What a reader is to see."""
    parts, last = [], 0
    for match in FENCE.finditer(markdown):
        parts += [prose(markdown[last:match.start()], path), block(match)]
        last = match.end()
    return re.sub(r"\n{3,}", "\n\n", "".join(parts + [prose(markdown[last:], path)]))


def block(match):
    info = match[3].split()
    if "hidden" in info:
        return ""
    if info[:1] == ["math"]:
        return f'<div class="formula">{convert(match[4].strip(), display="block")}</div>'
    return f"{match[1]}{match[2]}{info[0] if info else 'text'}\n{match[4]}{match[1]}{match[2]}"


def prose(text, path):
    def math(match):
        return match[0] if match[2] is None else convert(match[2])

    text = SUBSCRIPT.sub(
        lambda match: match[0] if match[1] else f"<i>{match[2]}</i><sub>{match[3]}</sub>", MARKER_LINE.sub("", text))
    text = SUPERSCRIPT.sub(lambda match: match[1] or f"<sup>{match[2]}</sup>", text)
    text = CHINESE_BREAK.sub("", INLINE_MATH.sub(math, text))
    # One folder less: pages of a translation have the figures beside them.
    return text.replace("](../", "](") if path.parent != DOCS else text
