"""Snippets of a company, as texts to one contact that staff put into a message."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpRequest

from crm.form_fields import is_id
from crm.models import Contact
from messaging.models import Snippet
from messaging.services.campaigns.placeholders import names_in, parse_body, values_of

MAX_SHOWN = 90


@dataclass(frozen=True)
class SnippetChoice:
    pk: int
    shortcut: str
    text: str
    """With the contact's values."""


def snippets_for(contact: Contact) -> Sequence[SnippetChoice]:
    """Return the snippets of the contact's company by their shortcut."""
    rows = Snippet.objects.filter(company=contact.company_id).order_by("shortcut")
    return [SnippetChoice(row.pk, row.shortcut, _text_for(contact, row)) for row in rows[:MAX_SHOWN]]


def add_snippet(request: HttpRequest, contact: Contact) -> dict[str, str]:
    """Return the fields of the form that was sent, with the chosen snippet behind its text."""
    pk = request.POST.get("snippet", "")
    chosen = Snippet.objects.filter(company=contact.company_id, pk=pk).first() if is_id(pk) else None
    texts = [request.POST.get("body", "").strip(), _text_for(contact, chosen) if chosen else ""]
    kept = {name: request.POST[name] for name in ("key", "phone_line") if name in request.POST}
    return {**kept, "body": " ".join(filter(None, texts))}


def _text_for(contact: Contact, snippet: Snippet) -> str:
    return parse_body(snippet.body).fill(defaultdict(str, values_of(contact, names_in(snippet.body))))
