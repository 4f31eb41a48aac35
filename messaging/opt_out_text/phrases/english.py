"""English phrases."""

from messaging.opt_out_text.phrases.english_anger import ANGER
from messaging.opt_out_text.phrases.english_consent import CONSENT
from messaging.opt_out_text.phrases.english_stop import STOP_MESSAGES
from messaging.opt_out_text.phrases.english_wrong_number import WRONG_NUMBER

ENGLISH = STOP_MESSAGES + CONSENT + WRONG_NUMBER + ANGER
