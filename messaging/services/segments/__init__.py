"""Segments: named conditions that choose contacts."""
