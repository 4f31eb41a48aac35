"""German, Italian and Polish phrases, without accents."""

from messaging.opt_out_text.phrases import END, START, any_of

_GERMAN_MESSAGES = (
    "nachrichten?|sms|textnachrichten?|anrufe|werbung|texte|kontaktaufnahme|mitteilungen|whatsapps?|spam|kontakt"
)
_GERMAN_CONTACT = (
    r"(?:an)?schreiben|anzurufen|anrufe\w*|kontaktier\w*|melden|texten|simsen|belastig\w*|storen|angerufen|schicken"
    r"|senden|zu schreiben|nerven"
)
GERMAN = any_of(
    rf"(?<!habe )(?<!noch )\b(?:keine?|nie|nix) (?:\w+ ){{0,2}}(?:{_GERMAN_MESSAGES})\b"
    r"(?! (?:bekommen|erhalten|von|gesehen|mit|gekommen|da|vor)\b)",
    rf"\b(?:nicht|nie) (?:mehr|wieder|langer) (?:\w+ )?(?:{_GERMAN_CONTACT})\b",
    rf"\bbitte (?:nicht|nie) (?:{_GERMAN_CONTACT}){END}",
    r"\b(?:schreib\w*|ruf\w*|kontaktier\w*|belastig\w*|send\w*|schick\w*|text\w*|meld\w*) (?:\w+ ){0,4}"
    r"(?:nicht mehr|nie mehr|nie wieder|nicht wieder|nichts mehr|keine \w+ mehr)\b",
    r"\b(?:hor\w*|stopp\w*) (?!nicht )(?:\w+ )?(?:auf|bitte auf|damit auf)\b(?= \.|$| mir| mich| damit| zu"
    r"| bitte| mit)",
    rf"\b(?:schluss|genug|stopp\w*|beend\w*|unterlass\w*|lass\w*) (?:\w+ ){{0,3}}(?:{_GERMAN_MESSAGES}"
    rf"|{_GERMAN_CONTACT})\b",
    r"\b(?:falsche?n?|verkehrte?n?) (?:telefon)?(?:nummer|person|empfanger\w*)\b(?! (?:auf|in|im)\b)",
    r"\b(?:falsch verbunden|verwahlt|nicht meine nummer|nummer gehort|haben sich (?:\w+ )?(?:geirrt|vertan)"
    r"|nicht (?:mehr )?(?:die|seine|ihre) (?:richtige )?(?:nummer|person))\b",
    r"\b(?:losch\w*|streich\w*|entfern\w*|nehm\w*|nimm) (?:sie |bitte )*(?:mich|uns|meinen? \w+|diese nummer)\b",
    r"\bmich (?:\w+ ){0,4}(?:abmelden|austragen|loschen|streichen)\b",
    r"\b(?:abbestellen|abmelden|austragen|widerruf\w*|lass\w* (?:sie )?(?:mich|uns) (?:\w+ )?in (?:ruhe|frieden)"
    r"|(?:kein|null) interesse|nicht interessiert|haut? ab|verpiss\w*|verschwinde\w*|verklag\w*|mein anwalt"
    r"|(?:blockier|zeig|meld)e? (?:sie|dich|euch))\b",
)

_ITALIAN_CONTACT = r"(?:scriv|mand|invi|chiam|contatt|disturb|romp|telefon)\w+|messagg\w+"
ITALIAN = any_of(
    rf"\bnon (?:mi |ci |dovete |devi |voglio che |mi dovete )*(?:{_ITALIAN_CONTACT})\b(?:.*\bpiu\b|{END})",
    rf"\b(?:mai piu|non piu) (?:{_ITALIAN_CONTACT}|messaggi|sms)\b",
    rf"\b(?:smett\w+|piant\w+|basta|finit\w+|ferm\w+|interromp\w+|cessa\w*|stop) (?:di |con |i |gli |questi |le |a )*"
    rf"(?:{_ITALIAN_CONTACT}|sms|spam|pubblicita|chiamate)\b",
    rf"{START}(?:\w+ ){{0,3}}(?:smettetela|smettila|smetta|piantatela|piantala|basta cosi)(?: \w+)?{END}",
    r"\bnon (?:voglio|desidero|vorrei|vogliamo|intendo) (?:piu )?(?:\w+ ){0,3}"
    r"(?:messagg\w*|sms|ricever\w*|chiamate|essere contattat\w|sentir\w*|pubblicita)\b",
    r"\b(?:numero|persona) (?:e )?(?:sbagliat|errat)[oa]\b(?! (?:sull?\w*|nell?\w*|di casa)\b)",
    r"\b(?:avete|ha|hai|hanno) sbagliato (?:numero|persona)\b|\bsbagliato persona\b",
    r"\bnon sono (?:io|la persona|chi|il signor\w*|interessat[oa])\b",
    r"\bnon ho (?:mai )?(?:dato|autorizzato|chiesto) (?:\w+ ){0,3}(?:consenso|permesso|numero|messaggi|niente"
    r"|questo)\b",
    r"\b(?:cancell\w+|toglie\w+|rimuov\w+|elimin\w+|tolg\w+)(?:(?<=mi)\b| (?:\w+ ){0,3}(?:numero|lista|iscrizione"
    r"|contatt[oi]|dati|nominativo)\b)",
    r"\b(?:disiscri\w*|revoco (?:il|ogni) consenso|lascia\w*[mc]i (?:stare|in pace)"
    rf"|non (?:mi |ci )?interessa(?: grazie| piu)?{END}|v[ia] (?:denuncio|blocco|segnalo)|vaffanculo)",
)

_POLISH_CONTACT = (
    r"pisac|pisz|piszcie|pisza|dzwonic|dzwon|dzwoncie|wysyla[cj]\w*|przysyla[cj]\w*|kontaktowac|kontaktuj\w*|nekac"
    r"|zawracac|zawracaj\w*"
)
POLISH = any_of(
    rf"\bnie (?:\w+ ){{0,2}}(?:{_POLISH_CONTACT})\b(?!.*\b(?:przed|po \d\w*|jutro|dzis)\b)",
    rf"\b(?:przesta\w*|zaprzesta\w*|skoncz\w*|koniec|dosc|dosyc) (?:\w+ ){{0,4}}"
    rf"(?:{_POLISH_CONTACT}|pisani\w*|sms\w*|wiadomosc\w*|telefon\w*)\b",
    rf"{START}(?:\w+ ){{0,2}}(?:przestan\w*|dosyc|dosc|dosc tego|pomylka|to pomylka)(?: \w+)?{END}",
    r"\b(?:zly|bledny|nie ten|pomylony) num(?:b)?er\b(?! (?:na|w)\b)",
    rf"\bpomyl\w+ (?:\w+ )?(?:numb?er\w*|osob\w*)\b|\bpomylka{END}",
    r"\b(?:wypisz\w*|usun\w*|skresl\w*|wykresl\w*|wymaz\w*) (?:\w+ ){0,2}(?:mnie|nas|numb?er\w*|z listy|dane)\b",
    r"\b(?:wypisz\w* mnie|cofam zgode|wycofuje zgode|odwoluje zgode)\b",
    r"\bnie (?:\w+ )?(?:chce|chcemy|zycze sobie) (?:\w+ ){0,3}(?:wiadomosci|sms\w*|otrzymywac|dostawac|kontakt\w*)\b",
    r"\bnie (?:wyrazam|wyrazal\w+|dawal\w+|dal\w+) (?:\w+ )?zgody\b",
    rf"\bnie (?:\w+ )?zainteresowan\w+{END}|\bnie interesuje mnie to\b",
    rf"\brezygnuje(?={END}| z (?:subskrypcji|wiadomosci|sms\w*|powiadomien))",
    r"\b(?:to nie (?:jest )?(?:moj|jego|jej) num(?:b)?er|nie jestem (?:ta osoba|panem|pania)|zostaw\w* (?:mnie|nas)"
    r" w spokoju|odczep\w*|dajcie mi spokoj|mnie (?:wypisac|usunac)|odwal\w*|zglosz[ea] (?:was|to)"
    r"|zablokuje (?:was|ten))\b",
)
