"""The users of a company, for every role."""

import pytest

from tests.conftest import signed_in
from tests.factories import UserFactory

URL = "/api/v1/colleagues"


@pytest.mark.parametrize("role", ["manager", "csr", "rep"])
def test_every_role_sees_its_colleagues(role, acme, globex):
    caller = UserFactory(company=acme, role=role, username="carla")
    left = UserFactory(company=acme, role="rep", first_name="Ralph", last_name="Reed", is_active=False)
    UserFactory(company=globex)
    assert sorted(signed_in(caller).get(URL).json()["results"], key=lambda row: row["id"]) == [
        {"id": caller.pk, "username": "carla", "name": "carla", "role": role, "is_active": True},
        {"id": left.pk, "username": left.username, "name": "Ralph Reed", "role": "rep", "is_active": False},
    ]


def test_colleagues_are_filtered_by_role_and_activity(csr_api, csr, acme):
    rep = UserFactory(company=acme, role="rep")
    UserFactory(company=acme, role="rep", is_active=False)
    page = csr_api.get(f"{URL}?role=rep&is_active=true").json()
    assert [row["id"] for row in page["results"]] == [rep.pk]


def test_colleagues_are_read_only(manager_api):
    assert manager_api.post(URL, {}).status_code == 405
