"""A provider's webhook requests."""

import json
import time
from threading import Thread
from typing import Any

import httpx

from drill.product import COMPANY, Product
from messaging.providers.openphone.signature import generate_secret, sign_legacy

SECRET = generate_secret()
Event = dict[str, Any]


def post_event(product: Product, event: Event) -> httpx.Response:
    body = json.dumps(event).encode()
    headers = sign_legacy(secret=SECRET, body=body, timestamp=str(int(time.time() * 1000)))
    url = f"/webhooks/openphone/{COMPANY}"
    return product.http.post(url, content=body, headers=headers | {"Content-Type": "application/json"})


class PersistentSender(Thread):
    """A provider that repeats a webhook event until it is answered with 200."""

    def __init__(self, product: Product, event: Event) -> None:
        super().__init__(daemon=True)
        self.product, self.event = product, event
        self.answers: list[int] = []

    def run(self) -> None:
        while 200 not in self.answers:
            self.answers.append(post_event(self.product, self.event).status_code)
            time.sleep(0.2)
