"""`python -m tests.provider_server PORT LINE=NUMBER …`: the providers as a process that prints sent messages."""

import sys
import time

from tests.provider_server import KEY, ProviderServer

port, *lines = sys.argv[1:]
with ProviderServer(port=int(port)) as server:
    for line in lines:
        server.openphone.add_line(*line.split("="))
    print(f"OPENPHONE_API_URL={server.url} with the key {KEY}", flush=True)
    shown = 0
    try:
        while True:
            for message in server.sent[shown:]:
                print(
                    f"{message.provider} {message.id}: {message.from_number} to {message.to}: {message.body}",
                    flush=True,
                )
                shown += 1
            time.sleep(0.2)
    except KeyboardInterrupt:
        pass
