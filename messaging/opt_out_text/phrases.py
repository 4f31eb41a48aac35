"""Phrases that may revoke consent, as patterns for normalized text."""

import re

# Parts of the patterns: names for messages, and for the person who gets them.
_MESSAGES = (
    "texts|txts|texting|txting|messages|msgs|messaging|sms|mms|spam|spamming|notifications|alerts|reminders|promos|"
    "promotions|offers|ads|marketing|solicitations|soliciting|subscription|calls|calling|contacting|bugging|bothering|"
    "harassing|emails|emailing"
)
_ME = "me|us|this number|this phone|my phone|my number|my cell|my husband|my wife|here|again|anymore|any more"
_MY_NUMBER = (
    "me|us|my name|my number|my phone|my cell|my info|my contact|our number|our name|this number|this phone|number"
)


def _any_of(*patterns: str) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(pattern) for pattern in patterns)


ENGLISH = _any_of(
    # stop texting me; stop all these messages; cancel my texts; and not: don't stop texting me
    rf"(?<!\bdont )(?<!\bnot )\b(stop|quit|cease|end|cancel|halt) (\w+ ){{0,4}}({_MESSAGES})\b",
    r"\bstop sending (me|us|these|this|those|any|anything|stuff|it)\b",
    # don't text me again; and not: why don't you text me, you never text me, don't call me, text me
    rf"(?<!\byou )\b(dont|do not|dnt|never) (ever |please )?(text|txt|message|msg|contact|bother|bug|spam) ({_ME})\b",
    rf"(?<!\byou )\b(dont|do not|dnt|never) (ever |please )?call ({_ME})\b(?!.*\btext\b)",
    r"\b(dont|do not) send (me|us|any|anymore|more|anything|these|this)\b",
    r"\b(dont|do not|no longer|didnt|did not|never) (want|wanna|wish|need|care|like|ask|asked|sign|signed)"
    rf" (\w+ ){{0,5}}({_MESSAGES}|contacted|texted|messaged|called|bothered|texts)\b",
    rf"\bno (more|further) (text|message|contact|communication|communications|{_MESSAGES})\b",
    # take me off your list; remove me; and not: remove the old gutter
    rf"\b(take|get|scratch|cross|pull|drop) ({_MY_NUMBER}) (\w+ )?(off|from|out)\b",
    rf"\b(remove|delete|erase|purge) ({_MY_NUMBER})\b",
    r"\b(take|remove|delete|off|from) (\w+ ){0,5}((mailing|text|texting|call|contact|phone|your) list|distribution)\b",
    r"\bunsubscri\w*",
    r"\bunsub\b",
    r"\bopt(ed|ing)? (me |us )?out\b",
    r"\boptout\b",
    r"\bleave (me|us) (the \w+ )?alone\b",
    r"\b(lose|forget|erase) (my|this) number\b",
    # Wrong number: its present owner has never given consent.
    r"\bwrong (number|person|phone|guy|lady|num|cell)\b",
    r"\b(not|isnt|no longer) (my|his|her|their|the right|the correct|\w+s) (number|phone|cell)\b",
    r"\b(no one|nobody|noone) (here )?(by|with) that name\b",
    r"\b(revoke|withdraw) (my |our |all )*(consent|permission)\b",
    r"\bcease and desist\b",
    r"\bdo not (call|contact|text) (list|registry)\b",
    r"\b(report|reported|reporting|block|blocked|blocking) (you|u|your number|this number)\b",
    r"\breport(ed|ing)? (this |you |it )*(as |for )?(spam|junk|scam|harassment)\b",
    r"\b(this is|its|thats|such) (a |just )?(spam|harassment|a scam|scam|harassing)\b",
    r"\b(tcpa|fcc|ftc)\b",
    r"\b(go away|get lost|buzz off|fuck off|f off|piss off|screw you|fuck you|shut up)\b",
)
SPANISH = _any_of(
    r"\bno (me |nos )?(mas )?(envien?|envies|manden?|mandes|escriban?|escribas|contacten?|contactes|molesten?|molestes"
    r"|llamen?|llames|texteen?|textees)\b",
    r"\bdej(e|en|a|ar|es) de (enviar|mandar|escribir|llamar|molestar|textear|contactar)\w*",
    r"\bno (quiero|queremos|deseo|deseamos) (\w+ ){0,3}(mensajes?|textos?|sms|llamadas)\b",
    r"\b(quit|saqu|borr|elimin|remuev)\w* (\w+ ){0,3}(lista|numero)\b",
    r"\b(numero|persona) equivocad[oa]\b",
    r"\bno mas (mensajes|textos|sms|llamadas)\b",
    r"\bcancelar (\w+ ){0,2}(mensajes|textos|suscripcion)\b",
    r"\b(darme|deme|denme|dar) de baja\b",
)
FRENCH = _any_of(
    r"\barret\w* (de |d)?(me |nous |les |ces |vos )?(m?envoyer|m?ecrire|m?appeler|texter|contacter|deranger|messages"
    r"|textos|sms)\b",
    r"\bne (me |nous )?(m?ecri\w+|m?envoy\w+|m?appel\w+|textez?|textes|contactez?|derangez?) (plus|pas)\b",
    r"\b(plus|pas) de (messages|textos|sms)\b",
    r"\b(desabonn|desinscri)\w+",
    r"\b(retirez?|enlevez?|supprimez?) (moi|mon numero|mon nom)\b",
    r"\bmauvais numero\b",
    r"\blaissez? (moi|nous) tranquilles?\b",
)
PORTUGUESE = _any_of(
    r"\bnao (me )?(enviem?|mandem?|escrevam?|liguem?|contatem?|perturbem?)\b",
    r"\bnao quero (\w+ ){0,3}(mensagens?|mensagem|sms|ligacoes)\b",
    r"\bpar(e|em|ar) (de )?(me )?(enviar|mandar|ligar|escrever|perturbar)\b",
    r"\b(tir|remov|exclu|retir|apag)\w* (\w+ ){0,3}(lista|numero)\b",
    r"\bnumero errado\b",
    r"\b(descadastr|desinscrev)\w+",
)
SENTENCES = ENGLISH + SPANISH + FRENCH + PORTUGUESE

# A whole clause, from its beginning to its end.
WHOLE_CLAUSES = _any_of(
    r"(\w+ ){0,2}(stop|quit) (it|this|that|text|txt|msg|message|sms|everything)( \w+)?",
    r"(please |pls |ok |no )?stop (i|im|we|you|u|youre|asap|dont) .+",
    r"(\w+ ){0,4}not interested( \w+){0,2}",
    r"(please |pls )?(stop|enough|basta|chega)( with)?( all)? (the|this|these|your) (nonsense|crap|bs|shit|already)",
)

# STOP in capitals may be an opt-out in the middle of a sentence, too, unless one of these follows.
HARMLESS_AFTER_STOP = ("by", "BY", "over", "OVER", "sign", "SIGN", "in", "IN", "at", "AT", "off", "OFF", "signs")

# A reaction quotes the message, and with it the company's own "Reply STOP to opt out".
REACTION = re.compile(
    r"(liked|loved|disliked|laughed at|emphasized|questioned|reacted \S+ to|removed an? [^“\"]{1,40} from"
    r"|le gustó|le encantó|a aimé|\S{1,8} to)\s*[“\"„«].*",
    re.IGNORECASE | re.DOTALL,
)
