"""Which documented index served what, by PostgreSQL's own counters."""

import time
from contextlib import AbstractContextManager

from django.apps import apps
from django.db import connection

from benchmarks.explain import indexes_used
from benchmarks.questions import QUESTIONS, BenchQuery
from benchmarks.report import Chapter
from benchmarks.sample import Sample
from crm.db.tenancy import all_tenants, tenant

FLUSH_S = 2  # after which sessions that have gone have told what they did

ABOUT = """`pg_stat_user_indexes` after the run: since the database was made, or, where chapter 1 was part of the run,
since it built the indexes and asked each its question. An index that served nothing has the word of the planner:
through what it answers the question of that index at this size."""


def describe_usage(samples: list[Sample]) -> Chapter:
    connection.close()  # our own session tells as well
    time.sleep(FLUSH_S)
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexrelname, idx_scan, idx_tup_read FROM pg_stat_user_indexes")
        counters = {name: (scans, rows) for name, scans, rows in cursor.fetchall()}
    declared = {index.name: index for model in apps.get_models() for index in model._meta.indexes}
    chapter = Chapter("Which index served what", [ABOUT])
    rows = []
    for question in QUESTIONS:
        scans, read = counters[question.index]
        index = declared[question.index]
        word = f"{index.question} ({index.asked_by})" if scans else _why_unused(question, samples[0])
        rows.append([f"`{question.index}`", f"{scans:,}", f"{read:,}", word])
    chapter.add_table(["index", "scans", "entries read", "what it answers, or why it served nothing"], rows)
    return chapter


def _why_unused(question: BenchQuery, sample: Sample) -> str:
    door: AbstractContextManager[None] = all_tenants() if question.of_all else tenant(sample.company.pk)
    with door:
        used = indexes_used(lambda: question.ask(sample))
    if question.index in used:
        return "not used: nobody asked its question in these chapters"
    through = ", ".join(f"`{name}`" for name in used)
    return f"**not used**: answered through {through}" if used else "**not used**: the table is small, and read whole"
