"""Sign-in with a code, the mailed link, the second factor and the sessions, clicked."""

import pytest
from django.core import mail
from django.utils.timezone import now

from crm.models import SecondFactor, UserSession
from crm.services.links import make_token
from crm.services.mails import send_next_mail
from tests import factories
from tests.browser.conftest import faults_of, faults_of_paths
from tests.crm.test_account_pages import present_code
from tests.factories import PASSWORD

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

NEW = "shingle-99-x"


@pytest.fixture
def nina(transactional_db):
    """A user who has no password yet, and a second factor to reset."""
    nina = factories.UserFactory(username="nina", password="!none", email="nina@example.com")
    nina.second_factor_since = now()
    nina.save()
    return nina


def sign_in(page, **fields):
    for name, value in {"username": "stella", **fields}.items():
        page.fill(f"#id_{name}", value)
    page.click("text=Log in")


def test_pages_for_people_who_are_signed_out_can_be_used_by_everybody(open_page, nina):
    page = open_page("/admin/login/", signed_in=False)
    link = f"/set-password/{make_token(user=nina, kind='invitation')}"
    assert faults_of_paths(page, ["/admin/login/", "/forgotten-password", link]) == {}


def test_pages_of_an_account_can_be_used_by_everybody(open_page, nina, staff_user):
    factories.UserSessionFactory(user=staff_user, client=f"Mozilla/5.0 {'(X11; Linux x86_64) ' * 8}")
    of_nina = [f"crm/user/{nina.pk}/{page}/" for page in ("change", "password", "invite", "reset-second-factor")]
    paths = [f"/admin/{path}" for path in ("password_change/", "second-factor/", "sessions/", *of_nina)]
    assert faults_of_paths(open_page("/admin/"), paths) == {}


def test_sign_in_asks_for_the_code_of_the_app(open_page, staff_user):
    factories.SecondFactorFactory(user=staff_user)
    staff_user.second_factor_since = now()
    staff_user.save()
    page = open_page("/admin/login/", signed_in=False)
    sign_in(page, password=PASSWORD)
    page.wait_for_selector(".errornote")
    assert "the code of your authenticator app" in page.text_content(".errornote")
    sign_in(page, password=PASSWORD, code=present_code())
    page.wait_for_selector("#user-tools")


def test_forgotten_password_is_replaced_by_the_mailed_link(open_page, staff_user, live_server):
    staff_user.email = "stella@example.com"
    staff_user.save()
    page = open_page("/admin/login/", signed_in=False)
    page.click("text=Forgotten your password?")
    page.fill("#id_email", "stella@example.com")
    page.click("text=Continue")
    page.wait_for_selector("text=a mail with a link is on its way")
    assert send_next_mail()
    [link] = [word for word in mail.outbox[0].body.split() if "/set-password/" in word]
    page.goto(live_server.url + link[link.index("/set-password/") :])
    page.fill("#id_password", "short")
    page.click("text=Continue")
    page.wait_for_selector(".errorlist")
    page.fill("#id_password", NEW)
    page.click("text=Continue")
    page.click("text=Sign in to the admin")
    sign_in(page, password=NEW)
    page.wait_for_selector("#user-tools")


def test_second_factor_is_set_up_and_turned_on(open_page, staff_user):
    page = open_page("/admin/")
    page.click("#user-tools >> text=Second factor")
    page.fill("#id_password", PASSWORD)
    page.click("text=Set up")
    page.wait_for_selector("svg.segno")
    assert faults_of(page) == {}
    page.fill("#id_code", present_code(SecondFactor.objects.get().key))
    page.click("text=Turn on")
    page.wait_for_selector("text=never shown again")
    assert len(page.text_content("pre.source").split()) == 10


def test_lost_session_is_ended(open_page, staff_user):
    lost = factories.UserSessionFactory(user=staff_user, client="Lost laptop")
    page = open_page("/admin/")
    page.click("#user-tools >> text=Sessions")
    page.click(".state-panel:has-text('Lost laptop') >> button")
    page.wait_for_selector(".messagelist")
    assert not UserSession.objects.filter(pk=lost.pk).exists()
    assert "Lost laptop" not in page.text_content("#content")


def test_invitation_is_sent_from_the_users_page(open_page, nina):
    page = open_page(f"/admin/crm/user/{nina.pk}/change/")
    page.click("text=Send an invitation")
    page.click("input[value='Send an invitation']")
    page.wait_for_selector(".messagelist")
    assert "Queued an invitation." in page.text_content(".messagelist")
