"""The Python that `make` takes: the newest of at least 3.11."""

import os
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OVERRIDES = {"PYTHON", "VENV", "MFLAGS"}


@pytest.fixture
def path(tmp_path):
    """The environment of a machine with these Pythons, of which the newest is a shim for nothing."""
    for version, status in (("3.9", 0), ("3.10", 0), ("3.11", 0), ("3.13", 0), ("3.19", 0), ("3.20", 1)):
        program = tmp_path / f"python{version}"
        program.write_text(f"#!/bin/sh\nexit {status}\n")
        program.chmod(0o755)
    # A `make test-fast PYTHON=…` hands its own choice on to every make below it.
    kept = {key: value for key, value in os.environ.items() if not key.startswith("MAKE") and key not in OVERRIDES}
    return kept | {"PATH": f"{tmp_path}:/usr/bin:/bin", "HOME": str(tmp_path)}


def lines_of(command, environment):
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_pythons_from_3_11_on_are_found_newest_first(path, tmp_path):
    found = [Path(line) for line in lines_of(["/bin/sh", "config/pythons.sh"], path)]
    assert [python.name for python in found if python.parent == tmp_path] == ["python3.19", "python3.13", "python3.11"]


def test_make_takes_the_newest(path, tmp_path):
    shown = lines_of(["make", "--no-print-directory", "--eval=shown: ; @echo $(PYTHON)", "shown"], path)
    assert shown == [str(tmp_path / "python3.19")]


def test_every_python_from_3_11_on_is_allowed():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["requires-python"] == ">=3.11"
