"""Recognition of archived calls and messages that a provider reports again."""

from collections.abc import Iterable

from crm.db.tenancy import current_company_id
from crm.encryption import keyed_hash
from crm.models import Activity, ArchivedId


class ActivityArchived(Exception):
    """An event is about an archived call or message, which is counted already."""

    def __init__(self) -> None:
        super().__init__("The call or message is archived; restore it to change it.")


def remember_archived(openphone_ids: Iterable[str]) -> None:
    """Remember the provider's ids of activities that are being archived in the active tenant."""
    company_id = current_company_id()
    rows = [ArchivedId(company_id=company_id, id_hash=_hash(openphone_id)) for openphone_id in openphone_ids]
    ArchivedId.objects.bulk_create(rows, ignore_conflicts=True, batch_size=1000)


def refuse_archived(openphone_id: str) -> None:
    """Raise ActivityArchived if the activity with this provider's id is archived and was not restored."""
    if find_archived([openphone_id]) and not Activity.objects.filter(openphone_id=openphone_id).exists():
        raise ActivityArchived


def find_archived(openphone_ids: Iterable[str]) -> dict[str, bool]:
    """Return those of the provider's ids that were archived, each as True. They may have been restored since."""
    ids = {_hash(openphone_id): openphone_id for openphone_id in openphone_ids}
    known = ArchivedId.objects.filter(id_hash__in=ids).values_list("id_hash", flat=True)
    return {ids[id_hash]: True for id_hash in known}


def _hash(openphone_id: str) -> int:
    return int.from_bytes(bytes.fromhex(keyed_hash("archived id", openphone_id))[:8], signed=True)
