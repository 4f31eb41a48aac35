"""Generator of docs/opt-outs-table.md: `python -m tests.messaging.opt_out_table > docs/opt-outs-table.md`."""

import json

HEAD = """# Messages and their verdicts

{total} messages, each with the verdict of `messaging.opt_out_text.classification.classify_text`. The page is generated
from `tests/messaging/texts.py` by `python -m tests.messaging.opt_out_table > docs/opt-outs-table.md`. One test checks
each verdict, and another checks that this page is up to date. [opt-outs.md](opt-outs.md) describes their effects.
Messages are quoted as in JSON, which shows invisible characters.
"""


def opt_out_table():
    from messaging.opt_out_text.classification import classify_text
    from tests.messaging.texts import TEXTS

    sections = [HEAD.format(total=sum(map(len, TEXTS.values())))]
    for verdict, texts in TEXTS.items():
        lines = "".join(f"| {quoted(text)} | {classify_text(text)} |\n" for text in texts)
        sections.append(f"\n## {verdict}: {len(texts)}\n\n| message | verdict |\n|---|---|\n{lines}")
    return "".join(sections)


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
    print(opt_out_table(), end="")
