"""Steps: each prints what it did, what it saw, and its result."""

import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from drill.observations import Skipped
from drill.scene import Scene

Step = Callable[[Scene], str]
"""A function that returns what it saw. Its docstring says what it does."""


@dataclass(frozen=True)
class Chapter:
    """Steps that build on each other: after one that failed or was skipped, the rest is skipped."""

    title: str
    steps: Sequence[Step]


def run_chapters(scene: Scene, set_up: Chapter, chapters: Sequence[Chapter]) -> int:
    """Run all chapters, which need the first but not each other. Returns the exit status."""
    began, results = time.monotonic(), run_chapter(scene, set_up)
    if results["OK"] == len(set_up.steps):
        for chapter in chapters:
            results += run_chapter(scene, chapter)
    counts = ", ".join(f"{results[result]} {result}" for result in ("OK", "SKIPPED", "FAILED"))
    print(f"\n{counts}, in {time.monotonic() - began:.0f} s")
    return 1 if results["FAILED"] else 0


def run_chapter(scene: Scene, chapter: Chapter) -> Counter[str]:
    """Run the steps of a chapter. Returns the number of each result."""
    print(f"\n{chapter.title}", flush=True)
    results: Counter[str] = Counter()
    reason = ""
    for step in chapter.steps:
        print(f"  did  {step.__doc__}", flush=True)
        began, result = time.monotonic(), "SKIPPED"
        if not reason:
            try:
                saw, result = step(scene), "OK"
                print(f"  saw  {scene.without_folders(saw)}")
            except Skipped as skipped:
                reason = str(skipped)
            except Exception as error:
                result, reason = "FAILED", "an earlier step failed"
                print(f"  saw  {scene.without_folders(f'{type(error).__name__}: {error}')}")
                print(scene.log_ends(), file=sys.stderr)
        ending = f": {reason}" if result == "SKIPPED" else f", {time.monotonic() - began:.1f} s"
        print(f"  {result}{ending}", flush=True)
        results[result] += 1
    return results
