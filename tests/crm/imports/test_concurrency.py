"""Imports beside other imports, merges, erasures and their own undo."""

from contextlib import suppress

import pytest
from django.db import connection
from django.db.models import Count

from crm.db.tenancy import all_tenants, tenant
from crm.models import BackgroundTask, Contact, ContactPhone, Import, ImportRow
from crm.services.background_tasks.jobs import do_next_step
from crm.services.background_tasks.requests import TaskHasEnded, cancel_task
from crm.services.imports.undo import NotUndoable, begin_undo
from crm.services.merging.merge import merge_contacts
from crm.services.merging.tombstones import AlreadyMerged
from crm.services.merging.undo import undo_merge
from ops.privacy.export_erase import erase_person
from ops.privacy.people import person_of
from tests.conftest import postgres_only
from tests.crm.imports.runs import begin, finish, run, undo
from tests.crm.merging.test_concurrency import at_once, check_nothing_refers_to_gone_contacts

pytestmark = pytest.mark.django_db(transaction=True)
HEADER = "First name,Last name,Phone,Email,Tags\n"
ROUNDS = 5


def rows(start, count, name="Robin", tag="VIP"):
    return "".join(
        f"{name},Field {n},303-555-01{n:02},robin{n}@example.com,{tag}\n" for n in range(start, start + count)
    )


def check_sums():
    """Every import adds up, its rows agree with it, and no number has two contacts."""
    assert connection.is_usable()
    with all_tenants():
        for source in Import.objects.all():
            assert source.rows == sum(source.counts.values()) - source.counts.get("rows", 0), source.counts
        twice = ContactPhone.objects.values("company", "phone").annotate(n=Count("pk")).filter(n__gt=1)
        assert not twice.exists()
        for contact in Contact.objects.all():
            assert contact.phone in set(contact.phones.values_list("phone", flat=True)), contact.pk


def importing(source):
    def work():
        return finish(source)

    return work


@postgres_only
def test_two_imports_of_one_file_at_once_make_each_contact_once(acme, tmp_path):
    text = HEADER + rows(0, 60)
    sources = [begin(acme, tmp_path, text, list_name=f"List {n}") for n in range(2)]
    done = at_once(*map(importing, sources))
    assert [getattr(each, "state", each) for each in done] == ["done", "done"]
    assert (
        sorted(each.created for each in done) in ([0, 60], [*range(1), 60]) or sum(each.created for each in done) == 60
    )
    check_sums()


@pytest.mark.slow
@postgres_only
def test_merges_and_an_import_of_the_same_contacts_leave_no_row_behind(acme, tmp_path):
    for round_ in range(ROUNDS):
        start = round_ * 20
        run(acme, tmp_path, HEADER + rows(start, 20), list_name=f"First {round_}")
        with tenant(acme.pk):
            contacts = list(Contact.objects.order_by("-pk")[:20])
        source = begin(acme, tmp_path, HEADER + rows(start, 20, tag="Roof"), list_name=f"Second {round_}")

        def merge(contacts=contacts):
            merged = []
            for kept, gone in zip(contacts[::2], contacts[1::2], strict=True):
                with tenant(acme.pk):
                    merged.append(merge_contacts(kept=kept, gone=gone, user=None))
            return merged

        done, merged = at_once(importing(source), merge)
        assert getattr(done, "state", done) == "done", done
        assert len(merged) == 10, merged
        assert done.created == 0
        check_nothing_refers_to_gone_contacts()
        check_sums()


@pytest.mark.slow
@postgres_only
def test_undo_of_an_import_beside_merges_of_its_contacts(acme, tmp_path):
    for round_ in range(ROUNDS):
        source = run(acme, tmp_path, HEADER + rows(round_ * 20, 20), list_name=f"List {round_}")
        with tenant(acme.pk):
            contacts = list(Contact.objects.order_by("-pk")[:20])

        def merge(contacts=contacts):
            merged = 0
            for kept, gone in zip(contacts[::2], contacts[1::2], strict=True):
                try:
                    with tenant(acme.pk):
                        merge_contacts(kept=kept, gone=gone, user=None)
                    merged += 1
                except (Contact.DoesNotExist, AlreadyMerged):
                    pass
            return merged

        done, merged = at_once(lambda source=source: undo(source), merge)
        assert getattr(done, "state", done) == "undone", done
        assert isinstance(merged, int), merged
        assert done.reversed + done.kept + done.errored == 20
        check_nothing_refers_to_gone_contacts()
        check_sums()


@pytest.mark.slow
@postgres_only
def test_erasure_beside_an_import_of_the_same_person(acme, tmp_path):
    for round_ in range(ROUNDS):
        text = HEADER + rows(round_ * 10, 10)
        run(acme, tmp_path, text, list_name=f"First {round_}")
        with tenant(acme.pk):
            contact = Contact.objects.order_by("-pk").first()
        source = begin(acme, tmp_path, text.replace("VIP", "Roof"), list_name=f"Second {round_}")

        def erase(contact=contact):
            with tenant(acme.pk):
                return erase_person(person=person_of(contact), by="a test")

        done, erased = at_once(importing(source), erase)
        assert isinstance(erased, dict), erased
        assert getattr(done, "state", done) in ("done", "failed"), done
        check_sums()


@pytest.mark.slow
def test_undoing_a_merge_and_an_import_in_either_order_leaves_what_was_there(acme, tmp_path):
    run(acme, tmp_path, HEADER + rows(0, 2, tag="Old"), list_name="First")
    with tenant(acme.pk):
        old = set(Contact.objects.values_list("pk", flat=True))
        kept = Contact.objects.order_by("pk").first()
    for order in ("merge first", "import first"):
        source = run(acme, tmp_path, HEADER + rows(10, 3), list_name=order)
        with tenant(acme.pk):
            gone = Contact.objects.exclude(pk__in=old).order_by("pk").first()
            merged = merge_contacts(kept=kept, gone=gone, user=None)
        if order == "merge first":
            with tenant(acme.pk):
                assert undo_merge(merge=merged, user=None).not_restored == []
            source = undo(source)
            assert (source.reversed, source.kept, source.errored) == (3, 0, 0)
        else:
            source = undo(source)
            assert (source.reversed, source.kept, source.errored) == (2, 0, 1)
            with tenant(acme.pk):
                undo_merge(merge=merged, user=None)
                assert Contact.objects.filter(pk=gone.pk).exists()
                Contact.objects.filter(pk=gone.pk).first().phones.all().delete()
                old.add(gone.pk)
        with tenant(acme.pk):
            assert set(Contact.objects.values_list("pk", flat=True)) == old
    check_nothing_refers_to_gone_contacts()


@pytest.mark.parametrize("steps", range(7))
def test_import_cancelled_after_any_step_adds_up_and_can_be_undone(acme, tmp_path, steps, monkeypatch):
    monkeypatch.setattr("crm.services.imports.steps.LEASE_ROWS", 4)
    source = begin(acme, tmp_path, HEADER + rows(0, 10))
    for _ in range(steps):
        do_next_step()
    with tenant(acme.pk), suppress(TaskHasEnded):
        cancel_task(task=BackgroundTask.objects.get(pk=source.task_id))
    while do_next_step():
        pass
    with all_tenants():
        source.refresh_from_db()
        made = Contact.objects.count()
        assert source.created == made == ImportRow.objects.filter(source=source, verdict="created").count()
    assert source.state == "cancelled"
    source = undo(source)
    assert (source.state, source.reversed) == ("undone", made)
    with all_tenants():
        assert not Contact.objects.exists()


@pytest.mark.parametrize("steps", range(5))
def test_undo_cancelled_after_any_step_can_be_asked_for_again(acme, tmp_path, steps, monkeypatch):
    monkeypatch.setattr("crm.services.imports.undo.LEASE_CONTACTS", 4)
    source = run(acme, tmp_path, HEADER + rows(0, 10))
    with tenant(acme.pk):
        source = begin_undo(source=source, user=None)
        with pytest.raises(NotUndoable):
            begin_undo(source=source, user=None)
    for _ in range(steps):
        do_next_step()
    with tenant(acme.pk):
        cancel_task(task=BackgroundTask.objects.get(pk=source.task_id))
    while do_next_step():
        pass
    with all_tenants():
        source.refresh_from_db()
    assert source.state == "done"
    source = undo(source)
    assert (source.state, source.reversed, source.kept, source.errored) == ("undone", 10, 0, 0)
    with all_tenants():
        assert not Contact.objects.exists()
