from typing import TYPE_CHECKING

from django.apps import AppConfig
from django.db.models import QuerySet
from django.db.models.signals import post_delete

if TYPE_CHECKING:
    from crm.models import User


class CallsConfig(AppConfig):
    name = "calls"

    def ready(self) -> None:
        from calls.models import Appointment, Attachment, Call
        from calls.services.attachments.retention import remove_expired_attachments, remove_file
        from calls.services.mentions import add_tasks_of_mentions
        from calls.services.merging import register_rules
        from calls.services.timezone_change import update_future_appointments  # models can't be imported earlier
        from crm.query_slots import call_activity_ids_of_rep, contact_ids_of_rep, outgoing_calls_to
        from crm.services.expiry_cleanup import also_remove
        from crm.signals import colleagues_mentioned, company_timezone_changed

        def find_contact_ids(rep: "User") -> QuerySet:
            calls, appointments = Call.objects.assigned_to(rep), Appointment.objects.assigned_to(rep)
            return calls.values("contact").union(appointments.values("contact"))  # each is found in its own index

        register_rules()
        if remove_expired_attachments not in also_remove:
            also_remove.append(remove_expired_attachments)
        contact_ids_of_rep.register(find_contact_ids)
        outgoing_calls_to.register(lambda phones: Call.objects.filter(direction="outgoing", to_number__in=phones))
        call_activity_ids_of_rep.register(
            lambda rep: Call.objects.assigned_to(rep).filter(activity__isnull=False).values("activity")
        )
        post_delete.connect(remove_file, sender=Attachment, dispatch_uid="calls.remove_file")
        company_timezone_changed.connect(update_future_appointments, dispatch_uid="calls.update_future_appointments")
        colleagues_mentioned.connect(add_tasks_of_mentions, dispatch_uid="calls.add_tasks_of_mentions")
