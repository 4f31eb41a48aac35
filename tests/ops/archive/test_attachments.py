"""Archiving of calls with recordings: those that are stored keep their call in the database."""

from django.utils.timezone import now

from calls.models import Attachment, Call
from crm.db.tenancy import all_tenants
from tests import factories
from tests.ops.archive.fixture import OLD, archive


def test_stored_recording_keeps_its_call(acme, tmp_path):
    at = now() - OLD
    kept, gone = (factories.CallFactory(contact__company=acme, created_at=at) for _ in range(2))
    of = {"contact": None, "company": acme, "kind": "recording", "created_at": at}
    stored = factories.AttachmentFactory(call=kept, **of)
    factories.AttachmentFactory(call=gone, file=None, status="failed", **of)
    result = archive(acme, tmp_path)
    assert result.kept["calls", "referenced by attachments"] == 1
    with all_tenants():
        assert [*Call.objects.all()] == [kept]
        assert [*Attachment.objects.all()] == [stored]
