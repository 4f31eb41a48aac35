"""Letters and signs of other scripts that look like Latin letters.

The scripts are Cyrillic, Greek, Armenian, Hebrew, Arabic, Georgian, Cherokee, Lisu, Coptic, Tifinagh, Canadian
syllabics, Ethiopic, Carian, Lycian, Deseret, Osage, Miao, East Asian ones and mathematical signs, in small letters.
"""

_LOOKALIKES = {
    "a": "аαᎪᎯꓮ⍺ᗅ𐊠ა",
    "b": "вβᏴꓐᏏⲃᗷ𐊂𐊡ь",
    "c": "сᏟꓚⲥ𐊢𐌂𐐽⊂ᑕ",
    "d": "ԁᎠꓓᗞᗪ",
    "e": "еεэᎬꓰ⋿ⴹ𐊆ⲉє",
    "h": "һᎻհꓧⲏᕼ𐋏",
    "i": "іιᎥꓲⲓӏⵏ𐊊ון",
    "k": "кκᏦꓗⲕ𐌊",
    "l": "լᏞꓡⲗᒪ𐑃",
    "m": "мᎷꓟⲙᗰ𐊰𐌑",
    "n": "пηոꓠⲛи",
    "o": "оοօסهەⲟꓳⵔᎾჿዐഠଠဝ𐊒𐊫𐐬𐔖𐓪〇ᴏσө॰ㅇ口ロ□☉⊙◎⚪⚫🔴🔵",
    "p": "рρᏢꓑⲣᑭ𐊕⍴քߒƿ卩尸",
    "q": "ԛգզⵕ",
    "s": "ѕտᏚᏕꓢⴝᔕⵚ𐊖𐑈𖼺ჽ∫ડ",
    "t": "тτᎢꓔⲧ𐊗𐊱𐌕𖼊丅ㄒ⊤⟙ⵜ┬𑣜",
    "u": "υսᏌꓴሀᑌ⊔𐓶",
    "v": "νѵᏙꓦⲩⴸ",
    "w": "ԝᎳꓪωѡա",
    "x": "хχꓫⲭⵝ𐊐乂",
    "y": "уγᎽꓬⲩყұү",
}

LATIN_OF = {ord(sign): letter for letter, signs in _LOOKALIKES.items() for sign in signs}
