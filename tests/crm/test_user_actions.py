"""Invitations, and the reset of a second factor, on a user's page."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.urls import reverse
from django.utils.timezone import now

from crm.db.tenancy import all_tenants
from crm.models import AuditEntry, Mail, SecondFactor, User, UserSession
from tests import factories

INVITE, RESET = "invite", "reset-second-factor"


@pytest.fixture
def nina(acme):
    """A user who has no password yet."""
    return factories.UserFactory(company=acme, username="nina", password="!none", email="nina@example.com")


@pytest.fixture
def secured(csr):
    factories.SecondFactorFactory(user=csr)
    csr.second_factor_since = now()
    csr.save()
    return csr


def page_of(user, action=""):
    page = reverse("admin:crm_user_change", args=[user.pk])
    return page.replace("change/", f"{action}/") if action else page


def offered(client, user):
    html = client.get(page_of(user)).content.decode()
    return [action for action in (INVITE, RESET) if page_of(user, action) in html]


def audited():
    with all_tenants():
        return list(AuditEntry.objects.filter(action="update", table_name="users", actor="stella"))


def messages_of(answer):
    return [(each.level_tag, str(each)) for each in answer.context["messages"]]


def test_page_offers_what_the_user_needs(staff_client, nina, secured, rep, staff):
    assert [offered(staff_client, user) for user in (nina, secured, rep, staff)] == [[INVITE], [RESET], [], []]
    nina.email = ""
    nina.save()
    assert offered(staff_client, nina) == []


def test_invitation_is_sent_once_it_is_confirmed(staff_client, nina):
    earlier = nina.password
    assert "nina@example.com gets a mail" in staff_client.get(page_of(nina, INVITE)).content.decode()
    assert not Mail.objects.exists()
    answer = staff_client.post(page_of(nina, INVITE), follow=True)
    assert messages_of(answer) == [("info", "Queued an invitation.")]
    assert Mail.objects.get().user == nina
    nina.refresh_from_db()
    assert nina.password != earlier
    assert [entry.changes for entry in audited()] == [{"password": ["(hidden)", "(hidden)"]}]
    assert LogEntry.objects.get().get_change_message() == "Queued an invitation."


def test_second_factor_is_reset_once_it_is_confirmed(staff_client, secured):
    factories.UserSessionFactory(user=secured)
    assert "All sessions of this user end" in staff_client.get(page_of(secured, RESET)).content.decode()
    assert SecondFactor.objects.exists()
    staff_client.post(page_of(secured, RESET))
    secured.refresh_from_db()
    assert secured.second_factor_since is None
    assert not SecondFactor.objects.exists()
    assert not UserSession.objects.filter(user=secured).exists()
    assert [[*entry.changes] for entry in audited()] == [["second_factor_since"]]


def test_what_does_not_fit_any_more_is_refused(staff_client, rep):
    for action in (INVITE, RESET):
        answer = staff_client.post(page_of(rep, action), follow=True)
        assert [level for level, _ in messages_of(answer)] == ["error"]
    assert not Mail.objects.exists()
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize(("group", "status"), [("Set-up", 302), ("Support", 403), ("Read-only", 403)])
def test_group_that_changes_users_does_it_and_others_do_not(group, status, client, nina, secured):
    user = factories.UserFactory(company=None, role="", is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    client.force_login(user)
    assert bool(offered(client, nina)) == (status == 302)
    assert client.post(page_of(nina, INVITE)).status_code == status
    assert client.post(page_of(secured, RESET)).status_code == status
    assert Mail.objects.exists() == (status == 302)


def test_staff_reset_neither_their_own_second_factor_nor_as_others_that_of_staff(client, staff_client, staff, acme):
    factories.SecondFactorFactory(user=staff)
    User.accounts.filter(pk=staff.pk).update(second_factor_since=now())
    assert staff_client.post(page_of(staff, RESET)).status_code == 403
    helper = factories.UserFactory(company=None, role="", is_staff=True)
    helper.groups.add(Group.objects.get(name="Set-up"))
    client.force_login(helper)
    assert client.post(page_of(staff, RESET)).status_code == 403
    assert SecondFactor.objects.exists()


def test_nobody_has_an_odd_id(staff_client, nina):
    for pk in (nina.pk + 999, "9" * 23):
        assert staff_client.post(f"/admin/crm/user/{pk}/{INVITE}/").status_code == 404
