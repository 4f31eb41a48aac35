"""Phrases of further languages that have keywords."""

from messaging.opt_out_text.phrases.german_italian_polish import GERMAN, ITALIAN, POLISH
from messaging.opt_out_text.phrases.other_scripts import OTHER_SCRIPTS
from messaging.opt_out_text.phrases.tagalog_vietnamese_haitian import HAITIAN, TAGALOG, VIETNAMESE

OTHER_LANGUAGES = GERMAN + ITALIAN + POLISH + TAGALOG + VIETNAMESE + HAITIAN + OTHER_SCRIPTS
