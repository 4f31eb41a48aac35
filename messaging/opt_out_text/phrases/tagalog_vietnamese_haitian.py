"""Tagalog, Vietnamese and Haitian Creole phrases, without accents."""

from messaging.opt_out_text.phrases import END, START, any_of

_TAGALOG_CONTACT = (
    r"(?:(?:mag|pag|i|nag|te|ka)\w* ?)?(?:text|txt|message|msg|mensahe|tawag\w*|contact\w*|send|padala\w*)|tumawag"
    r"|tawagan|kontakin|mangulit|kulitin|guluhin|istorbohin"
)
TAGALOG = any_of(
    rf"\b(?:huwag|wag|pakitigil|pakihinto|itigil|ihinto|hinto|tigil|tigilan|tantanan) (?:\w+ ){{0,5}}"
    rf"(?:{_TAGALOG_CONTACT})\w*\b(?!.*\b(?:bago|muna|bukas)\b)",
    r"\b(?:itigil|tigilan|tantanan|lubayan|layuan) (?:na )?(?:ninyo|niyo|nyo|mo|yan|ako|na|po)\b",
    rf"\b(?:ayoko|ayaw ko|ayaw) (?:\w+ ){{0,4}}(?:{_TAGALOG_CONTACT}|makatanggap|tumanggap)\w*\b",
    rf"\b(?:ayoko na|ayaw ko na)\b|{START}tama na(?: \w+)?{END}",
    r"\bmali(?:ng)? (?:po |ang |yung |na |itong )*(?:numero|number|num|tao)\b(?! (?:sa|ng)\b)|\bwrong number po\b",
    r"\b(?:alisin|tanggalin|burahin|paki ?\w+|i ?delete|i ?remove|i ?block) (?:\w+ ){0,4}"
    r"(?:numero|ako|pangalan ko|listahan)\b",
    r"\b(?:tanggalin|alisin|burahin|idelete|paki\w+) (?:\w+ ){0,2}number\b",
    r"\b(?:hindi|di) (?:po |na |ako |kami )+interesado\b|\b(?:hindi|di) (?:po )?(?:ako si|ito si|ito ang number)\b",
    r"\b(?:irereport|ireport|iblock|ibablock) (?:\w+ )?(?:kayo|ka|to|kita)\b",
)

_VIETNAMESE_CONTACT = "nhan(?: tin)?|goi|gui|lien lac|lam phien|quay ray|spam|tin nhan|nhan nua"
_NOT_BEFORE = r"(?!.*\b(?:truoc|sau \d+)\b)"
VIETNAMESE = any_of(
    rf"\b(?:dung(?! roi\b)|ngung|thoi|cham dut|lam on dung) (?:\w+ ){{0,3}}(?:{_VIETNAMESE_CONTACT})\b{_NOT_BEFORE}",
    rf"\bkhong (?:con )?(?:muon|dong y|thich|can) (?:\w+ ){{0,3}}(?:{_VIETNAMESE_CONTACT}|tin)\b{_NOT_BEFORE}",
    r"\bkhong nhan tin(?! nhan nao)\b|\bkhong (?:nhan tin|goi|gui|lien lac|nhan) (?:\w+ )?nua\b",
    r"\b(?:nham|sai|lon) (?:so|nguoi)\b(?! (?:nha|tien|luong|hoa don|tren)\b)",
    r"\b(?:xoa|go|loai|bo) (?:\w+ )?(?:so|ten|toi|thong tin) (?:\w+ ){0,3}(?:ra|khoi|di|nay|dien thoai|cua toi)\b",
    r"\bkhoi danh sach\b|\bxoa (?:so|ten)\b|\bhuy dang ky\b|\bkhong (?:co )?quan tam\b",
    r"\bkhong phai (?:la )?(?:so (?:cua|dien thoai)|nguoi|chu (?:so|nhan))\b|\bde (?:cho )?(?:toi|tui|em"
    r"|chung toi) yen\b",
    r"\btoi se (?:kien|bao cao|chan|to cao)\b",
)

HAITIAN = any_of(
    r"(?<!\bm )(?<!\bmwen )(?<!\bnou )(?<!\bli )\b(?:pa|pinga|sispann|rete) (?:janm )?(?:voye|rele|ekri|tekste|texte"
    r"|teks|kontakte|anmede|deranje)\w*\b(?!.*\b(?:avan|anvan|demen|apre)\b)(?! (?:pyes|fakti|ekip)\w*)",
    r"\b(?:sispann|ase|kanpe) (?:ak |avek )?(?:mesaj|teks|apel)\w*",
    r"\b(?:move|mal) nimewo\b|\bnimewo (?:sa |a )?(?:pa (?:pou|bon)|se pa)\b|\b(?:se )?pa (?:bon |yon bon )?nimewo\b",
    r"\b(?:retire|wete|efase) (?:m|mwen|nou|nimewo|non)\b|\bkite (?:m|mwen|nou) (?:an ?pe|trankil)\b",
    r"\bpa (?:vle|bezwen) (?:\w+ ){0,3}(?:mesaj|resevwa|teks|anko)\b|\bpa enterese\b",
)
