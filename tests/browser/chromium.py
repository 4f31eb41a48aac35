"""A Chromium for tests and screenshots: Debian's, another one of the system, or Playwright's own."""

import shutil
from pathlib import Path

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "chrome")
ARGUMENTS = ("--no-sandbox", "--disable-dev-shm-usage")  # in containers there is no sandbox and little shared memory


def find_chromium(playwright):
    """Return the path of a program, or None where none is installed."""
    for program in PROGRAMS:
        if found := shutil.which(program):
            return found
    own = playwright.chromium.executable_path
    return own if Path(own).exists() else None
