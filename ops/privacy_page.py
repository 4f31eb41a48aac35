"""The admin's page that exports a contact's personal data, and says how it is erased."""

import json
from typing import Any, cast

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404

from crm.db.tenancy import tenant
from crm.models import Contact, User
from crm.services.exports.audit import record_export
from ops.privacy.export_erase import export_person
from ops.privacy.people import person_of


def contact_of(request: HttpRequest, contact_id: int) -> Contact:
    """Return the contact, for staff who may change contacts."""
    if not request.user.has_perm("crm.change_contact"):
        raise PermissionDenied
    return get_object_or_404(Contact.objects.select_related("company"), pk=contact_id)


def describe_privacy(contact: Contact) -> dict[str, Any]:
    """Return what the page shows."""
    is_number = contact.phone.startswith("+")
    return {
        "title": f"Export or erase {contact}",
        "contact": contact,
        "command": f"manage.py erase_contact {contact.company.slug} {contact.phone}" if is_number else "",
    }


def download(request: HttpRequest, contact: Contact) -> HttpResponse:
    """Return all personal data of the contact as `manage.py export_contact` writes them, archives included."""
    # They load Arrow, which no other page needs: each web process would pay for its start and memory.
    from ops.archive.erasure import ArchiveMissing, export_archived
    from ops.archive.parquet import ArchiveDamaged

    try:
        with tenant(contact.company_id):
            person = person_of(contact)
            exported = export_person(person=person) | {"archived": export_archived(person=person)}
            text = json.dumps(exported, cls=DjangoJSONEncoder, indent=2, ensure_ascii=False)
    except (ArchiveMissing, ArchiveDamaged) as error:
        messages.error(request, f"Nothing was exported. {error}")
        return HttpResponseRedirect(request.path)
    facts = {"contact": contact.pk, "personal_data": True}
    record_export(user=cast(User, request.user), company_id=contact.company_id, table="contacts", facts=facts)
    response = HttpResponse(text + "\n", content_type="application/json; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="contact-{contact.pk}.json"'
    return response
