"""The help of the product's commands."""

import re
from pathlib import Path

import pytest
from django.core import management
from django.core.management import find_commands, get_commands, load_command_class
from django.core.management.base import CommandParser

from tests.test_glossary import APPS

# A command that replaces Django's, such as `migrate`, keeps Django's options and their help.
DJANGOS = find_commands(Path(management.__file__).parent)
COMMANDS = sorted(name for name, app in get_commands().items() if app in APPS and name not in DJANGOS)
UNIT = re.compile(r"\b(days|seconds|milliseconds|number of|number in|moved in|\d+[smh]|same seed)\b")


def parser_of(name):
    """Return a parser with the command's own options, without Django's."""
    command = load_command_class(get_commands()[name], name)
    parser = CommandParser(prog=name, add_help=False)
    command.add_arguments(parser)
    return parser


def help_of(parser):
    formatter = parser._get_formatter()
    return {action: formatter._expand_help(action) if action.help else "" for action in parser._actions}


def test_commands_of_every_app_are_found():
    assert {"create_company", "rebuild_rollups", "reconcile", "migrate_safely", "work"} <= set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_command_says_what_it_does(name):
    assert re.fullmatch(r"[A-Z].{20,}\.", load_command_class(get_commands()[name], name).help)


@pytest.mark.parametrize("name", COMMANDS)
def test_option_has_a_help_sentence(name):
    assert not [action.dest for action, text in help_of(parser_of(name)).items() if len(text.split()) < 3]


@pytest.mark.parametrize("name", COMMANDS)
def test_optional_value_states_its_default(name):
    """Options that exclude each other are changes to make; without one, nothing is changed."""
    parser = parser_of(name)
    changes = [action for group in parser._mutually_exclusive_groups for action in group._group_actions]
    optional = {a: text for a, text in help_of(parser).items() if a.nargs != 0 and not a.required and a not in changes}
    assert not [action.dest for action, text in optional.items() if "(default: " not in text]


@pytest.mark.parametrize("name", COMMANDS)
def test_numeric_option_states_its_unit(name):
    numeric = {action: text for action, text in help_of(parser_of(name)).items() if isinstance(action.default, int)}
    assert not [a.dest for a, text in numeric.items() if a.nargs != 0 and not UNIT.search(text)]
