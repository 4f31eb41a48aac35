"""Pages of the admin in Chromium, signed in as staff, with what the browser complains about."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from playwright.sync_api import sync_playwright

from tests import factories
from tests.browser.chromium import ARGUMENTS, find_chromium

SERIOUS = ("serious", "critical")
TIMEOUT_MS = 15_000


@pytest.fixture(scope="package")
def chromium():
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Playwright's loop runs in the thread of the tests
        program = find_chromium(playwright)
        if program is None:
            pytest.skip("No Chromium is installed: apt-get install chromium, or playwright install chromium.")
        browser = playwright.chromium.launch(executable_path=program, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def staff_user(transactional_db):
    return factories.UserFactory(company=None, role="", username="stella", is_staff=True, is_superuser=True)


@pytest.fixture
def open_page(chromium, live_server, client, staff_user):
    """Return a function that opens a path and returns the page. At the end no page may have complained."""
    client.force_login(staff_user)
    cookie = {"name": settings.SESSION_COOKIE_NAME, "value": client.cookies[settings.SESSION_COOKIE_NAME].value}
    contexts, complaints = [], []

    def open_path(path, *, width=1280, scheme="light", signed_in=True):
        context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        contexts.append(context)
        context.set_default_timeout(TIMEOUT_MS)
        if signed_in:
            context.add_cookies([{**cookie, "url": live_server.url}])
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(live_server.url + path)
        return page

    yield open_path
    for context in contexts:
        context.close()
    assert complaints == []


def serious_findings(page, *, leave_out=()):
    """Return what axe-core finds serious on the page, with the elements.

    Without preloading: axe would look for the style sheets that others import, relative to the page.
    """
    context = {"exclude": [[selector] for selector in leave_out]} if leave_out else None
    found = Axe().run(page, context, {"preload": False}).response["violations"]
    return {each["id"]: [node["html"] for node in each["nodes"]] for each in found if each["impact"] in SERIOUS}


def overflows(page):
    """Return whether the page is wider than the window."""
    return page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
