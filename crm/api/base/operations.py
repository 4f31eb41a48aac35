"""Names of operations in the OpenAPI document: IDs, summaries and types of path parameters."""

import re
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import get_view_model

MAX_ID = 10**18 - 1  # of a URL: `TenantViewSet.lookup_value_regex`
WORDS = str.maketrans("/-", "  ")
SUMMARIES = {
    "list": "List {plural}",
    "retrieve": "Read {one}",
    "create": "Create {one}",
    "partial_update": "Change {one}",
    "destroy": "Delete {one}",
}


class NamedOperation(AutoSchema):
    """One operation with a name by one pattern: the path, then `list`, `retrieve`, …; an action has the path alone."""

    def get_operation_id(self) -> str:
        if self._action() in SUMMARIES:
            return super().get_operation_id()
        return "_".join(self._tokenize_path()).replace("-", "_")

    def get_summary(self) -> str:
        """Return the summary of a standard action, or else the start of the description."""
        if self._action() == "export":
            return f"Export {self.view.resource.translate(WORDS)}"  # type: ignore[attr-defined]  # of a TenantView
        model = get_view_model(self.view, emit_warnings=False)
        if self._action() in SUMMARIES and model:
            name = str(model._meta.verbose_name)
            one = f"{'an' if name[0] in 'aeio' else 'a'} {name}"
            return SUMMARIES[self._action()].format(one=one, plural=model._meta.verbose_name_plural)
        return re.split(r"[.:;(]", " ".join(self.get_description().split()), maxsplit=1)[0].strip()

    def _action(self) -> str:
        """Return the view's action. A view without actions reads and changes what its path names."""
        return getattr(self.view, "action", {"GET": "retrieve", "PATCH": "partial_update"}.get(self.method, ""))

    def _resolve_path_parameters(self, variables: list[str]) -> list[dict[str, Any]]:
        schema = {"type": "integer", "format": "int64", "minimum": 1, "maximum": MAX_ID}
        return [{"in": "path", "name": name, "schema": schema, "required": True} for name in variables]
