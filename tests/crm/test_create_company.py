"""The command `create_company`."""

import pytest
from django.core.management import CommandError, call_command

from crm.db.tenancy import all_tenants, tenant
from crm.models import Company, PhoneLine, User

pytestmark = pytest.mark.django_db


def create(*arguments, name="Acme Roofing", slug="acme", timezone="America/Denver"):
    call_command("create_company", "--name", name, "--slug", slug, "--timezone", timezone, *arguments)


def assert_nothing_is_written():
    with all_tenants():
        assert not Company.objects.exists()
        assert not PhoneLine.objects.exists()
        assert not User.objects.exists()


def test_command_creates_a_company_with_lines_and_a_manager(capsys):
    create("--line", "(212) 555-0100=PN1", "--line", "+12125550101=PN2", "--manager", "maria")
    company = Company.objects.get()
    assert (company.name, company.slug, company.timezone) == ("Acme Roofing", "acme", "America/Denver")
    with tenant(company.pk):
        lines = PhoneLine.objects.order_by("id").values_list("number", "provider_id", "provider")
        assert list(lines) == [("+12125550100", "PN1", "openphone"), ("+12125550101", "PN2", "openphone")]
        manager = User.objects.get()
    assert (manager.username, manager.role, manager.is_staff) == ("maria", "manager", False)
    password = capsys.readouterr().out.split("password ")[1].split(",")[0]
    assert manager.check_password(password)


def test_lines_and_manager_are_optional(capsys):
    create()
    assert capsys.readouterr().out == "Created Acme Roofing (acme).\n"


def test_provider_id_of_a_line_is_optional():
    create("--line", "2125550100")
    with all_tenants():
        assert PhoneLine.objects.get().provider_id == ""


@pytest.mark.parametrize(
    ("arguments", "fields", "named"),
    [
        ([], {"name": ""}, "--name"),
        ([], {"slug": "two words"}, "--slug"),
        ([], {"timezone": "Mars/Olympus"}, "--timezone"),
        (["--line", "12=PN1"], {}, "--line"),
        (["--line", "=PN1"], {}, "--line"),
        (["--line", "2125550100=PN1", "--line", "2125550100=PN2"], {}, "--line"),
        (["--line", "2125550100=PN1", "--line", "2125550101=PN1"], {}, "--line"),
        (["--line", "2125550100=" + "P" * 101], {}, "--line"),
        (["--line", "2125550100=PN1", "--manager", "two words"], {}, "--manager"),
    ],
)
def test_invalid_argument_is_named_and_nothing_is_written(arguments, fields, named):
    with pytest.raises(CommandError, match=f"^{named}: "):
        create(*arguments, **fields)
    assert_nothing_is_written()


def test_taken_slug_and_user_name_are_refused():
    create("--manager", "maria")
    with pytest.raises(CommandError, match=r"^--slug: "):
        create(name="Another")
    with pytest.raises(CommandError, match=r"^--manager: "):
        create("--manager", "maria", slug="another")
    assert Company.objects.count() == 1
