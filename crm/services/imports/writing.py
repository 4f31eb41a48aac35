"""Writing of a lease's plans, each kind of row in a set."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, time
from typing import Any

from django.utils import timezone

from crm.choices import Channel, ConsentSource, FlagType, OptOutState, RowVerdict
from crm.contact_labels import label_key
from crm.contact_querysets import SEARCHED_FIELDS, AddedNumber, search_keys
from crm.db.audit_context import audit_disabled
from crm.db.bulk import among, insert_rows, update_rows
from crm.models import (
    Contact,
    ContactField,
    ContactFieldValue,
    ContactFlag,
    ContactPhone,
    ContactTag,
    Import,
    MarketingConsent,
    OptOut,
    User,
)
from crm.models.audit import hash_number
from crm.services.consents import record_consent
from crm.services.contact_fields import columns_of, fields_by_key, set_field_values, shown_value
from crm.services.contact_lists import add_to_list
from crm.services.exports.headers import is_reserved
from crm.services.imports.planning import WRITTEN, Card, Entry, Plan
from crm.services.imports.reading.mapping import CustomField
from crm.services.imports.reading.outcomes import Consent
from crm.services.opt_outs import record_opt_out
from crm.services.tags import ensure_tags, tag_contacts

SOURCE = "import"
EVIDENCE = ("source", "wording", "proof", "given_at")  # of a consent
FLAG_REASON = "The imported list says so."
LANDLINE = "The imported list says that the number can't get messages: it is a landline."


class Writer:
    """The writes of one lease. It notes before and after of each contact with its entry.

    A dry run writes what decides a verdict: new contacts, which the database may refuse, and all of the others. What
    belongs to a new contact is left out.
    """

    def __init__(self, source: Import, plans: Sequence[Plan], user: User | None) -> None:
        self.source, self.user, self.company_id = source, user, source.company_id
        self.recorder = user if user is not None and user.company_id else None  # staff belong to no company
        self.all_plans = plans
        self.plans = [plan for plan in plans if not plan.is_new] if source.dry_run else plans
        self.after: dict[Plan, dict[str, Any]] = defaultdict(dict)

    def write(self) -> None:
        """Write all plans, and give their leading entries what they have changed."""
        self._create_contacts()
        self._update_contacts()
        self._add_numbers()
        self._add_flags()
        self._add_tags()
        self._add_values()
        self._add_opt_outs()
        self._add_consents()
        if self.source.list is not None:
            add_to_list(contact_list=self.source.list, contact_ids=map(_pk, self.plans))
        self._note_restored_flags()
        for plan in self.plans:
            self._conclude(plan)

    def _create_contacts(self) -> None:
        new = [plan for plan in self.all_plans if plan.is_new]
        Contact.objects.insert([plan.contact for plan in new], WRITTEN, with_keys=not self.source.dry_run)
        for plan in new:
            self.after[plan] = {"new": True, "columns": plan.after}

    def _update_contacts(self) -> None:
        changed = [plan for plan in self.plans if not plan.is_new and plan.before]
        update_columns([plan.contact for plan in changed])
        search_keys().write([plan.contact for plan in changed if SEARCHED_FIELDS.intersection(plan.before)])
        for plan in changed:
            self.after[plan]["columns"] = plan.after

    def _add_numbers(self) -> None:
        mains: list[AddedNumber] = []
        others: list[AddedNumber] = []
        for plan in self.plans:
            for phone, number in plan.numbers.items():
                added = AddedNumber(self.company_id, _pk(plan), phone, number.kind)
                (mains if plan.is_new and phone == plan.contact.phone else others).append(added)
        ContactPhone.objects.insert(others, mains=mains)
        for plan in self.plans:
            if plan.numbers:
                self.after[plan]["numbers"] = [*plan.numbers]

    def _add_flags(self) -> None:
        wanted = {(_pk(plan), kind): (plan, entry) for plan in self.plans for kind, entry in plan.flags.items()}
        if not wanted:
            return
        in_force = ContactFlag.objects.in_force().filter(among("contact", {contact for contact, _ in wanted}))
        present = set(in_force.values_list("contact", "flag_type"))
        new = {key: value for key, value in wanted.items() if key not in present}
        flags = ContactFlag.objects.bulk_create(
            ContactFlag(
                company_id=self.company_id, contact_id=contact, flag_type=kind,
                reason=LANDLINE if kind == FlagType.INVALID_NUMBER else FLAG_REASON,
                source=SOURCE, evidence=self._proof(entry), created_by=self.user,
            )
            for (contact, kind), (_, entry) in new.items()
        )  # fmt: skip
        for flag, (plan, _) in zip(flags, new.values(), strict=True):
            self.after[plan].setdefault("flags", []).append(flag.pk)

    def _add_tags(self) -> None:
        names = {key: name for plan in self.all_plans for key, name in plan.tags.items()}
        ids = ensure_tags(company_id=self.company_id, names=names.values())
        tagged = {_pk(plan): plan for plan in self.plans if plan.tags}
        present: dict[int, set[str]] = defaultdict(set)
        old = ContactTag.objects.filter(among("contact", [pk for pk, plan in tagged.items() if not plan.is_new]))
        for contact, key in old.values_list("contact", "tag__name_key"):
            present[contact].add(key)
        missing = {pk: {k: n for k, n in plan.tags.items() if k not in present[pk]} for pk, plan in tagged.items()}
        missing = {pk: tags for pk, tags in missing.items() if tags}
        self._tag_new_contacts({pk: tags for pk, tags in missing.items() if tagged[pk].is_new}, ids)
        others = {pk: tags.values() for pk, tags in missing.items() if not tagged[pk].is_new}
        tag_contacts(company_id=self.company_id, names=others, user=self.user)
        for pk, tags in missing.items():
            self.after[tagged[pk]]["tags"] = sorted(label_key(key) for key in tags)

    def _tag_new_contacts(self, tags_of: Mapping[int, Mapping[str, str]], ids: Mapping[str, int]) -> None:
        """Tag contacts that have no tags yet, without a look for them."""
        now, user = timezone.now(), self.user and self.user.pk
        rows = [(self.company_id, ids[key], contact, user, now) for contact, tags in tags_of.items() for key in tags]
        with audit_disabled():
            insert_rows(ContactTag, ("company", "tag", "contact", "created_by", "created_at"), rows)

    def _fill_new_contacts(self) -> None:
        """Write the values of contacts that have none yet, without a look for them."""
        fields, now = fields_by_key(), timezone.now()
        columns = ("field_type", "text", "text_key", "number", "date", "yes")
        rows = []
        for plan in self.plans:
            values = {**plan.filled, **plan.overwritten} if plan.is_new else {}
            for key, value in values.items():
                stored = columns_of(fields[key], value)
                about = (self.company_id, fields[key].pk, _pk(plan), self.user and self.user.pk, now)
                rows.append((*about, *(stored.get(name) for name in columns)))
            if values:
                self.after[plan]["values"] = {key: [None, shown_value(value)] for key, value in values.items()}
        with audit_disabled():
            insert_rows(ContactFieldValue, ("company", "field", "contact", "created_by", "created_at", *columns), rows)

    def _add_values(self) -> None:
        self._fill_new_contacts()
        present = [plan for plan in self.plans if not plan.is_new]
        by_contact = {_pk(plan): plan for plan in present}
        for overwrite in (True, False):
            values = {
                _pk(plan): plan.overwritten if overwrite else plan.filled
                for plan in present
                if (plan.overwritten if overwrite else plan.filled)
            }
            if not values:
                continue
            for change in set_field_values(
                company_id=self.company_id, values=values, user=self.user, overwrite=overwrite
            ):
                pair = [shown_value(change.before), shown_value(change.after)]
                self.after[by_contact[change.contact_id]].setdefault("values", {})[change.key] = pair

    def _add_opt_outs(self) -> None:
        entries = {phone: (plan, entry) for plan in self.plans for phone, entry in plan.opted_out.items()}
        if not entries:
            return
        hashes = {hash_number(phone): phone for phone in entries}
        known = OptOut.objects.filter(among("number_hash", hashes), state=OptOutState.OPTED_OUT)
        for number_hash in known.values_list("number_hash", flat=True):
            entries.pop(hashes[number_hash])
        for phone in sorted(entries, key=hash_number):
            plan, entry = entries[phone]
            words = f"Opted out by {self._proof(entry)}."
            record_opt_out(phone=phone, words=words, source=SOURCE, occurred_at=timezone.now(), user=self.user)
            self.after[plan]["opted_out"] = True

    def _add_consents(self) -> None:
        """Record consents: those of numbers without an earlier one and without opt-outs, nearly all, in a set."""
        wanted: dict[str, tuple[Plan, dict[str, Any]]] = {}
        for plan in self.all_plans:
            if plan.consent is not None and not plan.opted_out and (evidence := self._evidence_of(*plan.consent)):
                if plan.is_new and self.source.dry_run:
                    continue
                wanted[hash_number(plan.contact.phone)] = (plan, evidence)
        known = dict.fromkeys(wanted, False)
        if not wanted:
            return
        now = timezone.now()
        insert_rows(
            OptOut,
            ("company", "number_hash", "phone", "channel", "state", "created_at"),
            [
                (self.company_id, key, wanted[key][0].contact.phone, Channel.SMS, OptOutState.CLEAR, now)
                for key in sorted(wanted)
            ],
            ignore_conflicts=True,
        )
        # Locked, so that an opt-out which is being recorded is seen, or withdraws the consent.
        locked = OptOut.objects.select_for_update().filter(among("number_hash", wanted)).order_by("number_hash")
        for key, decided_at, phone in locked.values_list("number_hash", "decided_at", "phone"):
            known[key] = decided_at is not None or not phone
        consents = MarketingConsent.objects.filter(among("number_hash", wanted))
        known.update(dict.fromkeys(consents.values_list("number_hash", flat=True), True))
        first = {key: pair for key, pair in wanted.items() if not known[key]}
        recorder = self.recorder and self.recorder.pk
        insert_rows(
            MarketingConsent,
            ("company", "number_hash", "phone", "recorded_by", "created_at", *EVIDENCE),
            [
                (self.company_id, key, plan.contact.phone, recorder, now, *(evidence[name] for name in EVIDENCE))
                for key, (plan, evidence) in first.items()
            ],
        )
        rows = MarketingConsent.objects.filter(among("number_hash", first)).values_list("number_hash", "pk")
        for key, pk in rows:
            self.after[first[key][0]]["consent"] = pk
        for key in sorted(wanted.keys() - first.keys()):
            self._renew_consent(key, *wanted[key])

    def _renew_consent(self, number_hash: str, plan: Plan, evidence: dict[str, Any]) -> None:
        """Record the consent of a number with a history. An older one than the recorded one changes nothing."""
        before = MarketingConsent.objects.filter(number_hash=number_hash).values_list("given_at", flat=True).first()
        if before is not None and before >= evidence["given_at"]:
            return
        row = record_consent(phone=plan.contact.phone, user=self.recorder, **evidence)
        self.after[plan]["renewed_consent" if before else "consent"] = row.pk

    def _evidence_of(self, entry: Entry, consent: Consent) -> dict[str, Any] | None:
        wording = consent.wording or self.source.options.get("consent_wording", "")
        if not wording:
            entry.note("The consent is left out: nobody said what the person agreed to.")
            return None
        day = consent.given_on
        given_at = datetime.combine(day, time(12), UTC) if day else self.source.created_at
        return {
            "source": ConsentSource.IMPORT,
            "wording": wording,
            "proof": self._proof(entry)[:300],
            "given_at": min(given_at, timezone.now()),
        }

    def _note_restored_flags(self) -> None:
        """Note the flags that numbers of new contacts have kept from earlier owners: nobody has set them since."""
        new = {_pk(plan): plan for plan in self.plans if plan.is_new}
        for contact, flag in ContactFlag.objects.filter(among("contact", new)).values_list("contact", "pk"):
            flags = self.after[new[contact]].setdefault("flags", [])
            if flag not in flags:
                flags.append(flag)

    def _conclude(self, plan: Plan) -> None:
        entry, after = plan.lead, self.after[plan]
        if after:
            entry.before, entry.after = dict(plan.before), after
        if entry.verdict == RowVerdict.WAITING:
            entry.verdict = RowVerdict.UPDATED if after else RowVerdict.UNCHANGED

    def _proof(self, entry: Entry) -> str:
        return f"import {self.source.pk} ({self.source.name}), row {entry.n}"


def update_columns(contacts: Iterable[Card | Contact]) -> None:
    """Write the columns of contacts whose rows the transaction has locked. Their search keys aren't written."""
    update_rows(
        Contact,
        [*WRITTEN, "keyed_text"],
        [(each.pk, *(getattr(each, name) for name in WRITTEN), each.searched_text) for each in contacts],
    )


def _pk(plan: Plan) -> int:
    """Return the id of a plan's contact, which is written."""
    pk = plan.contact.pk
    assert pk is not None  # noqa: S101  # contacts are written first
    return pk


def ensure_fields(*, company_id: int, wanted: Mapping[str, CustomField]) -> None:
    """Create the custom fields of a mapping that the company doesn't have yet."""
    known = fields_by_key()
    labels = {field.label for field in known.values()}
    for key, spec in wanted.items():
        if key not in known:
            label = spec.label[:100]
            if label in labels or is_reserved(label):
                label = f"{label[: 97 - len(key)]} ({key})"
            labels.add(label)
            ContactField.objects.create(
                company_id=company_id, key=key, label=label, field_type=spec.type, options=[*spec.options],
                position=len(labels),
            )  # fmt: skip
