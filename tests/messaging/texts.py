"""Messages as customers write them, by expected verdict: `docs/opt-outs-table.md` shows them."""

from messaging.opt_out_text.classification import Verdict
from tests.messaging import everyday_texts, more_texts, ordinary_texts

OPT_OUT = [
    # Keywords of the law and of the providers.
    "STOP", "stop", "Stop", "sToP", "QUIT", "quit", "END", "end", "REVOKE", "Revoke", "OPT OUT", "opt out", "Opt-Out",
    "OPTOUT", "CANCEL", "cancel", "UNSUBSCRIBE", "unsubscribe", "Unsubscribe", "STOPALL", "StopAll", "STOP ALL",
    # Punctuation, spaces, emoji, look-alike letters.
    "Stop.", "STOP!!", "STOP!!!!!!", "“Stop”", '"STOP"', "'stop'", "‘Stop’", "(stop)", "*STOP*", "_stop_", "[STOP]",
    "<STOP>", "~stop~", "STOP?", "...stop...", "  stop  ", "\nSTOP\n", "STOP 🛑", "🛑STOP🛑", "Stop 😡😡", "👎 stop",
    "ＳＴＯＰ", "S\u200bTOP", "\ufeffSTOP", "St\u00adop", "S T O P", "S.T.O.P.", "s-t-o-p", "STOOOP", "stopppp",
    "Opt – out", "opt_out", "end.", "QUIT!", "Cancel.", "#stop",
    "STOP STOP STOP", "Stop. Stop.", "stop, unsubscribe", "STOP END", "STOP\nSTOP", "Stop/Cancel",
    # Spanish
    "ALTO", "alto", "¡Alto!", "PARAR", "parar", "PARE", "Paren", "Para", "CANCELAR", "cancelar", "BAJA", "Baja",
    "Darme de baja", "Detener", "Basta", "¡Basta!", "No más", "no mas", "No más mensajes", "NO MAS MENSAJES",
    "No más textos",
    # French, as Canada has it
    "ARRET", "ARRÊT", "arrêt", "Arrêtez", "ARRÊTER", "arrete", "Désabonner", "DESABONNER", "Désinscrire", "Annuler",
    "Plus de messages",
    # Portuguese
    "SAIR", "sair", "Sair!", "CANCELE", "Descadastrar", "Chega", "Não mais mensagens", "chega de mensagens",
    # Others
    "Stopp", "HALT", "Abmelden", "Ferma", "Annulla", "przestań", "sispann", "СТОП", "стоп", "停止", "退订", "중지",
    "توقف",
]  # fmt: skip

SUSPECTED = [
    # Keyword with polite words.
    "STOP PLEASE", "please stop", "Please stop.", "pls stop", "Stop plz", "Stop, thanks", "no thank you, stop",
    "No thanks. Stop.", "ok stop", "just stop already", "STOP NOW", "Hi, please stop", "Sorry, stop", "Please cancel",
    "cancel please", "unsubscribe me please", "Unsubscribe, please!", "Please unsubscribe", "quit please",
    "please end",
    "stop it", "Please stop this", "stop that now", "STOP TEXT", "stop sms", "stop everything", "alto por favor",
    "Por favor, parar", "Basta ya", "arrêt svp", "Parar por favor, obrigado", "Merci, arrêtez",
    # Keyword next to something else.
    "Count me in, STOP this bill", "cannot stop by, STOP", "STOP\nSent from my iPhone",
    "I have a roofer already. Stop.",
    "We're all set; stop", "I said STOP three times", "STOP I already have a contractor", "stop you people are awful",
    "How many times do I have to text STOP", "Thanks but no thanks. Unsubscribe", "Roof is done, end",
    # Sentences about messages.
    "stop texting me", "Stop texting", "STOP TEXTING ME!!!", "pls stop txting me", "stop messaging me",
    "Stop sending me texts", "stop sending me this stuff", "Stop all these messages", "stop the spam",
    "quit texting me",
    "Quit bugging me", "please cease all messages", "end these messages", "cancel my texts", "Cancel my subscription",
    "can you stop texting me", "Could you please stop sending these reminders", "stop calling me",
    "Stop contacting us",
    "stop bothering my husband", "stop harassing me", "stop with the texts",
    "I want these texts to stop messaging me",
    "don't text me again", "Don’t text me again", "DONT TEXT ME", "dont txt me", "Do not text this number",
    "do not contact me", "Do not contact us again", "never text me again", "Please don't message me anymore",
    "Don't call me again", "do not call this number", "don't send me anything", "Do not send any more",
    "I don't want any more texts", "I do not wish to be contacted", "I don't want to receive these messages",
    "I no longer want your texts", "we don't need any more messages", "I never signed up for these texts",
    "I didn't ask for this spam", "No more texts", "no more messages please", "No further contact", "no more calls",
    "take me off your list", "Take me off", "please take my number off your list", "take us off this list please",
    "Get me off this list", "remove me", "Remove me from your list", "REMOVE MY NUMBER", "please remove my name",
    "Delete my number", "delete me", "Please remove this number from the texting list", "remove", "delete",
    "how do I unsubscribe", "unsubscribed", "I want to unsubscribe", "Please opt me out", "I'd like to opt out",
    "opting out", "I opted out already", "opt out please", "leave me alone", "Leave us alone!",
    "leave me the hell alone", "lose my number", "Lose this number", "go away", "Get lost", "fuck off",
    "not interested", "Not interested, thanks", "No thanks, not interested", "I'm not interested.",
    "sorry not interested anymore", "no more", "Enough!", "unsub", "unsuscribe", "Unsubcribe", "STPO", "stpo",
    "🛑", "🚫",
    "I revoke my consent", "I withdraw all consent", "cease and desist", "I am on the do not call list",
    "I'm reporting you", "reported as spam", "This is spam", "this is harassment", "I'll call the FCC",
    "blocking you",
    # Wrong number: the owner has never given consent.
    "wrong number", "Wrong number!", "sorry, wrong number", "You have the wrong person", "wrong #",
    "this is not his number",
    "This is no longer my number", "This isn't Dave's number", "Nobody by that name here",
    # Spanish
    "No me envíen más mensajes", "no me manden mensajes", "No me escriban más", "por favor no me molesten",
    "no me contacten", "Dejen de escribirme", "deje de mandar mensajes", "No quiero más mensajes",
    "no quiero recibir textos", "Quíteme de su lista", "sáquenme de la lista", "Borren mi número",
    "número equivocado", "quiero darme de baja", "Ya no más mensajes por favor",
    # French
    "Arrêtez de m'écrire", "arrêter de m’envoyer des textos", "ne m'écrivez plus", "Ne me textez plus",
    "ne me contactez pas", "Plus de messages svp", "Désabonnez-moi", "Retirez-moi de votre liste",
    "enlevez mon numéro", "Mauvais numéro", "Laissez-moi tranquille",
    # Portuguese
    "Pare de me mandar mensagens", "parem de enviar", "Não me mande mais mensagens",
    "não quero mais receber mensagens",
    "Me tire da lista", "remova meu número", "Número errado", "quero me descadastrar",
]  # fmt: skip

OPT_IN = [
    "START", "start", "Start.", "“Start”", "START!", "start 👍", "S T A R T", "UNSTOP", "unstop", "Unstop!", "un-stop",
    "opt in", "OPT-IN", "resubscribe", "Subscribe",
]  # fmt: skip

YES = [
    "yes", "Yes", "YES", "Yes!", "yes.", "yes 👍", "“Yes”", "Y", "y", "yeah", "Yep", "yup", "Yes please",
    "Yes, please!",
    "Sí", "si", "¡Sí!", "Sí, por favor", "oui", "Sim", "yesss",
]  # fmt: skip

HELP = ["HELP", "help", "Help!", "INFO", "info?", "Ayuda", "AIDE", "ajuda"]

NOTHING = [
    # Keyword with another meaning.
    "can you stop by at 3?", "Can you stop by tomorrow", "could you stop over at 3", "CAN YOU STOP BY TODAY",
    "Please stop by after 5", "Can someone STOP BY today", "nonstop leaks", "It's leaking non-stop", "non stop rain",
    "when does the weekend end?", "the bus stops here", "It stopped leaking", "The leak won't stop",
    "How do I stop this leak?", "I need it to stop leaking", "The AC doesn't stop running", "It stops and starts",
    "Turn left at the STOP sign", "the stop sign on Elm", "stop in anytime", "Stop at the office first",
    "One stop shop?", "don't stop", "Don't stop texting me", "We can't stop the water", "at the end of the street",
    "End of the month works", "by the end of June", "In the end we chose copper", "The end.", "weekend",
    "dead end road",
    "my furnace quit", "The heat quit working", "He quit smoking in the attic", "I quit my job so come any day",
    "cancel my appointment on Tuesday", "I need to cancel Tuesday", "Can I cancel the visit?", "Cancel the 3pm",
    "Do I pay if I cancel?", "The insurer cancelled my policy", "Cancel that order of shingles",
    "remove the old gutter", "Can you remove the tree too", "delete the second line item",
    "Take the old unit off the roof",
    "Please take off your shoes", "The roof comes off Monday", "leave the key under the mat", "Leave me a message",
    "leave me a quote", "get me a quote", "take me through the quote", "I'm out of town", "I am out until 5",
    "call me before you text", "Why don't you text me", "You never text me back", "Don't call me, just text",
    "Did you not call me back?", "text me when you arrive", "No text came", "I got your message",
    "more texts are fine",
    "I can't receive calls at work", "The number is wrong on the invoice", "wrong color", "The total is wrong",
    "are you the right number for permits?", "opt for the metal roof", "revoked permit",
    "is it in the subscription price?",
    "We have enough shingles", "no more leaks!", "No more rain please", "I'm interested", "Very interested, thanks",
    "My wife is not interested in gutters but I am in the roof",
    # Opt-in or yes within a sentence.
    "please unstop me", "when can you start?", "Start on Monday", "Can we start at 8", "start the job",
    "YES I want a quote", "Yes we do", "yes but not Tuesday", "yes Tuesday works", "I said yes",
    "help me please", "Can you help?", "Need help with a leak", "more info please",
    # Other languages, ordinary words.
    "¿Para cuándo?", "es para el techo", "La planta baja", "No me llamo Juan", "Quiero una cotización para el techo",
    "¿Puede parar en la casa mañana?", "No hay más goteras", "soy muy alto", "I live in PALO ALTO",
    "C'est l'arrêt d'autobus",
    "Un arrêt de bus", "vou sair às 5", "A baja altura", "No me mandaron el contrato",
    # Reactions that quote a message.
    "Liked “Acme Roofing: see you at 9. Reply STOP to opt out”", "Loved \"Reply STOP to unsubscribe\"",
    "Disliked “Reply STOP to opt out”", "Laughed at “Text STOP to end”", "👍 to “Reply STOP to unsubscribe”",
    "Removed a like from “Reply STOP to opt out”", "Reacted 😂 to “Reply STOP to opt out”",
    # Empty.
    "", " ", "👍", "?", "ok", "no", "No thanks", "Thanks!", "K", "123", "9am works", "https://example.com/stop",
]  # fmt: skip

TEXTS = {
    Verdict.OPT_OUT: OPT_OUT + more_texts.OPT_OUT + everyday_texts.OPT_OUT,
    Verdict.SUSPECTED: SUSPECTED + more_texts.SUSPECTED + everyday_texts.SUSPECTED,
    Verdict.OPT_IN: OPT_IN,
    Verdict.YES: YES,
    Verdict.HELP: HELP,
    Verdict.NOTHING: NOTHING + more_texts.NOTHING + ordinary_texts.NOTHING,
}
