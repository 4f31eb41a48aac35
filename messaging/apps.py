from django.apps import AppConfig


class MessagingConfig(AppConfig):
    name = "messaging"

    def ready(self) -> None:
        from crm.query_slots import messages_of_activities, outgoing_messages_to, unread_messages
        from crm.services.background_tasks.kinds import register_kind
        from crm.signals import appointment_booked
        from crm.worker import RARELY_S, Job, register
        from messaging.models import Message
        from messaging.services import attachments, merging
        from messaging.services.campaigns import counts, jobs  # models are loaded from here on
        from messaging.services.inbound import webhook_processing
        from messaging.services.outbound import campaign_progress, reminders, sending, text_backs, unknown_sends
        from messaging.services.outbound.held_decisions import CANCEL_MESSAGES, RELEASE_MESSAGES

        merging.register_rules()
        unread_messages.register(lambda: Message.objects.unread())
        messages_of_activities.register(lambda activities: Message.objects.filter(activity__in=activities))
        outgoing_messages_to.register(
            # Of a group the first.
            lambda phones: Message.objects.filter(direction="outgoing", to_numbers__0__in=phones)
        )
        appointment_booked.connect(campaign_progress.on_booking, dispatch_uid="campaigns")
        for kind in (CANCEL_MESSAGES, RELEASE_MESSAGES, webhook_processing.PROCESS_AGAIN):
            register_kind(kind)
        # Operators type the names of jobs: "deliveries" and "texts" are older than the glossary.
        register(
            Job(
                name="deliveries",
                do_next=webhook_processing.process_due_events,
                has_pending=webhook_processing.has_pending_events,
                is_due=webhook_processing.is_event_due,
            )
        )
        # These three wait for a provider.
        register(
            Job(
                name="texts",
                do_next=sending.send_next_messages,
                has_pending=sending.has_pending_messages,
                is_due=sending.is_message_due,
                own_thread=True,
            )
        )
        register(
            Job(
                name="lookups",
                do_next=unknown_sends.look_up_next_message,
                has_pending=sending.has_pending_messages,
                is_due=unknown_sends.is_lookup_due,
                poll_s=10,
                own_thread=True,
            )
        )
        register(
            Job(
                name="attachments",
                do_next=attachments.fetch_next_file,
                has_pending=attachments.has_new_files,
                is_due=attachments.is_file_due,
                own_thread=True,  # a file may take minutes
            )
        )
        register(
            Job(
                name="text-backs",
                do_next=text_backs.queue_next_text_back,
                has_pending=text_backs.has_pending_text_backs,
                is_due=text_backs.is_text_back_due,
                poll_s=RARELY_S,
                after=["deliveries"],  # a missed call
            )
        )
        register(
            Job(
                name="campaigns",
                do_next=jobs.run_next_campaign,
                has_pending=jobs.has_pending_campaigns,
                is_due=jobs.is_campaign_due,
                poll_s=2,
                own_thread=True,  # it makes hundreds of messages at once
            )
        )
        register(
            Job(
                name="campaign-counts",
                do_next=counts.sum_up_next_counts,
                has_pending=lambda: False,  # sums that nobody waits for
                poll_s=RARELY_S,
            )
        )
        register(
            Job(
                name="reminders",
                do_next=reminders.queue_next_reminders,
                has_pending=reminders.has_pending_reminders,
                poll_s=60,
            )
        )
