"""Modules that a process loads at its start."""

import os
import subprocess
import sys

import pytest

from config import settings

# Each is for one kind of file, command or page, or takes more memory than all of the product.
LATE = (
    "faker", "jsonschema", "matplotlib", "numpy", "openpyxl", "phonenumbers.carrier", "phonenumbers.geocoder", "PIL",
    "pyarrow", "rapidfuzz", "xlsxwriter",
)  # fmt: skip
# Only web processes show pages.
OF_PAGES = (
    "config.urls", "crm.admin", "crm.api.urls", "drf_spectacular.plumbing", "pglast", "rest_framework.views", "segno",
)  # fmt: skip
SHOW = f"print(*(name for name in {LATE + OF_PAGES!r} if name in sys.modules))"
ANSWER = f"""
import sys
from config.wsgi import application
from django.test import RequestFactory
application(RequestFactory().get("/api/v1/dashboard/calls").environ, lambda *answer: None)
{SHOW}
"""
WORK = f"""
import sys, django
from django.core.management import execute_from_command_line
django.setup()
from crm.services import self_check
def look(**options):
    {SHOW}
    sys.exit()
self_check.wait_until_ready = look
execute_from_command_line(["manage.py", "work"])
"""


def loaded_by(code, folder):
    environment = {"DATABASE_URL": f"sqlite:///{folder}/none", "DJANGO_SETTINGS_MODULE": "config.settings"}
    process = subprocess.run(
        [sys.executable, "-c", code],
        cwd=settings.BASE_DIR, env=os.environ | environment, stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    return process.stdout.split()


@pytest.mark.slow
def test_web_process_loads_no_package_that_few_requests_need(tmp_path):
    assert set(loaded_by(ANSWER, tmp_path)) == set(OF_PAGES)


@pytest.mark.slow
def test_worker_loads_no_page_and_no_package_that_few_jobs_need(tmp_path):
    assert loaded_by(WORK, tmp_path) == []


ASK_FOR_PAGES = """
import django, sys
django.setup()
assert "crm.admin" not in sys.modules
from django.contrib import admin
from crm.models import Contact
of_tokens = {model.__module__ for model in admin.site._registry if "token" in model.__module__}
print(admin.site.is_registered(Contact), *of_tokens)
"""


@pytest.mark.slow
def test_admin_has_its_pages_when_somebody_asks_for_them(tmp_path):
    """A program of ours, or a shell, looks into it without a request."""
    assert loaded_by(ASK_FOR_PAGES, tmp_path) == ["True", "crm.models.api_tokens"]
