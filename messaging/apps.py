from django.apps import AppConfig


class MessagingConfig(AppConfig):
    name = "messaging"

    def ready(self) -> None:
        from crm.query_slots import unread_messages
        from crm.worker import Job, register
        from messaging.models import Message
        from messaging.services.inbound.webhook_processing import events_are_left, process_next_event
        from messaging.services.outbound.sending import send_next_text, texts_are_left
        from messaging.services.outbound.text_backs import queue_next_text_back, text_backs_are_left
        from messaging.services.outbound.unknown_sends import look_up_next_text  # models are there from here on

        unread_messages.register(lambda: Message.objects.unread())
        register(Job(name="deliveries", do_next=process_next_event, is_left=events_are_left))
        register(Job(name="texts", do_next=send_next_text, is_left=texts_are_left))
        register(Job(name="look-ups", do_next=look_up_next_text, is_left=texts_are_left))
        register(Job(name="texts back", do_next=queue_next_text_back, is_left=text_backs_are_left))
