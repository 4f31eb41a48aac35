"""Bloat: indexes whose pages are mostly empty. Extension pgstattuple measures it."""

from collections.abc import Iterator
from math import ceil, log2

from django.conf import settings
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.template.defaultfilters import filesizeformat

from ops.index_health import remediation
from ops.index_health.catalog import CatalogIndex, Database
from ops.index_health.catalog.postgresql import fetch, find_extension
from ops.index_health.findings import Finding, FindingKind, SkippedCheck

PAGE = 8192  # bytes
HASH_PAGE_ENTRIES = (PAGE - 40) * 0.75 // 20  # without the page's header and trailer; fill factor 75, 20 bytes an entry
ONE_PHASE = 512  # a hash index doubles its buckets at once up to this number, and in four steps from there on


def find(database: Database) -> Iterator[Finding | SkippedCheck]:
    """Measure each valid B-tree and hash index of at least INDEX_BLOAT_MIN_BYTES."""
    connection = connections[database.alias]
    schema = find_extension(connection, "pgstattuple")
    if schema is None or not _can_measure(connection, schema):
        role = remediation.quote(connection.settings_dict["USER"])
        yield SkippedCheck(
            "Bloat is unknown: extension pgstattuple is not installed, or the role can't use it. A superuser must run:"
            f" CREATE EXTENSION IF NOT EXISTS pgstattuple; GRANT pg_stat_scan_tables TO {role};"
        )
        return
    too_large = []
    for index in database.indexes.values():
        if not index.valid or index.method not in ("btree", "hash") or index.bytes < settings.INDEX_BLOAT_MIN_BYTES:
            continue
        if database.tables[index.table].extension:
            continue
        if index.bytes > settings.INDEX_MEASURE_MAX_BYTES:
            too_large.append(index.name)
            continue
        measure = _expected_btree_bytes if index.method == "btree" else _expected_hash_bytes
        expected_bytes = measure(connection, schema, index)
        wasted = index.bytes - expected_bytes
        if wasted * 100 >= settings.INDEX_BLOAT_PERCENT * index.bytes:
            yield Finding(
                FindingKind.BLOAT,
                index.table,
                index.name,
                f"It takes {filesizeformat(index.bytes)} and needs {filesizeformat(expected_bytes)}:"
                f" {100 * wasted / index.bytes:.0f} % is bloat.",
                remedy=remediation.reindex(index),
                reclaimable_bytes=wasted,
            )
    if too_large:
        yield SkippedCheck(
            f"The bloat of {', '.join(too_large)} is unknown: larger than INDEX_MEASURE_MAX_BYTES"
            f" ({filesizeformat(settings.INDEX_MEASURE_MAX_BYTES)})."
        )


def _can_measure(connection: BaseDatabaseWrapper, schema: str) -> bool:
    [[allowed]] = fetch(connection, "SELECT has_function_privilege(%s, 'EXECUTE')", [f"{schema}.pgstatindex(regclass)"])
    return bool(allowed)


def _expected_btree_bytes(connection: BaseDatabaseWrapper, schema: str, index: CatalogIndex) -> int:
    """Return the size after a REINDEX, which fills leaf pages to the fillfactor and drops empty pages."""
    query = f"""
        SELECT internal_pages, leaf_pages, avg_leaf_density, coalesce((
            SELECT option_value::int FROM pg_class c, pg_options_to_table(c.reloptions)
            WHERE c.oid = %s::regclass AND option_name = 'fillfactor'
        ), 90)
        FROM {schema}.pgstatindex(%s::regclass)
    """  # noqa: S608  # the extension's schema
    [(internal, leaves, density, fillfactor)] = fetch(connection, query, [remediation.quote(index.name)] * 2)
    return (1 + internal + (ceil(leaves * density / fillfactor) if leaves else 0)) * PAGE


def _expected_hash_bytes(connection: BaseDatabaseWrapper, schema: str, index: CatalogIndex) -> int:
    """Return the size after a REINDEX. Overflow pages hold equal keys and stay."""
    query = f"SELECT overflow_pages, bitmap_pages, live_items FROM {schema}.pgstathashindex(%s::regclass)"  # noqa: S608
    [(overflow, bitmaps, entries)] = fetch(connection, query, [remediation.quote(index.name)])
    return (1 + _round_up_buckets(entries / HASH_PAGE_ENTRIES) + overflow + bitmaps) * PAGE


def _round_up_buckets(wanted: float) -> int:
    power = 2 ** ceil(log2(max(wanted, 2)))
    if power <= ONE_PHASE:
        return power
    step = power // 8  # a quarter of the last doubling
    return ceil(wanted / step) * step
