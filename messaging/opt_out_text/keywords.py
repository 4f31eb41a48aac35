"""Words that mean the same wherever they stand alone."""

from crm.choices import Provider
from messaging.opt_out_text.normalize import fold


def folded(*texts: str) -> frozenset[str]:
    return frozenset(map(fold, texts))


# 47 CFR 64.1200(a)(10)(i): replies that are a revocation by themselves.
LAW = folded("stop", "quit", "end", "revoke", "opt out", "cancel", "unsubscribe")

# What providers act on and answer by themselves. Quo: support page "Opt-out"; Twilio: "Twilio support for opt-out
# keywords", with the words of newer accounts; of CallRail no such list is known.
PROVIDER_OPT_OUT = {
    Provider.OPENPHONE: folded("stop", "stopall", "unsubscribe", "cancel", "end", "quit"),
    Provider.TWILIO: folded("stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"),
    Provider.CALLRAIL: folded(),
}
PROVIDER_OPT_IN = {
    Provider.OPENPHONE: folded("start", "unstop"),
    Provider.TWILIO: folded("start", "yes", "unstop"),
    Provider.CALLRAIL: folded(),
}
PROVIDER_ANSWERS: dict[str, frozenset[str]] = {
    provider: PROVIDER_OPT_OUT[provider] | PROVIDER_OPT_IN[provider] for provider in Provider
}

SPANISH = folded(
    "alto", "parar", "pare", "paren", "para", "cancelar", "baja", "darme de baja", "dar de baja", "detener", "detente",
    "basta", "no más", "no más mensajes", "no más textos", "no más sms",
)  # fmt: skip
FRENCH = folded(
    "arrêt", "arrêter", "arrêtez", "arrête", "désabonner", "désabonnement", "désinscrire", "annuler",
    "plus de messages", "plus de textos",
)  # fmt: skip
PORTUGUESE = folded("sair", "cancele", "descadastrar", "chega", "não mais mensagens", "chega de mensagens")
OTHER_LANGUAGES = folded(
    "stopp", "halt", "abmelden", "ferma", "annulla", "przestań", "sispann", "kanpe", "itigil", "dừng lại",
    "стоп", "停止", "退订", "退訂", "중지", "توقف", "إيقاف",
)  # fmt: skip

OPT_OUT = LAW.union(*PROVIDER_OPT_OUT.values(), folded("stop all"), SPANISH, FRENCH, PORTUGUESE, OTHER_LANGUAGES)
OPT_IN = folded("start", "unstop", "un-stop", "opt in", "optin", "resubscribe", "subscribe")
# Counts as an answer to our question alone.
YES = folded("yes", "y", "ya", "yeah", "yea", "yep", "yup", "yes please", "sí", "sí por favor", "oui", "sim")
HELP = folded("help", "info", "ayuda", "aide", "ajuda")

# Misspelled, or plain words that may mean something else: alone, or with politeness around them.
DOUBTFUL = folded(
    "stpo", "sotp", "stp", "stoo", "stoop", "stob", "stp all", "unsuscribe", "unsubcribe", "unsubscibe", "unscribe",
    "unsubscrbe", "unsub", "cancle", "cancell", "remove", "delete", "no more", "enough", "leave", "out",
)  # fmt: skip
OPT_OUT_SIGNS = ("🛑", "🚫", "✋", "🖕", "⛔")
POLITE = folded(
    "please", "pls", "plz", "plse", "thanks", "thank", "you", "thx", "ty", "ok", "okay", "k", "hey", "hi", "hello",
    "now", "just", "already", "sorry", "sir", "maam", "no", "nope", "yes", "and", "immediately", "asap", "forever",
    "por", "favor", "gracias", "ya", "svp", "merci", "sil", "vous", "plait", "obrigado", "obrigada", "bitte", "danke",
)  # fmt: skip
