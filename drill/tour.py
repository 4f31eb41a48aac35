"""Screenshots of the admin for docs/tour.md, from demo data: `make tour`.

A throw-away database on SQLite, a server of this product and a Chromium. It needs the development requirements.
"""

import os
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from urllib.error import URLError
from urllib.request import urlopen

from playwright.sync_api import Browser, sync_playwright

from drill.product import ROOT
from tests.browser.chromium import ARGUMENTS, find_chromium

IMAGES = ROOT / "docs" / "images"
USER, PASSWORD = "admin", "demo"
WIDTH, PHONE = 1280, 390
START_S = 60
# By name of the file: the path, the colour scheme and the width.
PICTURES = {
    "home": ("/admin/?company=summit-roofing", "light", WIDTH),
    "home-dark": ("/admin/?company=summit-roofing", "dark", WIDTH),
    "home-phone": ("/admin/?company=summit-roofing", "light", PHONE),
    "search": ("/admin/search/?q=smith", "light", WIDTH),
}


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="crm-tour-") as folder, sync_playwright() as playwright:
        program = find_chromium(playwright)
        if program is None:
            sys.exit("No Chromium is installed: apt-get install chromium, or playwright install chromium.")
        port = _free_port()
        environment = os.environ | {"DATABASE_URL": f"sqlite:///{folder}/tour.sqlite3", "PORT": str(port)}
        _manage("migrate", "--verbosity", "0", environment=environment)
        tomorrow = datetime.now(UTC).date() + timedelta(days=1)  # so that today has calls
        _manage("seed_demo", "--until", tomorrow.isoformat(), environment=environment)
        server = subprocess.Popen(
            [sys.executable, "manage.py", "runserver", "--noreload", f"127.0.0.1:{port}"],
            cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_for(url)
            browser = playwright.chromium.launch(executable_path=program, args=list(ARGUMENTS))
            for name in take_pictures(browser, url):
                print(f"docs/images/{name}")
        finally:
            server.terminate()
            server.wait()


def take_pictures(browser: Browser, url: str) -> list[str]:
    """Take each picture and return the names of their files."""
    first = browser.new_page()
    first.goto(f"{url}/admin/login/")
    first.fill("#id_username", USER)
    first.fill("#id_password", PASSWORD)
    first.click("input[type=submit]")
    session = first.context.storage_state()
    for name, (path, scheme, width) in PICTURES.items():
        context = browser.new_context(
            storage_state=session,
            viewport={"width": width, "height": 900},
            color_scheme="dark" if scheme == "dark" else "light",
        )
        page = context.new_page()
        page.goto(url + path)
        page.screenshot(path=IMAGES / f"{name}.png", full_page=True)
        context.close()
    return [f"{name}.png" for name in PICTURES]


def _manage(*arguments: str, environment: dict[str, str]) -> None:
    subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL
    )


def _free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        return int(server.getsockname()[1])


def _wait_for(url: str) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        try:
            urlopen(f"{url}/healthz").close()  # noqa: S310  # a URL of ours
        except URLError:
            time.sleep(0.2)
        else:
            return
    sys.exit("The server didn't start.")


if __name__ == "__main__":
    main()
