"""Built-in functions: which ones are volatile, and which ones a migration may call."""

from typing import Any

from crm.db.grammar import ast
from ops.safe_migrations.parser import walk

# IMMUTABLE or STABLE. PostgreSQL computes such a column default once for all rows.
_STABLE = """
abs age array_append array_fill array_length array_to_json array_to_string bit_length btrim ceil ceiling
char_length chr concat concat_ws convert_to current_database current_schema current_setting date date_part
date_trunc daterange decode encode extract floor format initcap int4range int8range json_build_array
json_build_object jsonb_build_array jsonb_build_object justify_days justify_hours left length lower lpad ltrim
make_date make_interval make_time make_timestamp make_timestamptz md5 mod now nullif numrange octet_length
overlay position power quote_ident quote_literal repeat replace reverse right round row_to_json rpad rtrim
sha256 split_part sqrt statement_timestamp string_to_array strpos substr substring timezone to_char to_date
to_hex to_json to_jsonb to_number to_timestamp transaction_timestamp trunc tsrange tstzrange upper version
"""
# VOLATILE functions and aggregates that neither lock a table nor change a row.
_HARMLESS = """
array_agg avg bool_and bool_or clock_timestamp count format_type gen_random_uuid generate_series jsonb_agg max
min nextval obj_description pg_get_constraintdef pg_get_indexdef pg_get_serial_sequence quote_nullable random
setval string_agg sum to_regclass to_regproc to_regtype unnest
"""
STABLE = frozenset(_STABLE.split())
HARMLESS = STABLE | frozenset(_HARMLESS.split())


def is_volatile(expression: Any) -> bool:
    """Return whether an expression may differ from row to row. An unknown function may."""
    return not find_functions(expression) <= STABLE


def find_functions(node: Any) -> set[str]:
    """Return the names of all functions called in a node, without `pg_catalog`; another schema is kept."""
    return {_read_name(below) for below in walk(node) if isinstance(below, ast.FuncCall)}


def _read_name(call: ast.FuncCall) -> str:
    names = [part.sval for part in call.funcname]
    return ".".join(names[1:] if names[0] == "pg_catalog" else names)
