"""Phrases of further languages that have keywords: a few forms of each, without accents."""

from messaging.opt_out_text.normalize import normalize
from messaging.opt_out_text.phrases import any_of


def _contains(*texts: str) -> tuple[str, ...]:
    return tuple(rf"(?:^|\b){normalize(text)}" for text in texts)


GERMAN = any_of(
    r"\b(?:keine?|nie) (?:\w+ )?(?:nachrichten?|sms|anrufe|werbung|texte|kontaktaufnahme)(?: mehr)?(?= \.|$| bitte"
    r"| mehr| an)",
    r"\b(?:nicht|nie) (?:mehr|wieder|langer) (?:\w+ )?(?:schreiben|anrufen|kontaktieren|melden|texten|belastigen"
    r"|stohren|storen|kontaktiert|angerufen)\b",
    r"\b(?:schreib\w*|ruf\w*|kontaktier\w*|belastig\w*) (?:\w+ )*?(?:nicht|nie) (?:mehr|wieder)\b",
    r"\b(?:hor\w*|stopp\w*) (?:\w+ )?(?:auf|bitte auf|damit auf)\b(?= \.|$| mir| mich| damit| zu| bitte| mit)",
    r"\b(?:falsche?n? (?:nummer|person)|falsch verbunden|nicht meine nummer|nummer gehort)\b",
    r"\b(?:abbestellen|abmelden|austragen|loschen sie (?:meine|mich)|widerruf\w*|lassen sie mich in ruhe"
    r"|lass mich in ruhe|kein interesse|nicht interessiert)\b",
)
ITALIAN = any_of(
    r"\bnon (?:mi |ci )?(?:scriv\w+|mand\w+|invi\w+|chiam\w+|contatt\w+|disturb\w+|rompe\w+)\b(?:.*\bpiu\b|(?= \.|$))",
    r"\b(?:smett\w+|basta|finit\w+|ferm\w+) (?:di |con |i |gli |questi )*(?:scriver\w*|mandar\w*|inviar\w*"
    r"|chiamar\w*|contattar\w*|disturbar\w*|messaggi|sms|chiamate)\b",
    r"\bnon voglio (?:piu )?(?:\w+ ){0,2}(?:messaggi|sms|ricevere|chiamate|essere contattat[oa])\b",
    r"\b(?:numero sbagliato|ha sbagliato numero|sbagliato persona|persona sbagliata|non sono io)\b",
    r"\b(?:cancell\w+|toglie\w+|rimuov\w+|elimin\w+)(?:mi\b| (?:il mio|dalla|il|la mia|questo) (?:\w+ )?(?:numero"
    r"|lista|iscrizione))",
    r"\b(?:disiscriv\w*|revoco il consenso|lasciatemi in pace|lasciami in pace|non (?:mi )?interessa(?: grazie)?"
    r"(?= \.|$))",
)
POLISH = any_of(
    r"\b(?:nie|prosze nie) (?:\w+ )?(?:pisac|pisz\w*|dzwon\w*|wysyla\w*|kontaktow\w*)\b",
    r"\b(?:zaprzesta\w*|przesta\w*) (?:\w+ )?(?:pisac|dzwonic|wysylac)\b",
    r"\b(?:zly numer|pomylka|nie chce (?:\w+ )?(?:wiadomosci|smsow|otrzymywac)|wypisz\w*|rezygnuje"
    r"|usun\w* moj numer|cofam zgode|wycofuje zgode)\b",
)
HAITIAN = any_of(
    r"\bpa (?:voye|rele|ekri|tekste|kontakte) (?:m|nou|mwen|mesaj)\b",
    r"\bsispann (?:voye|rele|ekri|tekste|anmede)\w*",
    r"\b(?:move nimewo|nimewo a pa bon|retire (?:m|nimewo m|non m)|kite m trankil|mwen pa vle (?:mesaj|resevwa|ankò"
    r"|anko)|pa enterese)\b",
)
TAGALOG = any_of(
    r"\b(?:huwag|wag) (?:\w+ ){0,4}(?:text|itext|i text|tawag\w*|tawagan|mag text|magtext|mag message|imessage"
    r"|contact\w*|kontakin)\b",
    r"\b(?:itigil|tigilan|tantanan) (?:\w+ )*(?:text|pagtext|mensahe|ako|tawag|yan|na)\b",
    r"\b(?:maling numero|wrong number po|ayoko na|ayaw ko na|tanggalin (?:\w+ ){0,2}(?:numero|number|ako))\b",
)
VIETNAMESE = any_of(
    *_contains(
        "đừng nhắn",
        "đừng gọi",
        "đừng gửi",
        "đừng liên lạc",
        "đừng làm phiền",
        "ngừng nhắn",
        "ngừng gửi",
        "ngừng gọi",
        "dừng gửi",
        "dừng nhắn",
        "không nhận tin",
        "không muốn nhận",
        "nhầm số",
        "sai số",
        "hủy đăng ký",
        "xóa số",
        "không quan tâm",
        "không đồng ý nhận",
    )
)
RUSSIAN = any_of(
    *_contains(
        "не пишите",
        "не звоните",
        "не присылайте",
        "больше не",
        "прекратите",
        "перестаньте",
        "хватит",
        "отпишите",
        "отписаться",
        "ошиблись номером",
        "не тот номер",
        "не хочу получать",
        "удалите мой номер",
        "удалите меня",
        "неправильный номер",
        "отзываю согласие",
        "не беспокойте",
        "отстаньте",
        "не надо писать",
        "не надо звонить",
        "это не мой номер",
        "вы ошиблись",
        "не интересует",
        "отмените подписку",
        "уберите мой номер",
    )
)
# Without spaces, or with endings that vary: anywhere in a clause.
CHINESE_KOREAN_ARABIC = any_of(
    r"(?:不要|别|別|请勿|請勿|勿|停止|不用|不想|不需要|不愿|拒绝|拒絕)(?:再|在)?(?:给我|給我|向我|收到|接收|继续|繼續)?(?:发|發|传|傳|打|联系|聯繫|聯絡|联络|骚扰|騷擾|打扰|打擾"
    r"|短信|短訊|簡訊|信息|消息|推送|来电|來電|发送|發送|收)",
    r"(?:打错|打錯|发错|發錯|号码错|號碼錯|错号|錯號|不是我的号码|找错人|找錯人|认错人|換號"
    r"|换号了|不认识|取消订阅|取消訂閱|退订|退訂|删除我的|刪除我的|不感兴趣|不感興趣|垃圾短信|撤回同意|撤销同意)",
    r"(?:보내지 ?(?:마|말)|연락하지 ?(?:마|말)|전화하지 ?(?"
    r":마|말)|문자하지 ?(?:마|말)|그만 ?(?:보내|연락|하세요|해주세요|해)"
    r"|수신 ?거부|잘못 ?(?:거셨|보내|걸|온)"
    r"|번호가? ?(?:틀|잘못)|차단|구독 ?취소|관심 ?없)",
    r"(?:لا تر[ا]?سل|لا تتصل|لا تراسل|توقف عن|توقفوا|اوقفوا|رقم خاطئ|الرقم غلط|الرقم خطا|رقم غلط|الغاء الاشتراك"
    r"|احذف رقمي|احذفوا رقمي|لست مهتم|لا اريد)",
)
OTHER_LANGUAGES = GERMAN + ITALIAN + POLISH + HAITIAN + TAGALOG + VIETNAMESE + RUSSIAN + CHINESE_KOREAN_ARABIC
