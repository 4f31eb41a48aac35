"""Pages of the admin in Chromium, signed in as staff, with what the browser complains about."""

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from django.conf import settings
from playwright.sync_api import sync_playwright

from tests import factories
from tests.browser.chromium import ARGUMENTS, find_chromium

TIMEOUT_MS = 15_000
# Each differs from the one before in one thing, so that a loaded page goes through all of them.
LOOKS = [("light", 1280), ("dark", 1280), ("dark", 390), ("light", 390)]
# Where all texts are seen in both schemes, the shapes, names and roles are those of the scheme before.
RULES_OF_COLOURS = ["color-contrast", "link-in-text-block"]
# A table of a list scrolls by itself: it is as wide as its window, and its cells aren't.
OVERFLOWS = """() => [document.documentElement, document.querySelector(".results")]
    .some(box => box && box.scrollWidth > box.clientWidth)"""
# What the browser doesn't count: texts of a drawing beyond the window, and cells that lie over the next ones.
HIDDEN = """() => {
    const width = document.documentElement.clientWidth;
    const texts = [...document.querySelectorAll(".figure-drawing text")]
        .filter(text => text.getBoundingClientRect().right > width);
    const cells = [...document.querySelectorAll("table.week td, table.week th")]
        .filter(cell => cell.scrollHeight > cell.clientHeight + 1);
    return [...texts, ...cells].map(each => each.textContent.trim());
}"""
# Colours that are on their way to those of another scheme have no contrast to measure.
WITHOUT_TRANSITIONS = """() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync("*, *::before, *::after { transition: none !important; animation: none !important; }");
    document.adoptedStyleSheets = [sheet];
}"""
# Without preloading: axe would look for the style sheets that others import, relative to the page.
RUN_AXE = """async rules => {
    const only = rules ? { runOnly: { type: "rule", values: rules } } : {};
    const { violations } = await axe.run({ preload: false, resultTypes: ["violations"], elementRef: false, ...only });
    const serious = violations.filter(each => ["serious", "critical"].includes(each.impact));
    return Object.fromEntries(serious.map(each => [each.id, each.nodes.map(node => node.html)]));
}"""


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
        context = chromium.new_context(
            base_url=live_server.url, viewport={"width": width, "height": 900}, color_scheme=scheme
        )
        contexts.append(context)
        context.set_default_timeout(TIMEOUT_MS)
        if signed_in:
            context.add_cookies([{**cookie, "url": live_server.url}])
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(path)
        return page

    yield open_path
    for context in contexts:
        context.close()
    assert complaints == []


def serious_findings(page, *, rules=None):
    """Return what axe-core finds serious on the page, with the elements."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(WITHOUT_TRANSITIONS)
        page.evaluate(AXE_SCRIPT)
    return page.evaluate(RUN_AXE, rules)


def overflows(page):
    """Return whether the page is wider than the window."""
    return page.evaluate(OVERFLOWS)


def faults_of(page, *, looks=LOOKS):
    """Return what is wrong with the page as it is now, by colour scheme and width. The page isn't loaded again."""
    faults = {}
    for number, (scheme, width) in enumerate(looks):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 900})
        has_shapes_of_its_own = width != looks[number - 1][1]
        found = serious_findings(page, rules=None if has_shapes_of_its_own else RULES_OF_COLOURS)
        if overflows(page):
            found["overflows"] = True
        if hidden := page.evaluate(HIDDEN):
            found["hidden"] = hidden
        if found:
            faults[f"{scheme} {width}"] = found
    return faults


def faults_of_paths(page, paths, *, looks=LOOKS):
    """Return what is wrong with the pages of these paths, by path."""
    faults = {}
    for path in paths:
        page.set_viewport_size({"width": 1280, "height": 900})
        page.goto(path)
        if found := faults_of(page, looks=looks):
            faults[path] = found
    return faults
