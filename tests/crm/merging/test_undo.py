"""Undoing of merges: what goes back, what doesn't, and what came in between."""

from datetime import timedelta

import pytest
from django.utils import timezone

from calls.models import Call, MissedCaller
from crm.db.tenancy import all_tenants
from crm.error_codes import ErrorCode
from crm.models import Activity, Contact, ContactFlag, ContactMerge, ContactPhone, Conversation, OptOut
from crm.services.contact_numbers import add_number, remove_number
from crm.services.contacts import find_contact, update_contact
from crm.services.expiry_cleanup import remove_expired
from crm.services.merging.merge import merge_contacts
from crm.services.merging.tombstones import find_kept
from crm.services.merging.undo import NewerMerge, NotUndoable, undo_merge
from crm.services.opt_outs import opt_out_contact, record_opt_out
from messaging.models import Message
from messaging.providers.events import MessageEvent
from messaging.services.inbound.webhook_processing import record_event
from tests import factories
from tests.crm.merging.scene import add_history, differences, minutes, read_tables

pytestmark = pytest.mark.django_db


@pytest.fixture
def line(in_acme):
    return factories.PhoneLineFactory(company=in_acme)


@pytest.fixture
def kept(in_acme):
    return factories.ContactFactory(company=in_acme, first_name="Robin", last_name="", email="")


@pytest.fixture
def gone(in_acme):
    return factories.ContactFactory(company=in_acme, first_name="Robin", last_name="Field", email="robin@example.com")


def merge(kept, gone, **fields):
    return merge_contacts(kept=kept, gone=gone, user=None, fields=fields)


def undo(merged):
    return undo_merge(merge=ContactMerge.objects.get(pk=merged.pk), user=None)


def text(phone, line, number=1):
    record_event(
        provider="openphone",
        event=MessageEvent(
            openphone_id=f"AC{number}", line_id=line.provider_id, company_numbers=(line.number,),
            outside_numbers=(phone,), direction="incoming", created_at=timezone.now(), from_number=phone,
            to_numbers=(line.number,), body="Hello", media=(), status="received",
        ),
    )  # fmt: skip
    return Message.objects.latest("pk")


def test_undone_at_once_every_row_is_as_before(in_acme, line, csr, kept, gone):
    campaigns = [factories.CampaignFactory(company=in_acme) for _ in range(2)]
    for contact, at in ((kept, 0), (gone, 30)):
        add_history(contact, line, at=at)
        factories.MissedCallerFactory(contact=contact, phone_line=line, first_missed_at=minutes(at + 90))
        for campaign, status in zip(
            campaigns, ["sent", "pending"] if contact == gone else ["pending"] * 2, strict=True
        ):
            factories.CampaignMembershipFactory(
                contact=contact, campaign=campaign, status=status, sent_at=minutes(0) if status == "sent" else None
            )
        factories.ContactPhoneFactory(contact=contact)
    opt_out_contact(contact=gone, user=csr)
    before = read_tables(in_acme)
    merged = merge(kept, gone, phone="gone")
    assert differences(before, read_tables(in_acme))
    undone = undo(merged)
    assert differences(before, read_tables(in_acme)) == {}
    assert undone.not_restored == []
    assert undone.restored["calls"] == 1


def test_row_that_was_changed_since_is_named_and_left(line, kept, gone):
    call = factories.CallFactory(contact=gone)
    invoice = factories.InvoiceFactory(contact=gone)
    merged = merge(kept, gone)
    third = factories.ContactFactory(company=kept.company)
    Call.objects.filter(pk=call.pk).update(contact=third)
    invoice_id = invoice.pk
    invoice.delete()
    update_contact(contact=Contact.objects.get(pk=kept.pk), email="new@example.com")
    undone = undo(merged)
    assert {(row["table"], *row["ids"], row["reason"]) for row in undone.not_restored} == {
        ("calls", call.pk, "changed"),
        ("invoices", invoice_id, "deleted"),
        ("contacts", kept.pk, "changed"),
    }
    kept.refresh_from_db()
    assert (kept.email, kept.last_name) == ("new@example.com", "")


def test_messages_in_between_go_to_the_contact_with_their_number(line, kept, gone):
    add_history(gone, line)
    merged = merge(kept, gone)
    theirs, mine = text(gone.phone, line, 1), text(kept.phone, line, 2)
    undone = undo(merged)
    assert undone.followed == {"message_threads": 1}
    for message, owner in ((theirs, gone), (mine, kept)):
        message.refresh_from_db()
        assert message.contact_id == message.activity.contact_id == owner.pk
        assert message.activity.conversation.contact_id == owner.pk
    assert Conversation.objects.count() == 2


def queued(contact, line, **values):
    return factories.MessageFactory(
        contact=contact, phone_line=line, direction="outgoing", status="queued", to_numbers=[contact.phone],
        run_at=minutes(0), **values,
    )  # fmt: skip


def test_text_that_has_left_meanwhile_keeps_its_recipient(line, kept, gone):
    message = queued(gone, line, kind="reply", created_at=minutes(0))
    merged = merge(kept, gone)
    Message.objects.filter(pk=message.pk).update(status="sent", run_at=None, sent_at=timezone.now())
    undone = undo(merged)
    message.refresh_from_db()
    assert (message.to_numbers, message.contact, message.activity.contact) == ([kept.phone], kept, kept)
    assert undone.not_restored == [
        {"table": "message_threads", "ids": [message.pk], "reason": "changed", "columns": ["to_numbers"]}
    ]


@pytest.mark.parametrize("phone", ["kept", "gone"])
def test_text_that_still_waits_goes_to_its_own_contact_again(line, kept, gone, phone):
    messages = [queued(contact, line, kind="reply") for contact in (kept, gone)]
    merged = merge(kept, gone, phone=phone)
    Message.objects.filter(pk=messages[1].pk).update(status="held")
    undo(merged)
    for message, contact in zip(messages, (kept, gone), strict=True):
        message.refresh_from_db()
        assert (message.to_numbers, message.contact) == ([contact.phone], contact)


def test_missed_caller_who_has_called_in_vain_again_stays_recovered(line, kept, gone):
    for contact, at in ((kept, 0), (gone, 30)):
        factories.MissedCallerFactory(contact=contact, phone_line=line, first_missed_at=minutes(at))
    text(gone.phone, line)  # after both
    MissedCaller.objects.update(recovered_at=None, recovered_by="")  # before the merge only one of them knew
    merged = merge(kept, gone)
    entry = MissedCaller.objects.get()
    assert entry.recovered_at
    factories.MissedCallerFactory(contact=kept, phone_line=line, first_missed_at=timezone.now())
    undone = undo(merged)
    assert {"table": "missed_callers", "ids": [entry.pk], "reason": "taken"}.items() <= undone.not_restored[0].items()


def test_opt_out_and_do_not_contact_since_the_merge_stay(in_acme, kept, gone):
    merged = merge(kept, gone)
    factories.ContactFlagFactory(contact=kept)
    record_opt_out(phone=gone.phone, words="STOP", source="sms", occurred_at=timezone.now())
    undo(merged)
    flags = set(ContactFlag.objects.in_force().values_list("contact", "flag_type"))
    assert flags == {(kept.pk, "do_not_contact"), (gone.pk, "do_not_contact"), (gone.pk, "opted_out")}
    assert OptOut.objects.get().state == "opted_out"


def test_both_contacts_are_forgotten_after_thirty_days_and_the_undo_is_refused(in_acme, kept, gone):
    old, young = merge(kept, gone), merge(kept, factories.ContactFactory(company=in_acme))
    ContactMerge.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=30, minutes=1))
    remove_expired()
    old.refresh_from_db()
    young.refresh_from_db()
    assert (old.before, bool(young.before)) == ({}, True)
    with pytest.raises(NotUndoable) as refused:
        undo(old)
    assert refused.value.code == ErrorCode.UNDO_EXPIRED
    assert find_kept([gone.pk]) == {gone.pk: kept.pk}
    remove_expired()  # finds nothing to forget any more


def test_merge_is_undone_once_and_for_thirty_days(kept, gone):
    merged = merge(kept, gone)
    ContactMerge.objects.update(created_at=timezone.now() - timedelta(days=31))
    with pytest.raises(NotUndoable) as refused:
        undo(merged)
    assert refused.value.code == ErrorCode.UNDO_EXPIRED
    ContactMerge.objects.update(created_at=timezone.now() - timedelta(days=29))
    undo(merged)
    with pytest.raises(NotUndoable) as refused:
        undo(merged)
    assert refused.value.code == ErrorCode.MERGE_UNDONE


@pytest.mark.parametrize("again", ["kept", "gone"])
def test_newer_merge_is_undone_first(in_acme, line, kept, gone, again):
    """The kept contact is merged again: it keeps another one, or goes itself."""
    third = factories.ContactFactory(company=in_acme)
    for contact in (kept, gone, third):
        add_history(contact, line)
    before = read_tables(in_acme)
    first = merge(kept, gone)
    second = merge(kept, third) if again == "kept" else merge(third, Contact.objects.get(pk=kept.pk))
    with pytest.raises(NewerMerge) as refused:
        undo(first)
    assert refused.value.facts() == {"merge": second.pk}
    undo(second)
    undo(first)
    assert differences(before, read_tables(in_acme)) == {}


def test_number_that_has_another_owner_since_is_left(in_acme, kept, gone):
    second = factories.ContactPhoneFactory(contact=gone)
    merged = merge(kept, gone)
    with all_tenants():
        remove_number(number=ContactPhone.objects.get(phone=gone.phone))
    other = factories.ContactFactory(company=in_acme, phone=gone.phone)
    undo(merged)
    back = Contact.objects.get(pk=gone.pk)
    assert (back.phone, find_contact(phone=gone.phone)) == (second.phone, other)


@pytest.mark.parametrize("has_second", [True, False])
def test_contact_has_its_main_number_among_its_numbers_also_if_it_was_removed_since(kept, gone, has_second):
    second = factories.ContactPhoneFactory(contact=gone) if has_second else None
    merged = merge(kept, gone)
    remove_number(number=ContactPhone.objects.get(phone=gone.phone))
    undo(merged)
    back = Contact.objects.get(pk=gone.pk)
    assert back.phone == (second.phone if second else gone.phone)
    assert list(back.phones.values_list("phone", flat=True)) == [back.phone]


def test_number_that_the_kept_contact_got_anew_stays_with_it(kept, gone):
    merged = merge(kept, gone)
    remove_number(number=ContactPhone.objects.get(phone=gone.phone))
    add_number(contact=kept, phone=gone.phone)
    with pytest.raises(NotUndoable) as refused:
        undo(merged)
    assert refused.value.code == ErrorCode.NO_NUMBER_LEFT


def test_main_number_that_another_program_wrote_alone_is_kept_and_given_back(in_acme, kept):
    gone = Contact.objects.create(company=in_acme, phone="+19895550178")
    record_opt_out(phone=gone.phone, words="STOP", source="sms", occurred_at=timezone.now())
    before = read_tables(in_acme)
    merged = merge(kept, gone)
    assert find_contact(phone=gone.phone) == kept
    assert kept.flags.opted_out().exists()
    undone = undo(merged)
    assert undone.not_restored == []
    assert differences(before, read_tables(in_acme)) == {}


def test_conversation_of_a_deleted_assignee_comes_back_with_its_activities(in_acme, line, kept, gone):
    colleague = factories.UserFactory(company=in_acme)
    conversations = [add_history(contact, line) for contact in (kept, gone)]
    Conversation.objects.filter(contact=gone).update(assignee=colleague)
    merged = merge(kept, gone)
    Conversation.objects.update(assignee=None)
    colleague.delete()
    undone = undo(merged)
    back = Conversation.objects.get(pk=conversations[1].pk)
    assert (back.contact, back.assignee, back.activities.count()) == (gone, None, 2)
    assert {(row["table"], row["reason"]) for row in undone.not_restored} == {
        ("conversations", "reference"), ("conversations", "changed"),
    }  # fmt: skip


def test_contact_without_any_number_left_does_not_come_back(in_acme, kept, gone):
    merged = merge(kept, gone)
    remove_number(number=ContactPhone.objects.get(phone=gone.phone))
    factories.ContactFactory(company=in_acme, phone=gone.phone)
    with pytest.raises(NotUndoable) as refused:
        undo(merged)
    assert refused.value.code == ErrorCode.NO_NUMBER_LEFT
    assert ContactMerge.objects.in_force().exists()


def test_kept_contact_gets_a_main_number_of_its_own(kept, gone):
    merged = merge(kept, gone, phone="gone")
    kept.refresh_from_db()
    assert kept.phone == gone.phone
    new = add_number(contact=kept, phone="+19895550177", is_main=True)
    remove_number(number=ContactPhone.objects.exclude(phone__in=[gone.phone, new.phone]).get())
    undo(merged)
    kept.refresh_from_db()
    assert kept.phone == new.phone


def test_activities_of_the_two_are_in_their_own_conversations(line, kept, gone):
    add_history(kept, line)
    add_history(gone, line)
    undo(merge(kept, gone))
    apart = [
        activity
        for activity in Activity.objects.exclude(conversation=None).select_related("conversation")
        if activity.contact_id != activity.conversation.contact_id
    ]
    assert apart == []
