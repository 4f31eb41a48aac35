"""Machine and software of a run."""

import os
import platform
from pathlib import Path

import django

from benchmarks.database import fetch

SETTINGS = ["shared_buffers", "work_mem", "fsync", "synchronous_commit", "random_page_cost", "max_wal_size"]
PAGE = os.sysconf("SC_PAGE_SIZE")


def describe_environment() -> dict[str, str]:
    [(version, size, settings)] = fetch(
        "SELECT current_setting('server_version'), pg_size_pretty(pg_database_size(current_database())),"
        " string_agg(name || ' = ' || current_setting(name), ', ' ORDER BY name) FROM pg_settings WHERE name = ANY(%s)",
        [SETTINGS],
    )
    processors = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in processors if line.startswith("model name")]
    return {
        "processor": f"{os.cpu_count()} × {[*names, platform.machine()][0]}, shared by database, server and client",
        "memory": f"{os.sysconf('SC_PHYS_PAGES') * PAGE / 1024**3:.0f} GiB",
        "software": f"PostgreSQL {version}, Python {platform.python_version()}, Django {django.__version__}",
        "PostgreSQL's settings": settings,
        "size of the database": size,
    }


def memory_in_use() -> float:
    """Return this process's resident memory in MiB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE / 1024**2
