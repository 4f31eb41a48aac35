"""Generator of docs/opt-outs-table.md: `python -m tests.messaging.opt_out_table > docs/opt-outs-table.md`.

`--figures` prints recall and false alarms only.
"""

import json
import sys

HEAD = """# Messages and their verdicts

{total} messages, each with the verdict of `messaging.opt_out_text.classification.classify_text`. The page is generated
from `tests/messaging/texts.py` by
`.venv/bin/python -m tests.messaging.opt_out_table > docs/opt-outs-table.md`. One test checks
each verdict, and another checks that this page is up to date. [opt-outs.md](opt-outs.md) describes their effects.
Messages are quoted as in JSON, which shows invisible characters.

## Recall and false alarms

`.venv/bin/python -m tests.messaging.opt_out_table --figures` prints them. *Recall* counts messages that mean stop and
are recognised, at once or for review. A *false alarm* is another message that blocks its sender. No rule was fitted to
the held-out messages (`tests/messaging/held_out_texts.py`), so they estimate the figures for messages yet unseen.

{figures}
"""


def opt_out_table():
    from messaging.opt_out_text.classification import classify_text
    from tests.messaging.texts import TEXTS

    sections = [HEAD.format(total=sum(map(len, TEXTS.values())), figures=figures())]
    for verdict, texts in TEXTS.items():
        lines = "".join(f"| {quoted(text)} | {classify_text(text)} |\n" for text in texts)
        sections.append(f"\n## {verdict}: {len(texts)}\n\n| message | verdict |\n|---|---|\n{lines}")
    return "".join(sections)


def figures():
    """Return a table of recall and false alarms over the table and over the held-out messages."""
    from messaging.opt_out_text.classification import Verdict
    from tests.messaging import held_out_texts
    from tests.messaging.texts import TEXTS

    stopping = [*TEXTS[Verdict.OPT_OUT], *TEXTS[Verdict.SUSPECTED]]
    ordinary = [
        text for verdict in (Verdict.OPT_IN, Verdict.YES, Verdict.HELP, Verdict.NOTHING) for text in TEXTS[verdict]
    ]
    rows = []
    for name, lists in (
        ("this table", (stopping, ordinary)),
        ("held-out messages", (held_out_texts.STOPPING, held_out_texts.ORDINARY)),
    ):
        missed, alarmed = measure(*lists)
        recognised = len(lists[0]) - len(missed)
        rows.append(f"| {name} | {share(recognised, len(lists[0]))} | {share(len(alarmed), len(lists[1]))} |")
        wrong = [f"| missed: {quoted(text)} | | |" for text in missed] + [
            f"| false alarm: {quoted(text)} | | |" for text in alarmed
        ]
        rows += wrong
    return "\n".join(["| messages | recall | false alarms |", "|---|---|---|", *rows])


def measure(stopping, ordinary):
    """Return the messages that mean stop and aren't recognised, and the others that are."""
    from messaging.opt_out_text.classification import Verdict, classify_text

    blocking = (Verdict.OPT_OUT, Verdict.SUSPECTED)
    return (
        [text for text in stopping if classify_text(text) not in blocking],
        [text for text in ordinary if classify_text(text) in blocking],
    )


def share(part, whole):
    return f"{part} of {whole} ({100 * part / whole:.1f} %)"


def quoted(text):
    invisible = {character: json.dumps(character)[1:-1] for character in text if not character.isprintable()}
    shown = json.dumps(text, ensure_ascii=False)
    for character, escaped in invisible.items():
        shown = shown.replace(character, escaped)
    return f"`` {shown} ``".replace("|", "\\|")


if __name__ == "__main__":
    import os

    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    print(figures() if "--figures" in sys.argv else opt_out_table(), end="\n" if "--figures" in sys.argv else "")
