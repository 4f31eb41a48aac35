from django.apps import AppConfig


class MessagingConfig(AppConfig):
    name = "messaging"

    def ready(self) -> None:
        from crm.query_slots import outgoing_messages_to, unread_messages
        from crm.worker import Job, register
        from messaging.models import Message
        from messaging.services.inbound.webhook_processing import has_pending_events, process_next_event
        from messaging.services.outbound.sending import has_pending_messages, send_next_message
        from messaging.services.outbound.text_backs import has_pending_text_backs, queue_next_text_back
        from messaging.services.outbound.unknown_sends import look_up_next_message  # models are loaded from here on

        unread_messages.register(lambda: Message.objects.unread())
        outgoing_messages_to.register(
            lambda phone: Message.objects.filter(direction="outgoing", to_numbers__0=phone)  # of a group the first
        )
        # Operators type the names of jobs: "deliveries" and "texts" are older than the glossary.
        register(Job(name="deliveries", do_next=process_next_event, has_pending=has_pending_events))
        register(Job(name="texts", do_next=send_next_message, has_pending=has_pending_messages))
        register(Job(name="lookups", do_next=look_up_next_message, has_pending=has_pending_messages))
        register(Job(name="text-backs", do_next=queue_next_text_back, has_pending=has_pending_text_backs))
