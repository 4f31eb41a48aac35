"""Admin for imports: upload, mapping, dry run, run with progress, rejected rows and undo."""

from crm.admin.imports import pages

__all__ = ["pages"]
