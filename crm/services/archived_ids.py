"""Recognition of archived activities and webhook events that a provider reports again."""

from collections.abc import Iterable

from crm.db.tenancy import current_company_id
from crm.encryption import keyed_hash
from crm.models import Activity, ArchivedId


class ActivityArchived(Exception):
    """An event is about an archived call or message, which is counted already."""

    def __init__(self) -> None:
        super().__init__("The call or message is archived; restore it to change it.")


def activity_key(openphone_id: str) -> str:
    return f"activity {openphone_id}"


def event_key(provider: str, event_id: str) -> str:
    return f"event {provider} {event_id}"


def remember_archived(keys: Iterable[str]) -> None:
    """Remember the ids of rows that are being archived in the active tenant."""
    company_id = current_company_id()
    rows = [ArchivedId(company_id=company_id, id_hash=_hash(key)) for key in keys]
    ArchivedId.objects.bulk_create(rows, ignore_conflicts=True, batch_size=1000)


def is_archived(key: str) -> bool:
    return ArchivedId.objects.filter(id_hash=_hash(key)).exists()


def refuse_archived(openphone_id: str) -> None:
    """Raise ActivityArchived if the activity with this provider's id is archived and was not restored."""
    if is_archived(activity_key(openphone_id)) and not Activity.objects.filter(openphone_id=openphone_id).exists():
        raise ActivityArchived


def _hash(key: str) -> int:
    return int.from_bytes(bytes.fromhex(keyed_hash("archived id", key))[:8], signed=True)
