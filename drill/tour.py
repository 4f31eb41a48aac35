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
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, cast
from urllib.error import URLError
from urllib.request import urlopen
from zoneinfo import ZoneInfo

from PIL import Image
from playwright.sync_api import BrowserContext, FilePayload, Page, sync_playwright

from drill.product import ROOT
from tests.browser.chromium import ARGUMENTS, find_chromium

IMAGES = ROOT / "docs" / "images"
USER, PASSWORD = "admin", "demo"
WIDTH, HEIGHT, PHONE = 1280, 1000, 390
START_S = 60
ZONE = ZoneInfo("America/Denver")  # of the company on the pictures
COLORS = 128  # of a picture: a page has few, and the file is a third as large
LIST = (
    "Customer Name,Mobile Nr,Email,Street,Town,Roof type\n"
    "Ann Field,(719) 555-0101,ann@example.com,12 Oak Street,Denver,Metal\n"
    "Bob Hill,719.555.0102,,4 Elm Court,Aurora,Tile\n"
    "Cid Moss,1.71956E+10,cid@example.com,7 Pine Road,Denver,\n"
    "Dee Lane,719 555 0104,dee@example.com,9 Ash Lane,Boulder,Flat\n"
    "Eve Marsh,719-555-0105,eve@@example.com,31 Birch Way,Denver,Metal\n"
    "Gil West,719-555-0107,gil@example.com,2 Lake Road,Boulder,Slate\n"
    "Ann Field,+1 719 555 0101,,12 Oak Street,Denver,Metal\n"
    "Hal Bush,719-555-0108,,40 Hill Road,Denver,Tile\n"
)


@dataclass(frozen=True)
class Picture:
    """One page, as it is opened or after some steps.

    Attributes:
        path: {…} is the ID of a row of FIND_ROWS.
        height: of the window; None for the whole page.
    """

    path: str
    height: int | None = HEIGHT
    width: int = WIDTH
    scheme: Literal["light", "dark"] = "light"
    steps: Callable[[Page], object] | None = None


def upload_list(page: Page) -> None:
    file = {"name": "Customers of Oak Street.csv", "mimeType": "text/csv", "buffer": LIST.encode()}
    page.set_input_files("#id_upload", [cast(FilePayload, file)])
    page.click("input[name=_save]")
    page.wait_for_selector(".import-columns")


def count_segment(page: Page) -> None:
    page.click(".form-row:has(#id_segment) .select2-selection")
    page.keyboard.type("Not called")
    page.click(".select2-results__option:has-text('Not called'):has-text('Summit Roofing')")
    page.click("input[name=_count]")
    page.wait_for_selector(".campaign-effects")


HOME = "/admin/?company=summit-roofing"
CAMPAIGN = "/admin/crm/campaign"
# In the order in which they are taken, by the name of the file.
PICTURES = {
    "home": Picture(HOME, None),
    "home-dark": Picture(HOME, None, scheme="dark"),
    "home-phone": Picture(HOME, None, PHONE),
    "search": Picture("/admin/search/?q=smith", 700),
    "inbox": Picture("/admin/crm/conversation/?inbox=waiting", 800),
    "conversation": Picture("/admin/crm/conversation/{conversation}/change/", None),
    "conversation-phone": Picture("/admin/crm/conversation/{conversation}/change/", None, PHONE, "dark"),
    "contact": Picture("/admin/crm/contact/{contact}/change/"),
    "call": Picture("/admin/calls/call/{call}/change/"),
    "appointments-week": Picture("/admin/calls/appointment/week?company={company}&day={day}", 800),
    "appointments-day": Picture("/admin/calls/appointment/day?company={company}&day={day}", 800),
    "campaign-draft": Picture(f"{CAMPAIGN}/{{draft}}/change/"),
    "campaign-start": Picture(f"{CAMPAIGN}/{{draft}}/start", 800),
    "campaign-test-send": Picture(f"{CAMPAIGN}/{{draft}}/test-send", 600),
    "campaign-audience": Picture(f"{CAMPAIGN}/{{draft}}/audience", 800, steps=count_segment),
    "campaign-segment": Picture(
        "/admin/crm/segment/{segment}/change/", 800, steps=lambda page: page.wait_for_selector(".segment-sentence")
    ),
    "campaign-running": Picture(f"{CAMPAIGN}/{{running}}/change/", 700),
    "campaign-report": Picture(f"{CAMPAIGN}/{{paused}}/change/"),
    "campaign-paused": Picture(f"{CAMPAIGN}/{{paused}}/change/", 420),
    "duplicates": Picture("/admin/crm/duplicatecandidate/", 600),
    "duplicate": Picture("/admin/crm/contact/{first}/merge/?other=%23{second}"),
    "company": Picture("/admin/crm/company/{company}/change/"),
    "import-columns": Picture("/admin/crm/import/add/?company={company}", 900, steps=upload_list),
}
# The last import, which a worker has run meanwhile.
RESULT = {"import-done": Picture("/admin/crm/import/{import}/change/", 900)}
# Rows of the first company that show something.
FIND_ROWS = """
import json
from django.db.models import Count
from django.utils.timezone import now
from analytics.models import CallAnalysis
from calls.models import Appointment
from crm.db.tenancy import all_tenants
from crm.models import Campaign, Company, Conversation, DuplicateCandidate, Import, Segment
with all_tenants():
    company = Company.objects.get(slug="summit-roofing")
    said = CallAnalysis.objects.filter(company=company, call__detail__isnull=False).exclude(call__detail__transcript=[])
    analysis = said.exclude(objections=[]).exclude(call__contact__last_name="")
    duplicate = DuplicateCandidate.objects.filter(company=company, state="open").order_by("-score").first()
    coming = Appointment.objects.filter(scheduled_start__gt=now(), status__in=["scheduled", "confirmed"])
    day = coming.filter(company=company).values("date").annotate(n=Count("pk")).order_by("-n", "date").first()["date"]
    call = analysis.order_by("-analyzed_at").first().call
    waiting = Conversation.objects.filter(company=company, status="waiting")
    rows = {
        "company": company.pk, "call": call.pk, "contact": call.contact_id, "day": str(day),
        "conversation": waiting.alias(n=Count("activities")).order_by("-n", "-last_activity_at").first().pk,
        "segment": Segment.objects.get(company=company, name="Not called for a quarter").pk,
        "import": Import.objects.order_by("-pk").first().pk,
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
        tomorrow = datetime.now(ZONE).date() + timedelta(days=1)  # so that today has calls
        _manage("seed_demo", "--until", tomorrow.isoformat(), environment=environment)
        server = subprocess.Popen(
            [sys.executable, "manage.py", "runserver", "--noreload", f"127.0.0.1:{port}"],
            cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_for(url)
            browser = playwright.chromium.launch(executable_path=program, args=list(ARGUMENTS))
            context = browser.new_context(base_url=url)
            _sign_in(context.new_page())
            _take(context, PICTURES, _find_rows(environment))
            page = context.pages[-1]  # of the columns, which are chosen now
            page.click("input[name=_import]")
            page.wait_for_url("**/crm/import/*/change/")
            _manage("work", "--only", "tasks", "--until-empty", environment=environment)
            _take(context, RESULT, _find_rows(environment))
        finally:
            server.terminate()
            server.wait()
    sizes = {name: (IMAGES / f"{name}.png").stat().st_size for name in PICTURES | RESULT}
    for name, size in sizes.items():
        print(f"docs/images/{name}.png  {size // 1000} kB")
    print(f"{len(sizes)} pictures, {sum(sizes.values()) // 1000} kB")


def _sign_in(page: Page) -> None:
    page.goto("/admin/login/")
    page.fill("#id_username", USER)
    page.fill("#id_password", PASSWORD)
    page.click("input[type=submit]")


def _take(context: BrowserContext, pictures: Mapping[str, Picture], rows: dict[str, int | str]) -> None:
    """Take each picture, on one page that goes from one to the next."""
    page = context.pages[-1]
    for name, picture in pictures.items():
        page.emulate_media(color_scheme=picture.scheme)
        page.set_viewport_size({"width": picture.width, "height": picture.height or HEIGHT})
        page.goto(picture.path.format(**rows))
        if picture.steps:
            picture.steps(page)
        file = IMAGES / f"{name}.png"
        page.screenshot(path=file, full_page=picture.height is None, animations="disabled")
        with Image.open(file) as taken:
            taken.convert("RGB").quantize(COLORS, dither=Image.Dither.NONE).save(file, optimize=True)


def _find_rows(environment: dict[str, str]) -> dict[str, int | str]:
    found: dict[str, int | str] = json.loads(
        _manage("shell", "--verbosity", "0", "-c", FIND_ROWS, environment=environment)
    )
    return found


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
