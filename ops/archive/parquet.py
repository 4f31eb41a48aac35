"""Lossless Parquet files of database rows."""

import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq
from django.db import models
from django.db.models.functions import Cast

PART = ".part"  # suffix of a file that is not valid yet
MODULUS = 2**256


class ArchiveDamaged(Exception):
    """A file is missing, changed, or made for other tables. The message names it."""


def stored_fields(model: type[models.Model]) -> list[models.Field]:
    """Return the fields that a file stores: all but the generated ones."""
    return [field for field in model._meta.concrete_fields if not field.generated]


def schema_of(model: type[models.Model]) -> pa.Schema:
    return pa.schema([pa.field(str(field.column), _type_of(field)) for field in stored_fields(model)])


def read_rows(rows: models.QuerySet) -> pa.Table:
    """Return the rows in the order of their ids. JSON is read as the database's text."""
    fields = stored_fields(rows.model)
    values = [
        Cast(field.name, models.TextField()) if isinstance(field, models.JSONField) else field.attname
        for field in fields
    ]
    read = list(rows.order_by("pk").values_list(*values))
    columns: Any = zip(*read, strict=True) if read else [()] * len(fields)
    schema = schema_of(rows.model)
    return pa.table(
        [
            pa.array([_as_bytes(value) for value in column] if pa.types.is_binary(kind) else column, kind)
            for column, kind in zip(columns, schema.types, strict=True)
        ],
        schema=schema,
    )


def write_part(table: pa.Table, path: Path) -> dict[str, Any]:
    """Write `<path>.part` durably. Returns the manifest's description of the file."""
    part = part_of(path)
    with open_private(part) as file:
        pq.write_table(table, file, compression="zstd")
    return {
        "file": path.name,
        "rows": table.num_rows,
        "bytes": part.stat().st_size,
        "sha256": hash_file(part),
        "content": hash_rows(table),
    }


@contextmanager
def open_private(path: Path) -> Iterator[BinaryIO]:
    """Write a file durably. Only its owner may read it, since it holds personal data."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
    sync_folder(path.parent)


def part_of(path: Path) -> Path:
    return path.with_name(path.name + PART)


def read_file(path: Path) -> pa.Table:
    """Return the rows of a file. Raises ArchiveDamaged if it is unreadable."""
    try:
        return pq.ParquetFile(path).read()
    except (OSError, pa.ArrowException) as error:
        raise ArchiveDamaged(f"{path} can't be read: {error}") from error


def rows_of(table: pa.Table) -> Iterable[tuple[Any, ...]]:
    """Return comparable rows: times are whole microseconds since 1970."""
    columns = [
        (column.cast(pa.int64()) if pa.types.is_timestamp(column.type) else column).to_pylist()
        for column in table.columns
    ]
    return zip(*columns, strict=True)


def hash_rows(table: pa.Table) -> str:
    """Return a checksum of the rows, independent of order and encoding: the sum of their SHA-256 hashes."""
    total = sum(int.from_bytes(hashlib.sha256(repr(row).encode()).digest()) for row in rows_of(table))
    return f"{total % MODULUS:064x}"


def hash_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync_folder(folder: Path) -> None:
    """Flush the folder's file names to the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _type_of(field: models.Field) -> pa.DataType:
    """Return the Parquet type of a column. Raises KeyError for a field type that no archived table has yet."""
    while isinstance(field, models.ForeignKey):
        field = field.target_field
    if isinstance(field, models.DecimalField):
        return pa.decimal128(field.max_digits, field.decimal_places)
    return _TYPES[field.get_internal_type()]


_TYPES = {
    "BigAutoField": pa.int64(),
    "BinaryField": pa.binary(),
    "BooleanField": pa.bool_(),
    "CharField": pa.string(),
    "DateTimeField": pa.timestamp("us", tz="UTC"),
    "JSONField": pa.string(),
    "PositiveIntegerField": pa.int64(),
    "PositiveSmallIntegerField": pa.int64(),
    "TextField": pa.string(),
}


def _as_bytes(value: Any) -> bytes | None:
    return None if value is None else bytes(value)
