"""Opt-out, opt-in and help keywords: messages that consist of nothing else."""

from messaging.opt_out_text.normalize import normalized

# 47 CFR 64.1200(a)(10)(i): replies that revoke consent by themselves.
LAW = normalized("stop", "quit", "end", "revoke", "opt out", "cancel", "unsubscribe")

# Further keywords of the providers, which act on them and confirm them (`messaging.providers.registry`).
PROVIDERS = normalized("stopall", "stop all", "optout")

SPANISH = normalized(
    "alto", "parar", "pare", "paren", "para", "cancelar", "baja", "darme de baja", "dar de baja", "detener", "detente",
    "basta", "no más", "no más mensajes", "no más textos", "no más sms",
)  # fmt: skip
FRENCH = normalized(
    "arrêt", "arrêter", "arrêtez", "arrête", "désabonner", "désabonnement", "désinscrire", "annuler",
    "plus de messages", "plus de textos",
)  # fmt: skip
PORTUGUESE = normalized("sair", "cancele", "descadastrar", "chega", "não mais mensagens", "chega de mensagens")
OTHER_LANGUAGES = normalized(
    "stopp", "halt", "abmelden", "ferma", "annulla", "przestań", "sispann", "kanpe", "itigil", "dừng lại",
    "стоп", "停止", "退订", "退訂", "중지", "توقف", "إيقاف",
)  # fmt: skip

OPT_OUT = LAW | PROVIDERS | SPANISH | FRENCH | PORTUGUESE | OTHER_LANGUAGES
OPT_IN = normalized("start", "unstop", "un-stop", "opt in", "optin", "resubscribe", "subscribe")
# An opt-in only if it answers the opt-out confirmation.
YES = normalized("yes", "y", "ya", "yeah", "yea", "yep", "yup", "yes please", "sí", "sí por favor", "oui", "sim")
HELP = normalized("help", "info", "ayuda", "aide", "ajuda")

# Words with another meaning as well: alone, or with polite words around them.
AMBIGUOUS = normalized(
    "unsub", "remove", "delete", "no more", "no mas", "enough", "leave", "out", "opt", "unfollow", "spam", "scam",
    "stop it", "cease", "desist", "halt", "removed", "cancela", "cancelen", "desuscribir", "arretez ca", "cesser",
    "cessez", "desista", "pare com isso", "off", "equivocado", "equivocada", "numero equivocado", "erreur", "wrong",
    "never again", "nunca mas", "nunca mais", "nao mais", "enough is enough", "discontinue",
)  # fmt: skip
STOP_SIGNS = ("🛑", "⏹")  # stand for the word within a message, too
OPT_OUT_EMOJI = (*STOP_SIGNS, "🚫", "✋", "🤚", "🖕", "⛔", "📵", "🔇", "🔕", "🙅", "❌", "🤬")
POLITE_WORDS = normalized(
    "please", "pls", "plz", "plse", "thanks", "thank", "you", "thx", "ty", "ok", "okay", "k", "hey", "hi", "hello",
    "now", "just", "already", "sorry", "sir", "maam", "no", "nope", "yes", "and", "immediately", "asap", "forever",
    "por", "favor", "gracias", "ya", "svp", "merci", "sil", "vous", "plait", "te", "obrigado", "obrigada", "bitte",
    "danke", "kindly", "fucking", "damn", "seriously", "again", "guys", "people", "dear", "n", "omg", "ugh", "wtf",
    "bro", "dude", "man", "once", "more", "pfv", "xfa", "porfavor", "porfa", "prego", "grazie", "um", "uh", "oh",
    "fine", "then", "so", "well", "all", "bye", "goodbye", "senor", "senora", "amigo", "period", "comma",
)  # fmt: skip
# Words that quote a keyword or carry it out: `text STOP`, `I said stop`, `my answer is stop`.
QUOTING_WORDS = normalized(
    "reply", "replying", "text", "texted", "txt", "texto", "send", "sent", "say", "said", "says", "saying", "word",
    "type", "typing", "typed", "hit", "pressed", "clicked", "wrote", "already", "respond", "responding", "answer",
    "is", "i", "im", "my", "me", "we", "want", "to", "wanna", "told", "u", "yall", "2", "4", "times", "a", "with",
    "number", "reason", "msg", "sms", "message", "messages", "texts", "dije", "digo", "quiero", "que", "envio",
    "mensaje", "mensajes", "jai", "dit", "je", "dis", "eu", "disse", "quero",
)  # fmt: skip
