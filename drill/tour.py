"""Screenshots of the admin for docs/tour.md, from demo data: `make tour`.

A throw-away database on SQLite, a server of this product and a Chromium. It needs the development requirements.
"""

import json
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
# By name of the file: the path, the colour scheme and the width. {…} is the ID of a row of FIND_ROWS.
PICTURES = {
    "home": ("/admin/?company=summit-roofing", "light", WIDTH),
    "home-dark": ("/admin/?company=summit-roofing", "dark", WIDTH),
    "home-phone": ("/admin/?company=summit-roofing", "light", PHONE),
    "search": ("/admin/search/?q=smith", "light", WIDTH),
    "call": ("/admin/calls/call/{call}/change/", "light", WIDTH),
    "appointments-week": ("/admin/calls/appointment/week?company={company}&day={day}", "light", WIDTH),
    "appointments-day": ("/admin/calls/appointment/day?company={company}&day={day}", "light", WIDTH),
    "campaign-draft": ("/admin/crm/campaign/{draft}/change/", "light", WIDTH),
    "campaign-start": ("/admin/crm/campaign/{draft}/start", "light", WIDTH),
    "campaign-test-send": ("/admin/crm/campaign/{draft}/test-send", "light", WIDTH),
    "campaign-running": ("/admin/crm/campaign/{running}/change/", "light", WIDTH),
    "campaign-report": ("/admin/crm/campaign/{paused}/change/", "light", WIDTH),
    "duplicate": ("/admin/crm/contact/{first}/merge/?other=%23{second}", "light", WIDTH),
    "company": ("/admin/crm/company/{company}/change/", "light", WIDTH),
}
WHOLE = {"home", "home-dark", "home-phone", "search"}
HEIGHT = 1000  # of the other pictures: the forms below go on
# Rows of the first company that show something.
FIND_ROWS = """
import json
from analytics.models import CallAnalysis
from calls.models import Appointment
from crm.db.tenancy import all_tenants
from crm.models import Campaign, Company, DuplicateCandidate
with all_tenants():
    company = Company.objects.get(slug="summit-roofing")
    said = CallAnalysis.objects.filter(company=company, call__detail__isnull=False).exclude(call__detail__transcript=[])
    analysis = said.exclude(objections=[])
    duplicate = DuplicateCandidate.objects.filter(company=company, state="open").order_by("-score").first()
    appointment = Appointment.objects.filter(company=company, status="confirmed").order_by("-scheduled_start").first()
    rows = {
        "company": company.pk,
        "call": analysis.order_by("-analyzed_at").first().call_id, "day": str(appointment.date),
        "first": duplicate.first_id, "second": duplicate.second_id,
    }
    for status in ("draft", "running", "paused"):
        rows[status] = Campaign.objects.filter(company=company, status=status).first().pk
print(json.dumps(rows))
"""


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
            rows = json.loads(_manage("shell", "--verbosity", "0", "-c", FIND_ROWS, environment=environment))
            for name in take_pictures(browser, url, rows):
                print(f"docs/images/{name}")
        finally:
            server.terminate()
            server.wait()


def take_pictures(browser: Browser, url: str, rows: dict[str, int | str]) -> list[str]:
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
            viewport={"width": width, "height": 900 if name in WHOLE else HEIGHT},
            color_scheme="dark" if scheme == "dark" else "light",
        )
        page = context.new_page()
        page.goto(url + path.format(**rows))
        page.screenshot(path=IMAGES / f"{name}.png", full_page=name in WHOLE)
        context.close()
    return [f"{name}.png" for name in PICTURES]


def _manage(*arguments: str, environment: dict[str, str]) -> str:
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout


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
