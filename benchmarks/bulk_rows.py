"""More rows than the demo tells stories of: texts, analyses, contacts, deliveries and memberships of a busy system.

They are the demo's own rows, copied by the database with other numbers, times and owners.
"""

from collections.abc import Mapping

from django.core.management.color import no_style
from django.db import connection, models

from analytics.models import CallAnalysis
from crm.models import Activity, CampaignMembership, Contact, ContactPhone
from messaging.models import Message, WebhookEvent

AREA_CODES = 788  # from 201 on; each has a hundred numbers that are reserved for fiction
ARRIVED = "('delivered', 'received')"


def fill_texts(*, target: int) -> None:
    """Repeat the texts of the demo, with their activities, until there are about `target`."""
    _repeat_texts(times=target // max(_count(Message), 1), of="true")


def deepen_thread(*, contact: int, target: int) -> None:
    """Make the thread with this contact about `target` texts long."""
    of = f"message.contact_card_id = {contact}"
    _repeat_texts(times=target // max(_count(Message, of.replace("message.", "")), 1), of=of)


def _repeat_texts(*, times: int, of: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(id), 0) FROM activities")
        last = cursor.fetchone()[0]
        cursor.execute(
            "CREATE TEMPORARY TABLE bench_texts AS"
            " SELECT message.id, message.activity_id, n, %s + row_number() OVER () AS new_id"
            " FROM message_threads AS message, generate_series(1, %s) AS n"
            f" WHERE message.status IN {ARRIVED} AND {of}",
            [last, times - 1],
        )
        earlier = "original.created_at - new.n * interval '7 hours'"
        _copy_rows(
            Activity,
            "bench_texts AS new JOIN activities AS original ON original.id = new.activity_id",
            {"id": "new.new_id", "openphone_id": "original.openphone_id || '-' || new.new_id", "created_at": earlier},
        )
        _copy_rows(
            Message,
            "bench_texts AS new JOIN message_threads AS original ON original.id = new.id",
            {"activity_id": "new.new_id", "membership_id": "NULL", "created_at": earlier},
        )
        cursor.execute("DROP TABLE bench_texts")
        for statement in connection.ops.sequence_reset_sql(no_style(), [Activity]):
            cursor.execute(statement)


def fill_analyses(*, each: int) -> None:
    """An analysis of each `each`-th call that was answered and has none yet."""
    _copy_rows(
        CallAnalysis,
        "calls JOIN (SELECT *, row_number() OVER () AS place FROM call_analysis) AS original"
        f" ON original.place = 1 + calls.id / {each} %% {_count(CallAnalysis)}"
        f" WHERE calls.id %% {each} = 0 AND calls.answered_at IS NOT NULL"
        " AND NOT EXISTS (SELECT FROM call_analysis AS other WHERE other.call_id = calls.id)",
        {
            "tenant_id": "calls.company_id",
            "call_id": "calls.id",
            "analyzed_at": "calls.created_at + interval '20 minutes'",
        },
    )


def fill_contacts(*, each_company: int) -> None:
    """So many contacts more in each company, of the names that it has, with numbers that it has not."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(id) FROM contacts")
        last = cursor.fetchone()[0]
    _copy_rows(
        Contact,
        f"""companies CROSS JOIN LATERAL (
            SELECT n, '+1' || 201 + n / 100 || '55501' || lpad((n %% 100)::text, 2, '0') AS phone
            FROM generate_series(0, {AREA_CODES * 100 - 1}) AS n
            WHERE NOT EXISTS (
                SELECT FROM contact_phones AS taken WHERE taken.company_id = companies.id
                AND taken.phone = '+1' || 201 + n / 100 || '55501' || lpad((n %% 100)::text, 2, '0')
            ) ORDER BY n LIMIT {each_company}
        ) AS new JOIN (
            SELECT company_id, count(*) AS places FROM contacts GROUP BY company_id
        ) AS size ON size.company_id = companies.id JOIN (
            SELECT *, row_number() OVER (PARTITION BY company_id) AS place FROM contacts
        ) AS original ON original.company_id = companies.id AND original.place = 1 + new.n %% size.places""",
        {"phone": "new.phone", "email": "'c' || new.n || original.email"},
    )
    _copy_rows(
        ContactPhone,
        f"contacts CROSS JOIN (SELECT * FROM contact_phones LIMIT 1) AS original WHERE contacts.id > {last}",
        {
            "company_id": "contacts.company_id",
            "contact_id": "contacts.id",
            "phone": "contacts.phone",
            "created_at": "contacts.created_at",
        },
    )


def fill_deliveries(*, target: int) -> None:
    """Repeat the deliveries that are worked off until there are about `target`."""
    times = target // max(_count(WebhookEvent), 1)
    _copy_rows(
        WebhookEvent,
        f"webhook_events AS original, generate_series(1, {times - 1}) AS n WHERE original.processed",
        {
            "event_id": "original.event_id || '-' || n",
            "created_at": "original.created_at - n * interval '13 minutes'",
        },
    )


def fill_memberships(*, target: int) -> None:
    """Contacts in campaigns until there are about `target` memberships."""
    missing = target - _count(CampaignMembership)
    if missing <= 0:
        return
    _copy_rows(
        CampaignMembership,
        "(SELECT DISTINCT ON (campaign_id) * FROM campaign_memberships WHERE status = 'delivered') AS original"
        " JOIN contacts ON contacts.company_id = original.company_id WHERE NOT EXISTS (SELECT FROM"
        " campaign_memberships AS other WHERE (other.campaign_id, other.contact_id) ="
        f" (original.campaign_id, contacts.id)) LIMIT {missing}",
        {"contact_id": "contacts.id", "activity_id": "NULL"},
    )


def _copy_rows(model: type[models.Model], source: str, changes: Mapping[str, str]) -> None:
    """Rows of `source`'s alias `original`, a row of the model's table each, with `changes` to some of its columns."""
    columns = [str(field.column) for field in model._meta.concrete_fields if not field.generated]
    if "id" not in changes:
        columns.remove("id")
    values = ", ".join(changes.get(column, f"original.{column}") for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {model._meta.db_table} ({', '.join(columns)}) SELECT {values} FROM {source}", [])
        connection.check_constraints()


def _count(model: type[models.Model], condition: str = "true") -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {model._meta.db_table} WHERE {condition}")
        return cursor.fetchone()[0]
