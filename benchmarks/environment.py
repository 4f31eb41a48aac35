"""On what a run was made."""

import os
import platform
from pathlib import Path

import django
from django.db import connection

SETTINGS = ["shared_buffers", "work_mem", "fsync", "synchronous_commit", "random_page_cost", "max_wal_size"]


def describe_machine() -> dict[str, str]:
    """The machine, its software, and the settings of PostgreSQL that matter."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1024**3
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        version = cursor.fetchone()[0]
        cursor.execute(
            "SELECT string_agg(name || ' = ' || current_setting(name), ', ' ORDER BY name)"
            " FROM pg_settings WHERE name = ANY(%s)",
            [SETTINGS],
        )
        settings = cursor.fetchone()[0]
        cursor.execute("SELECT pg_size_pretty(pg_database_size(current_database()))")
        size = cursor.fetchone()[0]
    return {
        "processor": f"{os.cpu_count()} × {_processor()}, shared by database, server and client",
        "memory": f"{memory:.0f} GiB",
        "software": f"PostgreSQL {version}, Python {platform.python_version()}, Django {django.__version__}",
        "PostgreSQL's settings": settings,
        "size of the database": size,
    }


def _processor() -> str:
    with Path("/proc/cpuinfo").open() as lines:
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def memory_in_use() -> float:
    """MiB of this process, now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024**2
