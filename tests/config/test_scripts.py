"""Scripts, styles and templates of the pages: few bytes, none inline, none from another host."""

import re
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings

MOST_BYTES = 40_000  # of all scripts together, which no page needs at once
# A library's app may lie deeper in the checkout, in a virtual environment of any name.
FOLDERS = [Path(config.path) for config in apps.get_app_configs() if Path(config.path).parent == settings.BASE_DIR]


def files(kind):
    """Return our files with this ending, by their paths."""
    folder = "templates" if kind == "html" else "static"
    ours = [path for each in FOLDERS for path in (each / folder).rglob(f"*.{kind}")]
    return {str(path.relative_to(settings.BASE_DIR)): path.read_text() for path in ours}


def test_scripts_are_small():
    assert 10_000 < sum(len(text.encode()) for text in files("js").values()) <= MOST_BYTES


def test_scripts_load_nothing_from_another_host_and_run_no_text():
    for path, text in files("js").items():
        assert text.count('"use strict";') == 1, path
        assert not re.search(r"https?://|\beval\(|new Function|import\(|document\.write", text), path


def test_styles_load_nothing():
    for path, text in files("css").items():
        assert not re.search(r"@import|url\(", text), path


@pytest.mark.parametrize("path", files("html"))
def test_template_has_no_inline_script_or_style_and_names_no_other_host(path):
    text = files("html")[path]
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=\"|javascript:", text)
    for tag in re.findall(r"<(?:script|link|img|iframe|form|source)\b[^>]*>", text):
        assert not re.search(r"""(?:src|href|action)=["']?(?:https?:)?//""", tag), tag
