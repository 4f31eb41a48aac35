"""Links, anchors and paths in the repository's pages."""

import re
from pathlib import Path

import pytest

from tests.test_glossary import APPS

ROOT = Path(__file__).parent.parent
PAGES = sorted(
    path for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")] if "node_modules" not in path.parts
)
# Pages whose back-ticked paths name files of the repository, from its root.
GUIDES = [
    *(ROOT / name for name in ("CONTRIBUTING.md", "README.md")),
    *(
        ROOT / "docs" / f"{name}.md"
        for name in ("adding-an-index", "architecture", "messaging", "safe-migrations", "testing")
    ),
]
LINK = re.compile(r"\]\(([^)\s]+)\)|<(?:img|a)\b[^>]*\b(?:src|href)=\"([^\"]+)\"")
PATH = re.compile(r"`([\w.<][\w.<>/-]*/[\w.<>/-]*|\w+\.py)`")


def without_code(text):
    return re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.S)


def links_in(page):
    """Return the page's links to files of the repository, each as path and anchor."""
    found = ("".join(match) for match in LINK.findall(without_code(page.read_text())))
    return [link.partition("#")[::2] for link in found if not re.match(r"[a-z]+:", link)]


def anchors_of(page):
    """Return the anchors of the headings, as GitHub makes them."""
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.S)
    headings = [re.sub(r"\]\([^)]*\)", "", heading) for heading in re.findall(r"^#+ (.+)$", text, re.M)]
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings}


def exists(path):
    """Return whether the path exists, from the root or inside an app; `<noun>` stands for any name."""
    pattern = re.sub(r"<\w+>", "*", path).rstrip("/")
    return any(ROOT.glob(pattern)) or any(any((ROOT / app).rglob(pattern)) for app in [*APPS, "tests"])


def paths_in(page):
    return PATH.findall(page.read_text())


def test_guides_name_paths():
    assert sum(len(paths_in(page)) for page in GUIDES) > 100


def test_pages_link_to_each_other():
    assert sum(len(links_in(page)) for page in PAGES) > 50


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_relative_links_lead_to_files_and_headings(page):
    broken = []
    for path, anchor in links_in(page):
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors_of(target)):
            broken.append(f"{path}#{anchor}")
    assert not broken


def test_pictures_are_used_and_small():
    used = {(page.parent / path).resolve() for page in PAGES for path, _ in links_in(page)}
    sizes = {path: path.stat().st_size for path in (ROOT / "docs" / "images").glob("*.png")}
    assert not sizes.keys() - used
    assert max(sizes.values()) <= 200_000
    assert sum(sizes.values()) <= 2_000_000


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.name)
def test_guide_names_existing_paths(page):
    assert not [path for path in paths_in(page) if not exists(path)]


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.name)
def test_guide_names_existing_make_targets(page):
    targets = re.findall(r"^([\w-]+):(?!=)", (ROOT / "Makefile").read_text(), re.M)
    assert set(re.findall(r"`make ([\w-]+)", page.read_text())) <= set(targets)
