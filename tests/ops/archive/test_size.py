"""Archive and restore at size: ARCHIVE_CALLS=1000000 python -m pytest -s --database=postgres <this file>."""

import hashlib
import os
import resource
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.utils.timezone import now

from analytics.rollups.update import update_call_rollup
from crm.db.audit_context import audit_disabled
from crm.db.tenancy import all_tenants
from crm.models import Company
from ops.archive.archiving import archive_company
from ops.archive.manifest import MODELS
from ops.archive.restore import find_archives, restore_archive
from ops.demo import seed_demo
from tests.ops.archive.fixture import dashboard

CALLS = int(os.environ.get("ARCHIVE_CALLS", "600"))
PAGE = 20_000  # compared rows in memory at once
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def checksums():
    """Return the row count of each table and a hash of its rows in the order of ids."""
    sums = {}
    with all_tenants(), connection.cursor() as cursor:
        for table in MODELS:
            digest, count, last = hashlib.sha256(), 0, 0
            while True:
                cursor.execute(f"SELECT * FROM {table} WHERE id > %s ORDER BY id LIMIT %s", [last, PAGE])
                position = [column[0] for column in cursor.description].index("id")
                rows = cursor.fetchall()
                for row in rows:
                    digest.update(repr([bytes(v) if isinstance(v, memoryview) else v for v in row]).encode())
                if not rows:
                    break
                count, last = count + len(rows), rows[-1][position]
            sums[table] = (count, digest.hexdigest())
        digest, count = hashlib.sha256(), 0
        columns = "call_id, label, analyzed_at"
        cursor.execute(f"SELECT {columns} FROM call_objections ORDER BY {columns}")
        while rows := cursor.fetchmany(PAGE):
            count += len(rows)
            digest.update(repr(rows).encode())
        sums["call_objections"] = (count, digest.hexdigest())
    return sums


def count_rows():
    with all_tenants(), connection.cursor() as cursor:
        counts = {}
        for table in (*MODELS, "call_objections"):
            cursor.execute(f"SELECT count(*) FROM {table}")
            [counts[table]] = cursor.fetchone()
        return counts


def close_most_calls():
    """Close most conversations and detach most appointments, so that about one call in ten is kept."""
    with all_tenants(), audit_disabled(), connection.cursor() as cursor:
        cursor.execute("UPDATE appointments SET call_id = NULL WHERE id % 20 <> 0")
        cursor.execute("UPDATE conversations SET status = 'closed', snoozed_until = NULL WHERE id % 20 <> 0")


class Measured:
    """Seconds spent inside, and the peak growth of the process's memory in MB."""

    def __enter__(self):
        self.before = self.peak = self._memory()
        self._done, self.began, self.cpu = threading.Event(), time.monotonic(), -time.process_time()
        self._sampler = threading.Thread(target=self._sample)
        self._sampler.start()
        return self

    def __exit__(self, *_):
        self._done.set()
        self._sampler.join()
        self.seconds = time.monotonic() - self.began
        self.cpu += time.process_time()
        self.mb = (self.peak - self.before) / 1e6

    def _sample(self):
        while not self._done.wait(0.05):
            self.peak = max(self.peak, self._memory())

    @staticmethod
    def _memory():
        return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE_BYTES


def test_large_archive_is_restored_row_by_row(tmp_path):
    with Measured() as loading:
        seed_demo(companies=1, contacts=max(20, min(40_000, CALLS // 25)), calls=CALLS, days=730, seed=1,
                  until=now().date() - timedelta(days=400))  # fmt: skip
        close_most_calls()
        company = Company.objects.get()
        while update_call_rollup(company=company):
            pass
    with Measured() as comparing:
        before, numbers = checksums(), dashboard(company)
    with Measured() as archiving:
        result = archive_company(company=company, cut_off=now() - timedelta(days=366), root=tmp_path, batch_size=2000)
    left = count_rows()
    assert dashboard(company) == numbers
    with Measured() as checking:
        [found] = find_archives(tmp_path)
    with Measured() as restoring:
        restored = restore_archive(found)
    assert not restored.conflicts
    assert checksums() == before
    assert dashboard(company) == numbers
    size = sum(path.stat().st_size for path in tmp_path.rglob("*.parquet"))
    print(f"\n{'table':20}{'rows':>10}{'archived':>10}{'restored':>10}  compared")
    for table, (rows, digest) in before.items():
        print(f"{table:20}{rows:>10,}{rows - left[table]:>10,}{restored.rows[table]:>10,}  equal {digest[:12]}")
    for (bundle, why), rows in sorted(result.kept.items()):
        print(f"kept of {bundle}: {rows:,} {why}")
    for what, part in {
        "loaded": loading, "compared": comparing, "archived": archiving, "checked": checking, "restored": restoring,
    }.items():  # fmt: skip
        print(f"{what:10}{part.seconds:6.1f} s, {part.cpu:6.1f} s of them in Python, memory + {part.mb:.0f} MB")
    print(
        f"{result.rows.total():,} rows archived; {size / 1e6:.1f} MB of Parquet; peak of the process"
        f" {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000:.0f} MB"
    )
    assert result.rows["calls"] > CALLS * 0.8
    assert max(archiving.mb, restoring.mb) < 400
