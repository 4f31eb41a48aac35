"""Figures on pages, worded as in commands."""

from django.template import Library

from ops.index_health.formatting import in_bytes

register = Library()
register.filter(in_bytes)
