"""The user of a token, as each request reads it."""

import pytest
from django.db import connection
from django.utils.timezone import now

from crm.api.base.token_users import read_user
from crm.api.tokens import SESSION, SessionToken
from crm.db.replicas import RECORD
from crm.db.tenancy import all_tenants, all_tenants_autocommit
from crm.models import User
from tests.conftest import postgres_only
from tests.count_queries import CountQueries

pytestmark = pytest.mark.django_db


def values_of(row):
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def test_user_and_company_are_the_stored_rows(csr):
    User.accounts.filter(pk=csr.pk).update(last_login=now())
    session = SessionToken.for_user(csr)[SESSION]
    with all_tenants_autocommit(), CountQueries() as asked:
        user = read_user(csr.pk, session=session)
        company = user.company
    assert len(asked) == 1
    with all_tenants():
        stored = User.accounts.select_related("company").get(pk=csr.pk)
    assert (values_of(user), values_of(company)) == (values_of(stored), values_of(stored.company))
    assert not user.get_deferred_fields()
    assert type(user.is_active) is bool
    assert user.signed_in


def test_user_without_a_company_has_none(staff):
    with all_tenants():
        user = read_user(staff.pk, session="")
    assert (user.company, bool(user.signed_in)) == (None, False)


def test_session_of_another_user_is_none(csr, manager):
    session = SessionToken.for_user(manager)[SESSION]
    with all_tenants():
        assert not read_user(csr.pk, session=session).signed_in
        assert read_user(0, session=session) is None


@postgres_only
def test_position_of_the_last_write_is_read_with_replicas(csr, settings):
    settings.REPLICAS = ["default"]
    with all_tenants():
        assert read_user(csr.pk, session="").write_position is None
        with connection.cursor() as cursor:
            cursor.execute(RECORD, [csr.pk])
        assert read_user(csr.pk, session="").write_position > 0
