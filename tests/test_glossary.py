"""The words of `docs/glossary.md` in names and in texts that people read."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
APPS = ["config", "crm", "calls", "messaging", "analytics", "ops", "benchmarks", "drill"]
MODULES = sorted(
    path
    for app in APPS
    for path in (ROOT / app).rglob("*.py")
    if "migrations" not in path.parts
    and path.stem != "phrases"
    and "phrases" not in path.parts  # phrases are customers' own words
)
PAGES = sorted(
    path
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("*/templates/**/*.html")]
    if "node_modules" not in path.parts
    and path.name not in ("glossary.md", "CHANGELOG.md", "opt-outs-table.md", "benchmarks.md")
)

# Sentence forms that a stranger has to read twice.
RIDDLES = re.compile(
    r"\bwhoever\b|\bis no [a-z]+ (?:of|that|from)\b|\b(?:of|by) ours\b|\bit is .{1,40} that is\b", re.I
)
FIRST_WORDS = re.compile(r"(?:What|Who|Whoever|Which|Where|Whether|How) ")


def banned_words() -> dict[str, str]:
    """Return each banned word with the word to use instead, from the glossary's third column."""
    words = {}
    for line in (ROOT / "docs" / "glossary.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 3 and cells[0] != "word" and not cells[0].startswith("-"):
            words |= {word.strip(): cells[0] for word in cells[2].split(",") if word.strip()}
    return words


def plural(word: str) -> str:
    """Return a pattern that also matches the plural."""
    return f"{word[:-1]}(?:y|ies)" if word.endswith("y") else f"{word}s?"


BANNED = banned_words()
IN_PROSE = re.compile(r"\b(" + "|".join(map(plural, BANNED)) + r")\b(?! receipt)", re.I)
IN_NAMES = {word: re.compile(rf"(?:^|_){plural(word)}(?:_(?!receipt)|$)") for word in BANNED if " " not in word}


def names_in(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.arg(arg=name):
                yield name
            case ast.Name(id=name, ctx=ast.Store()):
                yield name


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def docstrings_in(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef) and (text := ast.get_docstring(node)):
            yield text


def sentences_in(tree: ast.AST) -> Iterator[str]:
    """Yield string constants that read like text for people: two words and more, no SQL."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
            if re.search(r"[a-z] [a-z]", text) and not re.search(
                r"\b(SELECT|INSERT|UPDATE|DELETE|CREATE|WHERE)\b", text
            ):
                yield text


def test_glossary_names_at_least_the_business_words():
    assert {"visit", "delivery", "ledger", "gate", "door", "fold"} <= BANNED.keys()


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_module_uses_the_glossarys_words(path):
    tree = ast.parse(path.read_text())
    wrong = [
        f"{name}: use {BANNED[word]}"
        for name in names_in(tree)
        for word, pattern in IN_NAMES.items()
        if pattern.search(snake(name))
    ]
    wrong += [f"{found}: {text[:60]}" for text in sentences_in(tree) for found in IN_PROSE.findall(text)]
    wrong += [text[:80] for text in docstrings_in(tree) if FIRST_WORDS.match(text) or RIDDLES.search(text)]
    assert not wrong


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_page_uses_the_glossarys_words(path):
    text = re.sub(r"```.*?```|`[^`]*`|\]\([^)]*\)", "", path.read_text(), flags=re.S)
    assert not IN_PROSE.findall(text)
    assert not RIDDLES.findall(text)
