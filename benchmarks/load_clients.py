"""Clients that ask as fast as they are answered: `python -m benchmarks.load_clients`, a process of its own.

Reads its order from standard input as JSON:

- `port`, `seconds`, and `tokens`, one for each client
- `requests`, the pool of `[name, method, path, body]` from which clients draw; a poll of changes goes on where the last
  one ended
- `events`, `[path, headers, body]` of webhook events, which a further client sends evenly over the time

Prints `{"seconds": …, "ms": {name: [milliseconds, …]}, "errors": [text, …], "cpu": …}`: the time that it took, and the
processor seconds of this process. It uses the standard library alone: what it costs is taken from the same processors
as the servers.
"""

import json
import sys
from collections import defaultdict
from http.client import HTTPConnection
from random import Random
from threading import Lock, Thread
from time import monotonic, perf_counter, process_time, sleep
from typing import Any
from urllib.parse import quote

CHANGES, EVENT = "changes", "webhook event"


class Load:
    def __init__(self, order: dict[str, Any]) -> None:
        self.order = order
        self.ms: dict[str, list[float]] = defaultdict(list)
        self.errors: list[str] = []
        self.lock = Lock()
        self.end = 0.0

    def run(self) -> dict[str, Any]:
        threads = [Thread(target=self.work, args=(n, token)) for n, token in enumerate(self.order["tokens"])]
        threads.append(Thread(target=self.send_events))
        cpu, begin = process_time(), monotonic()
        self.end = begin + self.order["seconds"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return {
            "seconds": monotonic() - begin,
            "ms": self.ms,
            "errors": self.errors,
            "cpu": process_time() - cpu,
        }

    def work(self, number: int, token: str) -> None:
        """Ask at least once, and until the end, in an order of this client's own."""
        requests, pool = Random(number), self.order["requests"]
        http = HTTPConnection("127.0.0.1", self.order["port"], timeout=60)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        cursor = ""
        while True:
            name, method, path, body = requests.choice(pool)
            if name == CHANGES and cursor:
                path += f"?after={quote(cursor)}"
            answer = self.ask(http, name, method, path, headers, body and json.dumps(body))
            if name == CHANGES:
                cursor = json.loads(answer).get("next", "")
            if monotonic() > self.end:
                break
        http.close()

    def send_events(self) -> None:
        http = HTTPConnection("127.0.0.1", self.order["port"], timeout=60)
        begin, events = monotonic(), self.order["events"]
        for n, (path, headers, body) in enumerate(events):
            due = begin + n * self.order["seconds"] / len(events)
            sleep(max(0.0, due - monotonic()))
            self.ask(http, EVENT, "POST", path, headers, body)
        http.close()

    def ask(
        self, http: HTTPConnection, name: str, method: str, path: str, headers: dict[str, str], body: str | None
    ) -> bytes:
        begin = perf_counter()
        http.request(method, path, body, headers)
        response = http.getresponse()
        content = response.read()
        took = 1000 * (perf_counter() - begin)
        with self.lock:
            self.ms[name].append(took)
            if response.status >= 400:
                self.errors.append(f"{name}: {response.status} {content[:300].decode(errors='replace')}")
        return content


if __name__ == "__main__":
    json.dump(Load(json.load(sys.stdin)).run(), sys.stdout)
