"""Spelling of labels, help texts and messages that people read: ID, URL, API, time zone, email, opt-out."""

import re

import pytest
from django.apps import apps
from django.contrib import admin
from django.core.management import get_commands, load_command_class

from calls.choices import TextBack
from tests.test_commands import COMMANDS, help_of, parser_of
from tests.test_glossary import APPS

# Words and their other spellings. Names of columns and options, such as retention_days or --timezone, are no prose.
MISSPELLED = re.compile(
    r"(?<![\w.-])(ids?|Ids?|urls?|Urls?|api|Api|sms|Sms|[Tt]imezones?|[Ee]-mails?|[Oo]pt outs?"
    r"|[Oo]penphone|[Cc]allrail)"
    r"(?![\w=])"
)
VALUES = re.compile(r"Origin: .*|must be (?:empty or )?one of: .*|\{[^}]*\}|`[^`]*`")  # stored words and JSON keys
MODELS = sorted((model for model in apps.get_models() if model._meta.app_label in APPS), key=lambda m: m._meta.label)


def misspelled(texts):
    return [text for text in texts if MISSPELLED.search(VALUES.sub("", str(text)))]


def test_misspelled_words_are_recognized():
    assert misspelled(["Openphone id", "recording url", "The user's timezone.", "E-mail", "opt out"]) == [
        "Openphone id", "recording url", "The user's timezone.", "E-mail", "opt out"
    ]  # fmt: skip
    assert not misspelled(["OpenPhone ID", "recording URL", "opt-out", "--timezone", "A list of {url, type}."])


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_model_labels_are_spelled_alike(model):
    fields = [field for field in model._meta.get_fields() if hasattr(field, "verbose_name")]
    texts = [text for field in fields for text in (field.verbose_name, field.help_text)]
    texts += [label for field in fields for _value, label in getattr(field, "choices", None) or ()]
    texts += [model._meta.verbose_name, model._meta.verbose_name_plural]
    texts += [constraint.violation_error_message for constraint in model._meta.constraints]
    assert not misspelled(texts)


@pytest.mark.parametrize("model", list(filter(admin.site.is_registered, MODELS)), ids=lambda model: model._meta.label)
def test_admin_labels_are_spelled_alike(model):
    page = admin.site._registry[model]
    texts = [page.search_help_text or ""]
    for field in page.form.base_fields.values():
        texts += [field.label or "", field.help_text]
    assert not misspelled(texts)


@pytest.mark.parametrize("name", COMMANDS)
def test_command_help_is_spelled_alike(name):
    command = load_command_class(get_commands()[name], name)
    assert not misspelled([command.help, *help_of(parser_of(name)).values()])


def test_blocked_text_back_is_called_blocked():
    assert TextBack("refused").label == "Blocked"
