"""Figures on pages, worded as in commands."""

from django.template import Library

from analytics.index_health.words import in_bytes

register = Library()
register.filter(in_bytes)
