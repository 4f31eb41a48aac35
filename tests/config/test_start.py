"""Modules that a process loads at its start, in each web process, worker and command."""

import subprocess
import sys

import pytest

from config import settings

# Each is for one kind of file, command or page, or takes more memory than all of the product.
LATE = (
    "matplotlib", "numpy", "openpyxl", "phonenumbers.carrier", "phonenumbers.geocoder", "PIL", "pyarrow", "uvicorn",
)  # fmt: skip


@pytest.mark.slow
def test_start_loads_no_package_that_few_requests_need():
    code = (
        "import sys; import config.wsgi; from django.urls import get_resolver; get_resolver()._populate();"
        f"print(*(name for name in {LATE!r} if name in sys.modules))"
    )
    started = subprocess.run(
        [sys.executable, "-c", code], cwd=settings.BASE_DIR, stdout=subprocess.PIPE, text=True, check=True
    )
    assert started.stdout.split() == []
