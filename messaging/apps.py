from django.apps import AppConfig


class MessagingConfig(AppConfig):
    name = "messaging"

    def ready(self) -> None:
        from crm.worker import Job, register
        from messaging.services.processing import events_are_left, process_next_event  # models are there from here on

        register(Job(name="deliveries", do_next=process_next_event, is_left=events_are_left))
