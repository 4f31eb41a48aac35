"""English wishes that messages stop."""

from messaging.opt_out_text.phrases import END, START, any_of
from messaging.opt_out_text.phrases.english_parts import (
    ABOUT_ELSE,
    ANOTHER_TIME,
    ANOTHER_WAY,
    ASK,
    CONTACT,
    CONTACTED,
    CONTACTING,
    EVERY,
    ME,
    MESSAGES,
    NO_WISH,
    NOT,
    NOT_A_PLACE,
    NOT_FOR_WORK,
    STOP,
    TAIL,
    WANTED,
)

STOP_MESSAGES = any_of(
    # A wish to stop, and messages: stop texting me; cease all messages; and not: don't stop texting me.
    rf"(?<!\bdont )(?<!\bnot )(?<!\bnever )(?<!\bever )(?<!\bdid you )(?<!\byou )\b(?:{STOP}|cancel"
    rf"|end){NOT_FOR_WORK}"
    rf" (?:(?:{EVERY}) ){{0,4}}(?:{CONTACTING}|{MESSAGES}|contact|calls?)\b(?! (?:to confirm|off|the crew))",
    rf"(?<!\bdont )(?<!\bnot )(?<!\bnever )\b(?:stop|quit|cease){NOT_FOR_WORK} (?:\w+ ){{1,3}}(?:{CONTACTING}"
    rf"|texts|msgs)\b",
    r"(?<!\bdont )(?<!\bnot )\b(?:stop|quit) sending (?:me|us|these|this|those|any|anything|stuff|it|them|to)\b",
    rf"\b(?:stop|quit|cease) sending{END}",
    r"\b(?:stop|quit) (?:it )?with (?:the|these|this|your|all)\b",
    r"\b(?:end|stop|cancel|terminate|close) (?:my |the |this |our )(?:\w+ )?(?:subscription|enrollment|membership"
    r"|conversation|thread|chat)\b",
    rf"\b(?:{MESSAGES}|{CONTACTING}) (?:\w+ ){{0,3}}(?:must|need|needs|needed|have|has|should|to|please|gotta"
    rf"|better|can)"
    rf" (?:\w+ )?(?:stop|end|cease|quit|be stopped)\b",
    rf"\b(?:make|get) (?:\w+ )?(?:{MESSAGES}) (?:to )?(?:stop|end|cease)\b",
    r"\b(?:texts|messages|msgs|alerts|notifications|reminders|marketing) off\b",
    # I told you to stop; you need to stop; and not: I told you to stop by.
    r"\b(?:told|asked|asking|said|begged|begging|tell|telling|ask|say|says|saying|warned|request|requests|wish|plea"
    r"|requested|texted|replied|sent) (?:(?:you|u|yall"
    r"|them|guys|people|everyone|for|all|this|that|it|already|many|times|before|and|again|over|twice|once) ){0,5}"
    r"(?:to )?"
    rf"(?:please )?(?:stop|quit|cease|unsubscribe|cancel|end)(?={END}| now\b| already\b| again\b| multiple\b| many\b"
    r"| several\b| \d| twice\b| three\b| two\b| a (?:week|month|few)\b| last\b| yesterday\b| this\b| and\b)",
    r"\b(?:want|need|like|wish|expect|ask|asking|beg|begging|prefer) (?:you|u|yall|all|them|this company|these people)"
    rf" (?:\w+ )?(?:to )?(?:stop|quit|cease|go away|get lost)(?={END}| now\b| please\b| and\b| immediately\b)",
    r"(?<!before )(?<!when )(?<!if )(?<!until )(?<!after )(?<!did )(?<!once )\b(?:you|u|yall|guys"
    rf"|people) (?:\w+ ){{0,2}}(?<!full )(?<!bus )(?<!the )(?:stop|quit)(?={END}| please\b| already\b| now\b)",
    r"\b(?:make|would like) (?:this|these|them|you|u) (?:to )?(?:stop|end|go away)\b",
    rf"\bhow (?:do|can) i (?:\w+ )?(?:stop|cancel|end|quit) (?:this|these|it|getting|receiving)(?={END}| \w*ing"
    rf"|\b texts)",
    # Not, and to contact: do not call or text me; please don't text; and not: why don't you text me.
    rf"(?<!\byou )(?<!\bi )(?<!\bwe )(?<!\bthey )(?<!\bwhy )(?<!\bcome )\b(?:{NOT}) (?:ever |please |you |u |try to "
    rf"|keep |dare |be |all |guys )*"
    rf"(?:(?:{CONTACT}|{CONTACTING}) (?:\w+ )?(?:or|and|nor) )?(?:(?:{CONTACT}|{CONTACTING}) (?:or|and|nor) )?"
    rf"(?:{CONTACT}|{CONTACTING}) (?:(?:to|with|at|on|for) )?(?:{ME})\b(?! (?:mr|mrs|ms|a|an|that|crazy|late|the"
    rf"|names)\b){ANOTHER_TIME}{ANOTHER_WAY}",
    rf"(?<!\byou )(?<!\bi )(?<!\bwe )(?<!\bthey )(?<!\bwhy )\b(?:dont|do not|never) (?:ever |please )?(?:text|txt"
    rf"|message|msg|contact|call|bother|harass) (?:him|her|them)\b{ANOTHER_TIME}{ANOTHER_WAY}",
    rf"^(?!.*(?<!dont )(?<!not )(?<!or )(?<!and )(?<!stop )\b(?:text|email|message) (?:me|us|instead|only|is|works"
    rf"|please|if|when)\b).*?"
    rf"(?:(?:^|\. )(?:\w+ ){{0,6}}|\b(?:please|pls|plz|just|to|said|told|asked|must|kindly) )(?<!\byou )(?<!\bi )"
    rf"(?<!\bwe )(?:dont"
    rf"|do not|never) (?:ever |please )?(?:(?:{CONTACT}) (?:or|and) )?(?:text|txt|message|msg|contact|spam|harass"
    rf"|pester|call"
    rf"|solicit|disturb){END}{ANOTHER_WAY}",
    rf"\b(?:you|u|they|yall) (?:cant|cannot|can not|may not|must not|should not|shouldnt|better not|are not to"
    rf"|are not allowed to|"
    rf"have no right to|need to not) (?:\w+ )?(?:{CONTACT}) (?:{ME})\b",
    rf"\b(?:{NOT}) (?:ever |please )*send (?:me|us|any|anymore|more|anything|nothing|these|this|those|stuff"
    rf"|texts|messages"
    rf"|msgs)\b(?!"
    r" (?:the|a|an|to(?! (?:this|my|me|us|our|here)\b)|your|my|until|before|out|over|crew|guy|someone)\b)",
    rf"\b(?:asked|told|said|request\w*|beg\w*|want|wish|like|prefer|rather|please|would appreciate|demand\w*) "
    rf"(?:\w+ )?(?:to )?"
    rf"(?:\w+ ){{0,3}}(?:not|never|no longer) (?:to )?(?:be |get |receive |have )?(?:{CONTACTED}|{CONTACT}"
    rf"|{CONTACTING}|{MESSAGES}|receive"
    rf"|get any|hear)\b{ANOTHER_TIME}{ANOTHER_WAY}",
    r"\b(?:rather|prefer|wish|appreciate it if|appreciate if|better if|prefer it if|prefer if|prefer that"
    rf"|rather that|best if) (?:you|u|yall) (?:didnt|dont|did not"
    rf"|do not|would not|wouldnt|not|never|would stop|stopped|quit) ?(?:{CONTACT}|{CONTACTING}|contacted"
    rf"|texted)?\b",
    rf"\b(?:prefer|rather) not (?:to )?(?:be|get|receive|have) (?:{CONTACTED}|these|this|any|anything|more|your"
    rf"|texts|messages)\b",
    rf"\b(?:not|isnt|arent|aint|never|no longer) (?:authorized|authorised|allowed|permitted|welcome|to) to "
    rf"(?:{CONTACT}|send|use|have)\b(?! the)",
    r"(?:^|\. )(?:\w+ )?(?:dont|do not|no longer) want (?:any|any more|anymore|more|these|this|them)(?: please"
    r"| thanks| thank you| pls)?(?= \.|$)",
    rf"\bno longer (?:be )?(?:{CONTACTED}|{CONTACT})\b(?= me| us| this|{END})",
    # No wish for messages: I don't want any more texts; I'd rather not hear from you.
    rf"\b(?:{NO_WISH}) (?:\w+ )?(?:{WANTED}) (?:\w+ ){{0,5}}(?:{MESSAGES}|{CONTACTED})\b(?! (?:back|about|when"
    rf"|before|yet))",
    rf"\b(?:{NO_WISH}|not) (?:\w+ )?(?:want|wanna|wish|need|care|like|expect|rather|to|ever) (?:\w+ ){{0,3}}"
    rf"(?:hear|hearing) from\b",
    rf"\b(?:{NO_WISH}) (?:\w+ )?(?:want|wanna|wish|like|care) (?:for )?(?:you|u|yall|anyone|anybody|them"
    rf"|this company) (?:to )?(?:\w+ )?"
    rf"(?:{CONTACT}|{CONTACTING})\b",
    rf"\b(?:{NO_WISH}) (?:\w+ )?(?:want|wanna|wish|like|care) (?:to )?(?:receive|get|be getting) (?:any|anything"
    rf"|more|this|these|those|from"
    rf"|stuff)\b",
    rf"\b(?:{NO_WISH}) (?:want|wanna|wish|need) (?:any of this|this anymore|these anymore|any more of these"
    rf"|more of these|any more from"
    r"|anything (?:else |more )?from|to be on|to be part of|to be in|(?:your|ur) (?:services?|business|texts"
    rf"|help|company|products?|offers?|stuff|crap)"
    rf"|your calls)\b",
    rf"(?<!got )(?<!have )(?<!had )(?<!received )(?<!see )(?<!saw )(?<!are )(?<!with )\b(?:no|zero) (?:(?:more"
    rf"|further|additional|new"
    rf"|unwanted|future|other) ){{0,2}}(?:(?:text|sms|promo|promotional|marketing|sales|unwanted|phone) )?"
    rf"(?:{MESSAGES}|contact"
    rf"|contacting|calling|soliciting)(?={END}| please| pls| plz| thank| thx| ever| again| from| to | for me| at "
    rf"| anymore| or )",
    rf"\bno (?:more|further) (?:text|message|contact|communication|{MESSAGES}|{CONTACTING}|of this|of these"
    rf"|of your|from you)\b",
    rf"\b(?:enough|done|tired|sick|fed up|over|annoyed|finished|through|had it) (?:and tired )?(?:with |of |by "
    rf"|about )(?:\w+ ){{0,3}}"
    rf"(?:{MESSAGES}|{CONTACTING}|being {CONTACTED.split('|')[0]}|you (?:people|guys)|this company)\b",
    rf"\b(?:unwanted|unsolicited|annoying|unauthorized|endless|nonstop|constant|illegal) (?:{MESSAGES}"
    rf"|{CONTACTING})\b",
    rf"\b(?:{MESSAGES}|{CONTACTING}|contact) (?:\w+ ){{0,3}}(?:unwanted|annoying|not wanted|not welcome|unwelcome"
    rf"|unsolicited|not authorized|not allowed|illegal|ridiculous|out of hand|too much|too many|driving (?:me|us)"
    rf"|getting old)\b",
    rf"\b(?:refuse|decline|object to|hate|reject|despise) (?:\w+ ){{0,3}}(?:{MESSAGES}|{CONTACTING}|contact)\b",
    rf"\bno (?:need|use|desire|wish|reason) (?:for|to) (?:(?:your|these|any|more|further|receive|get|hear|keep"
    rf"|continue) ){{1,3}}(?:{MESSAGES}|{CONTACTING}|from you)\b",
    r"\bno longer (?:wish|want|like|care) (?:to )?(?:receive|get|be|these|this|any)\b(?= \.|$| these| any| your"
    r"| this| text| messag| contact| from)",
    r"\benough (?:already )?(?:texts|messages|calls|spam)\b",
    r"\b(?:im|i am|we are|were|so) (?:\w+ )?(?:done|finished|through) (?:with|hearing from) (?:you|u|yall)\b",
    r"\bwhy (?:do|are|r) (?:you|u|yall|ya) (?:\w+ ){0,2}(?:texting|messaging|contacting|spamming|harassing|bothering)"
    r" (?:me|us|this number)\b",
    r"\bmind not (?:texting|calling|contacting|messaging|emailing)\b",
    r"\b(?:dont|do not|never) bother (?:\w+ )?(?:texting|calling|contacting|messaging)\b"
    r"(?! (?:before|until|if|unless)\b)",
    r"\b(?:want|need|like|way|how) to stop (?:getting|receiving|these|the texts|your texts|your messages)\b",
    r"\bblock (?:me|us|my (?:\w+ )?number)\b(?= \.|$| from| please| now| so)",
    r"\b(?:phone|number) (?:now )?belongs to (?:my|our|a) (?:\w+ )?(?:kid|child|daughter|son|minor)\b",
    # The same in other words: why am I still getting these texts; knock it off with the texts; too many messages.
    rf"\bwhy (?:am|are|do|did|would) (?:i|we) (?:\w+ ){{0,2}}(?:getting|get|receiving|receive|got) (?:\w+ ){{0,3}}"
    rf"(?:{MESSAGES})(?={END}| from (?:you|u|your|this)\b| when\b| about (?:my|your|a) (?:roof|house|home)\b)",
    rf"\b(?:it off|it out|a rest|off|enough|chill|ease up|let up|slow down|easy|hold|lay off|cool it) (?:already )?"
    rf"(?:with|on) (?:all )?(?:the|these|this|your|those) (?:\w+ )?(?:{MESSAGES}|{CONTACTING})\b",
    rf"\b(?:asked|told|begged|warned|said to|asking|telling|ask|tell) (?:you|u|yall|them|your \w+) (?:\w+ ){{0,6}}"
    rf"to (?:please )?(?:stop|quit|cease|knock it off|leave me alone){TAIL}{END}",
    rf"\bhow many (?:more )?times (?:do|must|should|did|will|have) (?:i|we) (?:\w+ ){{0,3}}(?:tell|say|ask|told"
    rf"|asked|said)"
    rf"(?: (?:you|u|yall|you people|no|stop|this))*(?: to stop| to quit)?{END}",
    r"(?<!can )(?<!could )(?<!would )(?<!please )(?<!if )\b(?:you|u|yall|they|who) (?:\w+ )?(?:keep|keeps|kept"
    rf"|still|constantly|wont stop|wont quit|continue to) "
    rf"(?:texting|messaging|spamming|harassing|bothering|text|message|bother|harass) (?:{ME})\b(?! (?:updates?"
    rf"|when|if|pictures|photos)\b)",
    rf"\b(?:dont|do not|never) (?:ever )?(?:text|txt|message|msg|contact|dial) (?:it|this|that)(?: \w+)?{END}",
    r"\b(?:my|this|our) (?:\w+ )?(?:number|phone|cell)\b.{0,80}\b(?:dont|do not|never|stop) (?:ever )?(?:use|using"
    rf"|keep|save"
    rf"|share|sell|call|calling|text|texting) (?:it|this|that)(?: \w+)?{END}{ANOTHER_WAY}",
    r"\b(?:dont|do not|stop|never) (?:share|sharing|sell|selling|giv\w+ out|pass\w* around|us\w+|keep\w*|stor\w+) "
    r"(?:\w+ )?(?:my|our|this) (?:\w+ ){0,2}(?:number|info|information|data|phone|cell)\b(?!.*\buse\b)",
    rf"\b(?:no need|not necessary|unnecessary) (?:for you )?to (?:keep |continue )?(?:{CONTACT}|{CONTACTING}"
    rf"|follow up|check in)"
    rf"(?: (?:me|us|him|her))? (?:again|anymore|further|ever|any more|any further|in the future)\b",
    r"(?<!about )(?<!for )\btoo many (?:texts|txts|text messages?|messages|msgs|sms|spam|alerts|notifications"
    rf"|reminders|promos?)(?={END}| from you\b| already\b| a day\b| per day\b| lately\b)",
    rf"\b(?:can|could|will|would) (?:you|u|yall) (?:\w+ )?(?:not|never|no longer) (?:{CONTACT}|send) (?:{ME})\b"
    rf"{ANOTHER_TIME}{ANOTHER_WAY}",
    rf"\b(?:{MESSAGES}) (?:\w+ )?(?:to|at) (?:this|my) (?:\w+ )?(?:number|phone|cell) (?:\w+ ){{0,2}}(?:stop"
    rf"|end|cease)",
    rf"\bdo without (?:\w+ )?(?:{MESSAGES})\b|\b(?:spare|save) me (?:the|your|any|all) (?:\w+ )?(?:{MESSAGES}"
    rf"|sales pitch\w*)\b",
    r"\b(?:last|final) (?:warning|time i)\b(?=.*\b(?:text|stop|tell|ask|message|warn)\w*)",
    # A clause that ends or begins with stop.
    r"\b(?:please|pls|plz|phone|number|person|interested|name|so|just|already|again|seriously|kid|child"
    rf"|customer|sake|god"
    r"|lord|christ|omg|omfg|bro|dude|man|people|guys|thanks|no|nope|texts?|messages?|spam|sir|maam|yes"
    rf"|deceased|died|dead"
    rf"|moved|sold|renter|rent|me) (?:stop|quit|cease|desist){END}(?<!stop stop stop)",
    rf"{START}(?:please )?(?:stop|quit) (?:not|no|wrong|he|she|they|who|never|already|seriously|what|why|wtf"
    rf"|ffs|for (?:gods?|the love"
    rf"|christ|fuck)|jesus|its|sorry|remove|delete|leave)\b",
    rf"\b(?:can|could|would|will) (?:you|u|yall) (?:please )?(?:not|stop|quit)(?: please| now)?{END}",
    rf"\b(?:i|we) (?:\w+ )?(?:said|told (?:you|u)|meant) no(?: already| thanks| thank you)?{END}|\bno means no\b",
    rf"\b(?:no longer|dont|do not) (?:need|require|want|like) (?:these|them|your services?|this)(?: \w+)?{END}",
    rf"{START}(?:please |no |not )*(?:hard pass|not now not ever|never ever|not now or ever)(?: \w+)?{END}",
    r"\b(?:500|1500|\d+) (?:dollars |bucks )?(?:per|each|a|for each|for every) (?:text|message|violation)\b",
    # Not to receive or hear; if you stopped.
    r"(?<!did )(?<!do )(?<!does )(?<!i )(?<!we )(?<!have )(?<!could )(?<!why )\bnot (?:to )?(?:receive|get"
    rf"|receiving|getting|be getting"
    rf"|be receiving) (?:\w+ ){{0,2}}(?:these|this|any|anything|{MESSAGES})\b(?! (?:until|before|yet))",
    r"(?<!did )\b(?:never|not)(?: \w+){0,3} hear(?:ing)? from (?:you|u|yall|ya|this|your)\b",
    r"\b(?:if|that|wish|hope) (?:you|u|youd|yall|you guys|you people) (?:\w+ )?(?:stop|stopped|quit|cease"
    rf"|ceased)(?= please|{END})",
    r"\b(?:dont|do not|no longer) (?:need|want) (?:a|another|one more|any|ur|your) (?:more )?(?:text|message"
    rf"|call|msg)(?={END}| from)",
    rf"{START}(?:please )?(?:dont|do not) want(?: it| this| them)?(?: please| thanks)?{END}",
    r"\bwhy (?:im|i am|am i|were|we are|are we|do i|i keep|i) (?:\w+ )?(?:getting|receiving|get|receive"
    rf"|being) (?:\w+ )?"
    rf"(?:{MESSAGES}|texted|contacted|these|this(?={END}))\b",
    rf"^(?!.*\b(?:did|does|when|will|has|how|if|until|make|let|get|have|where|is|was)\b).*{NOT_A_PLACE}\bstop"
    r"(?: now| please| pls| thanks)?$",
    rf"{START}(?:please |just )?(?:stop|quit) (?:for|4) (?:the (?:last|love|\d+\w*|second|third|hundredth)|real"
    rf"|good|gods?|christ|ever|fucks?)\b",
    rf"{START}(?:please )?(?:top|stock|stopped|stomp|stoop|shop|drop) (?:texting|messaging|calling"
    rf"|contacting) (?:me|us|this)\b",
    rf"{START}(?:please |just )*(?:dont|do not|never) bother(?: me| us| again| anymore| please)*{END}",
    r"\b(?:bother|text|harass|annoy|spam|bug|bothering|texting|harassing) (?:some ?one|somebody) else\b",
    r"\b(?:how did|howd|where did|whered|who gave) (?:you|u|yall) (?:guys |people )?(?:get |find |have )?(?:my"
    rf"|this|our) (?:\w+ )?number{END}",
    r"\b(?:pay|paying|charged?|charges?|costs?|cost me) (?:\w+ ){0,3}(?:per|for each|for every|for these"
    r"|for your) (?:texts?|messages?)\b",
    # A negation close to a word for messages, in a text about nothing else.
    rf"^(?!.*{ABOUT_ELSE})(?:.*\s)?(?:dont|do not|no|not|never|stop|quit|cease|without|hasnt|doesnt|isnt"
    rf"|enough|unwanted)"
    rf" (?:\w+ ){{0,3}}(?:texts?|txts?|texting|messag\w+|msgs?|sms|contact|contacting|spam|this (?:number|phone"
    rf"|cell|line)|marketing|solicit\w*)\b",
    r"\b(?:one more|another|next|any more) (?:text|message|msg|call)s? (?:and|or|from you)\b",
    r"\bchanged my mind (?:about|on) (?:\w+ ){0,2}(?:texts?|texting|messag\w+|alerts|notifications)\b",
    r"\bnot now \. not ever\b|\b(?:this|our) conversation is over\b",
    r"\b(?:how about|can|could|would|will) (?:you|u|yall) (?:please |just |guys )*(?:stop|quit"
    rf"|cease) (?:{CONTACTING}|{MESSAGES})\b",
    rf"\b(?:{NO_WISH})(?: \w+){{0,5}} (?:by|over|via) text(?:s|ing)? (?:anymore|any more|any longer|again)\b",
    # Any polite or angry way to ask it.
    rf"{START}{ASK}(?:stop|quit|cease)(?: (?:it|this|that|these|them|all this|all of this))?{TAIL}{END}",
    r"\b(?:can|could|will|would|must|should|better|demand|need|want|like|ask\w*) (?:that )?(?:you|u"
    rf"|yall) (?:\w+ ){{0,2}}"
    rf"(?:stop|quit|cease|end|discontinue|cancel|halt) (?:(?:{EVERY}) ){{0,4}}(?:{CONTACTING}|{MESSAGES}|contact)\b"
    r"(?! (?:to confirm|off|the crew))",
    rf"{START}{ASK}(?:not|never) (?:ever )?(?:{CONTACT}) (?:{ME}){TAIL}{END}",
    rf"{START}{ASK}(?:go away|get lost|beat it|buzz off|block (?:me|us|my number|this number)){TAIL}{END}",
    rf"\bwhy (?:do|are|r|does|did) (?:you|u|yall|ya) (?:\w+ )?(?:texting|messaging|contacting|spamming){TAIL}{END}",
    rf"\bhow (?:do|can) (?:i|we|you) make (?:it|this|these|them) stop{TAIL}{END}",
    rf"{START}{ASK}stop\d+{END}",
    rf"\b(?:dont|do not|doesnt|does not|no longer) want (?:these|them)(?: \w+)?{END}",
    r"\bwant nothing (?:to do with|from) (?:you|u|your|this)\b",
    # A wish that the messages end: I'd appreciate it if the texts stopped.
    rf"\b(?:wish|hope|prefer|appreciate it|like it|love it|nice|great|better|best)(?: if| that)? "
    rf"(?:(?:{EVERY}) ){{0,4}}(?:{MESSAGES}) (?:would |could |to )?(?:stop|stopped|end|ended|cease|ceased){TAIL}{END}",
)
