from collections.abc import Iterator
from typing import TYPE_CHECKING

from django.apps import AppConfig
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate, post_save, pre_delete, pre_migrate, pre_save

if TYPE_CHECKING:
    from crm.services.background_tasks.runs import Run


def export_steps(run: "Run") -> Iterator[None]:
    """Do an export. The API isn't loaded before."""
    from crm.api.base.export_tasks import export_steps

    return export_steps(run)


class CrmConfig(AppConfig):
    name = "crm"
    verbose_name = "Companies and contacts"

    def ready(self) -> None:
        from django.core.checks import Tags
        from django.core.checks import register as register_check

        from crm import checks  # noqa: F401  # registers them; models can be imported from here on
        from crm.contact_querysets import number_moved, numbers_added
        from crm.db.audit_context import add_sqlite_functions
        from crm.db.triggers import drop_sqlite_triggers, recreate_sqlite_triggers
        from crm.models import ContactPhone
        from crm.services import (
            inbox,
            self_check,  # noqa: F401  # registers its check
            session_signals,  # noqa: F401  # connects them
        )
        from crm.services.background_tasks import jobs as tasks
        from crm.services.background_tasks.kinds import Kind, register_kind
        from crm.services.contacts import (
            follow_moved_number,
            restore_flags,
            restore_flags_of_added,
            suppress_moved_number,
            suppress_removed_number,
        )
        from crm.services.duplicates.search import is_search_due, search_next_company
        from crm.services.expiry_cleanup import remove_expired_each_minute
        from crm.services.imports.steps import IMPORT
        from crm.services.imports.undo import UNDO
        from crm.services.invoices import mark_overdue_invoices
        from crm.services.key_fingerprints import record_keys
        from crm.services.mails import has_queued_mails, is_mail_due, send_next_mail
        from crm.services.merging.crm_rules import register_rules
        from crm.services.merging.rules import every_model_has_a_rule
        from crm.services.moving_files import has_unfinished_objects, is_move_due, move_next_file
        from crm.services.outgoing_webhooks.events import is_change_due, make_next_events
        from crm.services.outgoing_webhooks.requests import REPLAY_EVENTS
        from crm.services.outgoing_webhooks.sending import (
            finish_attempts,
            has_pending_events,
            is_event_due,
            send_next_events,
        )
        from crm.services.search_keys import is_repair_due, repair_search_keys
        from crm.worker import MAILS_S, RARELY_S, Job, register

        connection_created.connect(add_sqlite_functions, dispatch_uid="crm.add_sqlite_functions")
        pre_migrate.connect(drop_sqlite_triggers, sender=self, dispatch_uid="crm.drop_sqlite_triggers")
        post_migrate.connect(recreate_sqlite_triggers, sender=self, dispatch_uid="crm.recreate_sqlite_triggers")
        post_migrate.connect(record_keys, sender=self, dispatch_uid="crm.record_keys")
        pre_delete.connect(suppress_removed_number, sender=ContactPhone, dispatch_uid="crm.suppress_removed_number")
        pre_save.connect(suppress_moved_number, sender=ContactPhone, dispatch_uid="crm.suppress_moved_number")
        post_save.connect(restore_flags, sender=ContactPhone, dispatch_uid="crm.restore_flags")
        numbers_added.connect(restore_flags_of_added, sender=ContactPhone, dispatch_uid="crm.restore_flags_of_added")
        number_moved.connect(follow_moved_number, sender=ContactPhone, dispatch_uid="crm.follow_moved_number")
        register_check(every_model_has_a_rule, Tags.models)
        register_rules()
        register(
            Job(
                name="search-keys",
                do_next=repair_search_keys,
                has_pending=lambda: False,
                is_due=is_repair_due,
                poll_s=RARELY_S,
            )
        )
        register(
            Job(
                name="duplicates",
                do_next=search_next_company,
                has_pending=lambda: False,
                is_due=is_search_due,
                poll_s=RARELY_S,
                own_thread=True,  # it reads all contacts of a company
            )
        )
        register(
            Job(
                name="wake-ups",
                do_next=inbox.wake_next_conversations,
                has_pending=inbox.is_wake_up_due,
                is_due=inbox.is_wake_up_due,
                poll_s=RARELY_S,
            )
        )
        register(Job(name="invoices", do_next=mark_overdue_invoices, has_pending=lambda: False, poll_s=RARELY_S))
        register(
            Job(
                name="mails",
                do_next=send_next_mail,
                has_pending=has_queued_mails,
                is_due=is_mail_due,
                poll_s=MAILS_S,
                own_thread=True,  # a mail server may be slow
            )
        )
        register_kind(Kind(name="export", label="Export", steps=export_steps))
        register_kind(IMPORT)
        register_kind(UNDO)
        register_kind(REPLAY_EVENTS)
        register(
            Job(
                name="tasks",
                do_next=tasks.do_next_step,
                has_pending=tasks.has_pending_tasks,
                is_due=tasks.is_task_due,
                poll_s=3,
                own_thread=True,  # a step takes seconds
            )
        )
        register(
            Job(
                name="outgoing-changes",
                do_next=make_next_events,
                has_pending=lambda: False,
                is_due=is_change_due,
                poll_s=5,
            )
        )
        register(
            Job(
                name="outgoing-events",
                do_next=send_next_events,
                has_pending=has_pending_events,
                is_due=is_event_due,
                poll_s=5,
                own_thread=True,  # it waits for receivers
                finish=finish_attempts,
            )
        )
        register(
            Job(
                name="file-moves",
                do_next=move_next_file,
                has_pending=has_unfinished_objects,
                is_due=is_move_due,
                own_thread=True,  # a file may take minutes
            )
        )
        register(Job(name="expiry-cleanup", do_next=remove_expired_each_minute, has_pending=lambda: False))
