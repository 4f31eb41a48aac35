"""Merges beside other transactions: other merges, events, opt-outs, senders and a killed process."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from crm.db.tenancy import all_tenants, tenant
from crm.models import Contact, ContactMerge, ContactPhone, OptOut
from crm.services.contacts import get_or_create_contact
from crm.services.merging.merge import merge_contacts
from crm.services.merging.tombstones import AlreadyMerged, find_kept
from crm.services.merging.undo import NewerMerge, Undoing, undo_merge
from crm.services.opt_outs import record_opt_out
from messaging.models import Message, WebhookEvent
from messaging.services.inbound.webhook_processing import process_due_events
from tests import factories
from tests.conftest import postgres_only
from tests.crm.merging.scene import add_history, differences, read_tables, rows_of_contact
from tests.db.scratch import another_session, wait_until
from tests.factories import WebhookSecretFactory
from tests.messaging.payloads import message_v4, post_event

pytestmark = [pytest.mark.slow, postgres_only, pytest.mark.django_db(transaction=True)]
ROUNDS = 6
KILLS = int(os.environ.get("MERGE_KILLS", "6"))


@pytest.fixture
def acme():
    company = factories.CompanyFactory(slug="acme")
    WebhookSecretFactory(company=company)
    return company


@pytest.fixture
def line(acme):
    return factories.PhoneLineFactory(company=acme)


def make_contacts(acme, line, count):
    contacts = [factories.ContactFactory(company=acme) for _ in range(count)]
    for contact in contacts:
        add_history(contact, line)
    return contacts


def at_once(*tasks):
    """Run the tasks at the same moment, each with its own connection. Returns their results or errors."""
    start = threading.Barrier(len(tasks))

    def run(task):
        try:
            start.wait()
            return task()
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(tasks)) as pool:
        return list(pool.map(run, tasks))


def merging(acme, kept, gone):
    def merge():
        with tenant(acme.pk):
            return merge_contacts(kept=kept, gone=gone, user=None)

    return merge


def check_nothing_refers_to_gone_contacts():
    with all_tenants():
        for merge in ContactMerge.objects.in_force():
            assert rows_of_contact(Contact(pk=merge.gone_id)) == {}
            assert Contact.objects.filter(pk=merge.kept_id).exists()
            assert not Contact.objects.filter(pk=merge.gone_id).exists()


def test_of_two_opposite_merges_one_wins(acme, line):
    for _ in range(ROUNDS):
        one, two = make_contacts(acme, line, 2)
        results = at_once(merging(acme, one, two), merging(acme, two, one))
        assert sorted(type(result).__name__ for result in results) == ["AlreadyMerged", "ContactMerge"]
    check_nothing_refers_to_gone_contacts()


def test_merges_of_three_contacts_end_in_one_or_are_refused(acme, line):
    for _ in range(ROUNDS):
        one, two, three = make_contacts(acme, line, 3)
        results = at_once(merging(acme, two, one), merging(acme, one, three))
        assert {type(result) for result in results} <= {ContactMerge, AlreadyMerged}
        with tenant(acme.pk):
            assert set(find_kept([one.pk]).values()) == {two.pk}
    check_nothing_refers_to_gone_contacts()


def test_texts_that_arrive_meanwhile_land_on_the_kept_contact(acme, line, client):
    for round_ in range(ROUNDS):
        one, two = make_contacts(acme, line, 2)
        for number in range(4):
            sender = (one, two)[number % 2].phone
            event = message_v4(id=f"AC{round_}-{number}", sender=sender, to=(line.number,))
            assert post_event(client, event).status_code == 200

        def work():
            while process_due_events(limit=2):
                pass

        results = at_once(merging(acme, one, two), work, work)
        assert isinstance(results[0], ContactMerge), results
        wait_until(lambda: process_due_events() or not pending())
        with tenant(acme.pk):
            arrived = Message.objects.filter(activity__openphone_id__startswith=f"AC{round_}-")
            assert list(arrived.values_list("contact", flat=True)) == [one.pk] * 4
    with all_tenants():
        assert set(WebhookEvent.objects.values_list("status", flat=True)) == {"processed"}
    check_nothing_refers_to_gone_contacts()


def pending():
    with all_tenants():
        return WebhookEvent.objects.waiting().exists()


def test_opt_out_at_the_same_moment_holds(acme, line):
    for _ in range(ROUNDS):
        one, two = make_contacts(acme, line, 2)

        def stop(phone=two.phone):
            with tenant(acme.pk):
                record_opt_out(phone=phone, words="STOP", source="sms", occurred_at=timezone.now())

        results = at_once(merging(acme, one, two), stop)
        assert not [result for result in results if isinstance(result, Exception)], results
        with tenant(acme.pk):
            assert OptOut.objects.get(phone=two.phone).state == "opted_out"
            assert one.flags.opted_out().exists()


def test_row_for_a_contact_that_merges_meanwhile_fails_or_moves(acme, line):
    """A writer has read the contact before, and commits after the merge, or the merge waits for it."""
    one, two = make_contacts(acme, line, 2)

    def write_and_merge():
        with tenant(acme.pk), transaction.atomic():
            factories.InvoiceFactory(contact=two)
            at_once(merging(acme, one, two))  # another connection: it commits first

    with pytest.raises(IntegrityError):
        write_and_merge()
    check_nothing_refers_to_gone_contacts()


def test_number_of_a_contact_that_is_merged_meanwhile_leads_to_the_kept_one(acme, line):
    for _ in range(ROUNDS):
        one, two = make_contacts(acme, line, 2)

        def find(phone=two.phone):
            with tenant(acme.pk):
                return get_or_create_contact(company_id=acme.pk, phone=phone).pk

        merged, found = at_once(merging(acme, one, two), find)
        assert isinstance(merged, ContactMerge)
        assert found in (one.pk, two.pk)
        with tenant(acme.pk):
            assert ContactPhone.objects.get(phone=two.phone).contact_id == one.pk


def test_merge_and_undoing_of_another_merge(acme, line):
    for _ in range(ROUNDS):
        one, two, three = make_contacts(acme, line, 3)
        first = merging(acme, one, two)()

        def undo(first=first):
            with tenant(acme.pk):
                return undo_merge(merge=first, user=None)

        at_once(undo, merging(acme, one, three))
    check_nothing_refers_to_gone_contacts()


def test_undoing_while_its_kept_contact_is_merged_into_another_one(acme, line):
    for _ in range(ROUNDS):
        one, two, three = make_contacts(acme, line, 3)
        first = merging(acme, one, two)()

        def undo(first=first):
            with tenant(acme.pk):
                return undo_merge(merge=first, user=None)

        undone, merged = at_once(undo, merging(acme, three, one))
        assert isinstance(undone, Undoing | NewerMerge), undone
        assert isinstance(merged, ContactMerge), merged
    check_nothing_refers_to_gone_contacts()


def waits_for_a_lock(table):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE %s", [f"%{table}%"]
        )
        return cursor.fetchone()[0]


@pytest.mark.parametrize("undoes", [False, True], ids=["merge", "undoing"])
def test_recall_that_holds_a_message_can_delete_its_activity(acme, line, undoes):
    """The outbox locks a message, then its activity. A merge that held the activity would wait for it for ever."""
    one, two = make_contacts(acme, line, 2)
    activity = factories.ActivityFactory(contact=two)
    message = factories.MessageFactory(
        contact=two, activity=activity, direction="outgoing", status="queued", run_at=timezone.now()
    )
    task = merging(acme, one, two)
    if undoes:
        merged = task()

        def task():
            with tenant(acme.pk):
                return undo_merge(merge=merged, user=None)

    with another_session() as other, ThreadPoolExecutor(1) as pool:
        other.execute("SET crm.all_companies = 'on'")
        other.execute("SELECT 1 FROM message_threads WHERE id = %s FOR UPDATE", [message.pk])
        assert other.fetchone()
        result = pool.submit(lambda: at_once(task)[0])
        wait_until(lambda: waits_for_a_lock("message_threads"))
        other.execute("SELECT 1 FROM activities WHERE id = %s FOR UPDATE NOWAIT", [activity.pk])
        assert other.fetchone()
        other.execute("ROLLBACK")
        assert not isinstance(result.result(), Exception), result.result()


def test_killed_merge_has_done_nothing_or_all(acme, line):
    one, two = make_contacts(acme, line, 2)
    before = read_tables(acme)
    code = (
        "import os, django; django.setup();"
        "from crm.db.tenancy import tenant; from crm.models import Contact, ContactMerge;"
        "from crm.services.merging import merge;"
        "save = ContactMerge.save;"
        "ContactMerge.save = lambda self, *a, **k: (save(self, *a, **k), print('moved', flush=True), input());"
        f"context = tenant({acme.pk}); context.__enter__();"
        f"merge.merge_contacts(kept=Contact.objects.get(pk={one.pk}), gone=Contact.objects.get(pk={two.pk}), user=None)"
    )
    url = f"{os.environ['DATABASE_URL'].rsplit('/', 1)[0]}/{connection.settings_dict['NAME']}"
    with subprocess.Popen(
        [sys.executable, "-c", code],
        env=os.environ | {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "config.settings"},
        cwd=Path(__file__).resolve().parents[3],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline() == "moved\n"
        process.send_signal(signal.SIGKILL)
    merged = merging(acme, one, two)()  # waits until the server has ended the killed session
    assert differences(before, read_tables(acme))
    with tenant(acme.pk):
        undo_merge(merge=merged, user=None)
    assert differences(before, read_tables(acme)) == {}


def merge_and_undo_for_ever(acme, chance):
    while True:
        with tenant(acme.pk):
            latest = ContactMerge.objects.in_force().order_by("pk").last()
            contacts = list(Contact.objects.order_by("pk"))
            if latest and (len(contacts) < 3 or chance.random() < 0.5):
                undo_merge(merge=latest, user=None)
            else:
                kept, gone = chance.sample(contacts, 2)
                merge_contacts(kept=kept, gone=gone, user=None, fields={"phone": chance.choice(["kept", "gone"])})


def is_alone():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend'"
        )
        return cursor.fetchone()[0] == 0


def test_merges_and_undoings_that_are_killed_at_random_lose_and_double_nothing(acme, line):
    """`MERGE_KILLS=200 pytest -s` prints the figures of a long run."""
    seed = random.randrange(10**6)  # noqa: S311
    print(f"seed {seed}")  # shown if it fails
    chance = random.Random(seed)  # noqa: S311
    make_contacts(acme, line, 6)
    before = read_tables(acme)
    for number in range(KILLS):
        connection.close()
        child = os.fork()
        if child == 0:
            try:
                merge_and_undo_for_ever(acme, random.Random(seed + number))  # noqa: S311
            finally:
                os._exit(1)
        time.sleep(chance.uniform(0.02, 0.6))
        os.kill(child, signal.SIGKILL)
        assert os.waitpid(child, 0)[1] == signal.SIGKILL  # it has not ended by itself
        wait_until(is_alone)  # the server has ended the killed session, and its commit
        check_nothing_refers_to_gone_contacts()
    with tenant(acme.pk):
        done = ContactMerge.objects.count()
        for merged in ContactMerge.objects.in_force().order_by("-pk"):
            assert undo_merge(merge=merged, user=None).not_restored == []
    assert differences(before, read_tables(acme)) == {}
    print(f"{KILLS} processes killed, {done} merges")
