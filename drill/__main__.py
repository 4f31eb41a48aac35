"""Entry point of `python -m drill`."""

import signal
import sys
import tempfile
from argparse import ArgumentParser
from contextlib import ExitStack
from pathlib import Path

from drill import campaign, failover, killed_worker, pooler, provider_outage, restored_copy, set_up, wrong_key
from drill.scene import Scene
from drill.steps import Chapter, run_chapters

CHAPTERS = [
    Chapter("Backup and restore", restored_copy.STEPS),
    Chapter("Key mix-up", wrong_key.STEPS),
    Chapter("Pooler", pooler.STEPS),
    Chapter("Killed worker", killed_worker.STEPS),
    Chapter("Provider outage", provider_outage.STEPS),
    Chapter("Campaign", campaign.STEPS),
    Chapter("Failover", failover.STEPS),  # the last one, because it ends the first cluster
]


def main() -> int:
    """Run the drill. Returns the exit status: 1 if a step failed."""
    ArgumentParser(
        prog="python -m drill", description="Run the drill of docs/drill.md, in four to six minutes."
    ).parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the stack ends all processes, as after Ctrl-C
    with tempfile.TemporaryDirectory(prefix="crm-drill-") as folder, ExitStack() as stack:
        scene = Scene(folder=Path(folder), stack=stack)
        return run_chapters(scene, Chapter("Set-up", set_up.STEPS), CHAPTERS)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
