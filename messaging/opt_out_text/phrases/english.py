"""English phrases."""

from messaging.opt_out_text.phrases import any_of

END = r"(?= \.|$)"

# What is to stop.
_CONTACT = (
    "text|txt|tex|message|msg|call|phone|ring|contact|email|bother|bug|spam|harass|pester|disturb|solicit|reach out"
    "|reach"
    "|write|ping|dial|annoy|hit up|blow up"
)
_CONTACTING = (
    "texting|txting|messaging|msging|calling|phoning|contacting|emailing|bothering|bugging|spamming|harassing|pestering"
    "|disturbing|soliciting|annoying|hounding|stalking|reaching out|blowing up|blowing|hitting|writing|pinging|dialing"
    "|ringing|mailing|advertising|sending|communicating"
)
_CONTACTED = (
    "contacted|texted|messaged|called|emailed|bothered|harassed|solicited|disturbed|spammed|reached|bugged|pestered"
)
_MESSAGES = (
    "texts|txts|text messages?|texting|messages|msgs|messaging|sms|mms|spam|spamming|notifications|alerts|reminders"
    "|promos?|promotions?|promotional|offers|ads|adverts|advertis\\w+|marketing|solicit\\w+|subscriptions?|calls"
    "|robocalls|emails|communications?|correspondence|outreach|blasts|newsletters?|sales pitch\\w*|junk"
)
_EVERY = (
    "all|any|the|these|those|this|that|your|ur|my|our|further|more|future|with|such|of|sms|text|marketing|promotional"
    "|phone|daily|damn|stupid|automated|unwanted|annoying|constant|sending|sending me|me|us|to|getting|receiving"
)

# For whom.
_FAMILY = (
    "my (?:wife|husband|mom|mother|dad|father|son|daughter|parents|family|kids?|spouse|partner|grandma|grandmother"
    "|grandpa)"
)
_ME = (
    f"me|us|this (?:\\w+ )?(?:number|phone|line|device|cell|contact|person|mobile)|my (?:\\w+ )?(?:phone|number"
    f"|cell|line|device)|{_FAMILY}|here|again|anymore"
    "|any more|ever|any longer|no more|at this number|on this number|at all"
)
_MY_ENTRY = (
    "me|us|my (?:\\w+ )?(?:name|number|phone|cell|info|information|contact|contacts|data|details|email)|our (?:\\w+ )?"
    "(?:number|name|info|information|phone)|this (?:\\w+ )?(?:number|phone|cell|contact)|myself|our (?:family|home"
    "|house|household|address)|my family|everyone here"
)
_LIST = (
    "(?:\\w+ ){0,3}(?:lists?|database|data base|system|records|roster|crm|distribution|contacts|directory|rolodex"
    "|group chat|group text|thread|campaign|file|files|texts|rotation)"
)

# A wish.
_STOP = (
    "stop|quit|cease|halt|discontinue|terminate|disable|deactivate|suspend|avoid|refrain from|desist from|kill|turn off"
)
_NOT = "dont|do not|never|must not|should not|shouldnt|may not|can not|cannot|cant|not to|no longer"
_NO_WISH = (
    "dont|do not|no longer|didnt|did not|never|not|wont|will not|wouldnt|would not|dnt|doesnt|does not|isnt|havent"
    "|have not"
)
_WANTED = (
    "want|wanting|wanna|wish|need|needing|care|like|ask|asked|sign|signed|agree|agreed|request|requested|interested"
    "|looking|subscribe"
    "|subscribed|opt|opted|appreciate|consent|consented|authorize|authorized|approve|approved|willing|allow|allowed"
    "|permit"
    "|expect|enjoy|accept|welcome|rather|prefer|supposed"
)

# After "don't call me": another way is preferred, or another time.
_ANOTHER_WAY = (
    r"(?!.*(?<!dont )(?<!not )(?<!never )(?<!or )(?<!and )(?<!stop )(?<!ever )(?<!please )\b(?:text|call|email"
    r"|message|msg)"
    r" (?:me|us|my|only|instead|is|works)\b)(?!.*\b(?:just|only|rather|prefer|better to) (?:text|call|email|message)\b)"
    r"(?!.*\binstead\b)(?!.*\buse (?:this|my|the|that)\b)(?!.*\b(?:texts|texting|email) (?:is|are|works?|only)\b)"
)
_ANOTHER_TIME = (
    r"(?! (?:\w+ ){0,2}(?:before|until|till|til|unless|while|yet|today|tomorrow|tonight|after \d|between \d|when i"
    r"|(?:on )?(?:sun|mon|tues|wednes|thurs|fri|satur)days?|(?:on )?weekends?|this (?:week|morning|afternoon"
    r"|evening|time)"
    r"|so (?:early|late)|at (?:work|night)|during|back|if|about|with|for)\b)"
)
_NOT_FOR_WORK = "(?! (?:by|in|over|at|off|and|or|signs?|for|on|work|when|before|if|until|leak\\w*|here|there)\\b)"

ENGLISH = any_of(
    # A wish to stop, and messages: stop texting me; cease all messages; and not: don't stop texting me.
    rf"(?<!\bdont )(?<!\bnot )(?<!\bnever )(?<!\bever )(?<!\bdid you )(?<!\byou )\b(?:{_STOP}|cancel"
    rf"|end){_NOT_FOR_WORK}"
    rf" (?:(?:{_EVERY}) ){{0,4}}(?:{_CONTACTING}|{_MESSAGES}|contact|calls?)\b(?! (?:to confirm|off|the crew))",
    rf"(?<!\bdont )(?<!\bnot )(?<!\bnever )\b(?:stop|quit|cease){_NOT_FOR_WORK} (?:\w+ ){{1,3}}(?:{_CONTACTING}"
    rf"|texts|msgs)\b",
    r"(?<!\bdont )(?<!\bnot )\b(?:stop|quit) sending (?:me|us|these|this|those|any|anything|stuff|it|them|to)\b",
    rf"\b(?:stop|quit|cease) sending{END}",
    r"\b(?:stop|quit) (?:it )?with (?:the|these|this|your|all)\b",
    r"\b(?:end|stop|cancel|terminate|close) (?:my |the |this |our )(?:\w+ )?(?:subscription|enrollment|membership"
    r"|conversation|thread|chat)\b",
    rf"\b(?:{_MESSAGES}|{_CONTACTING}) (?:\w+ ){{0,3}}(?:must|need|needs|needed|have|has|should|to|please|gotta"
    rf"|better|can)"
    rf" (?:\w+ )?(?:stop|end|cease|quit|be stopped)\b",
    rf"\b(?:make|get) (?:\w+ )?(?:{_MESSAGES}) (?:to )?(?:stop|end|cease)\b",
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
    rf"\b(?:you|u|yall|guys|people) (?:\w+ ){{0,2}}(?:stop|quit)(?={END}| please\b| already\b| now\b)",
    r"\b(?:make|would like) (?:this|these|them|you|u) (?:to )?(?:stop|end|go away)\b",
    rf"\bhow (?:do|can) i (?:\w+ )?(?:stop|cancel|end|quit) (?:this|these|it|getting|receiving)(?={END}| \w*ing"
    rf"|\b texts)",
    # Not, and to contact: do not call or text me; please don't text; and not: why don't you text me.
    rf"(?<!\byou )(?<!\bi )(?<!\bwe )(?<!\bthey )(?<!\bwhy )(?<!\bcome )\b(?:{_NOT}) (?:ever |please |you |try to "
    rf"|keep |dare |be |all )?"
    rf"(?:(?:{_CONTACT}|{_CONTACTING}) (?:\w+ )?(?:or|and|nor) )?(?:(?:{_CONTACT}|{_CONTACTING}) (?:or|and|nor) )?"
    rf"(?:{_CONTACT}|{_CONTACTING}) (?:(?:to|with|at|on|for) )?(?:{_ME})\b(?! (?:mr|mrs|ms|a|an|that|crazy|late|the"
    rf"|names)\b){_ANOTHER_TIME}{_ANOTHER_WAY}",
    rf"(?<!\byou )(?<!\bi )(?<!\bwe )(?<!\bthey )(?<!\bwhy )\b(?:dont|do not|never) (?:ever |please )?(?:text|txt"
    rf"|message|msg|contact|call|bother|harass) (?:him|her|them)\b{_ANOTHER_TIME}{_ANOTHER_WAY}",
    rf"^(?!.*(?<!dont )(?<!not )(?<!or )(?<!and )(?<!stop )\b(?:text|email|message) (?:me|us|instead|only|is|works"
    rf"|please|if|when)\b).*?"
    rf"(?:(?:^|\. )(?:\w+ ){{0,6}}|\b(?:please|pls|plz|just|to|said|told|asked|must|kindly) )(?<!\byou )(?<!\bi )"
    rf"(?<!\bwe )(?:dont"
    rf"|do not|never) (?:ever |please )?(?:(?:{_CONTACT}) (?:or|and) )?(?:text|txt|message|msg|contact|spam|harass"
    rf"|pester|call"
    rf"|email|solicit|disturb){END}{_ANOTHER_WAY}",
    rf"\b(?:you|u|they|yall) (?:cant|cannot|can not|may not|must not|should not|shouldnt|better not|are not to"
    rf"|are not allowed to|"
    rf"have no right to|need to not) (?:\w+ )?(?:{_CONTACT}) (?:{_ME})\b",
    rf"\b(?:{_NOT}) (?:ever |please )?send (?:me|us|any|anymore|more|anything|these|this|those|stuff|texts|messages"
    rf"|msgs)\b(?!"
    r" (?:the|a|an|to|your|my|until|before|out|over|crew|guy|someone)\b)",
    rf"\b(?:asked|told|said|request\w*|beg\w*|want|wish|like|prefer|rather|please|would appreciate|demand\w*) "
    rf"(?:\w+ )?(?:to )?"
    rf"(?:\w+ ){{0,3}}(?:not|never|no longer) (?:to )?(?:be |get |receive |have )?(?:{_CONTACTED}|{_CONTACT}"
    rf"|{_CONTACTING}|{_MESSAGES}|receive"
    rf"|get any|hear)\b{_ANOTHER_TIME}",
    rf"\b(?:rather|prefer|wish|appreciate it if|appreciate if|better if) (?:you|u|yall) (?:didnt|dont|did not"
    rf"|do not|would not|wouldnt|not|never|would stop|stopped|quit) ?(?:{_CONTACT}|{_CONTACTING}|contacted"
    rf"|texted)?\b",
    rf"\b(?:prefer|rather) not (?:to )?(?:be|get|receive|have) (?:{_CONTACTED}|these|this|any|anything|more|your"
    rf"|texts|messages)\b",
    rf"\b(?:not|isnt|arent|aint|never|no longer) (?:authorized|authorised|allowed|permitted|welcome|to) to "
    rf"(?:{_CONTACT}|send|use|have)\b(?! the)",
    r"(?:^|\. )(?:\w+ )?(?:dont|do not|no longer) want (?:any|any more|anymore|more|these|this|them)(?: please"
    r"| thanks| thank you| pls)?(?= \.|$)",
    rf"\bno longer (?:be )?(?:{_CONTACTED}|{_CONTACT})\b(?= me| us| this|{END})",
    # No wish for messages: I don't want any more texts; I'd rather not hear from you.
    rf"\b(?:{_NO_WISH}) (?:\w+ )?(?:{_WANTED}) (?:\w+ ){{0,5}}(?:{_MESSAGES}|{_CONTACTED})\b(?! (?:back|about|when"
    rf"|before|yet))",
    rf"\b(?:{_NO_WISH}|not) (?:\w+ )?(?:want|wanna|wish|need|care|like|expect|rather|to|ever) (?:\w+ ){{0,3}}"
    rf"(?:hear|hearing) from\b",
    rf"\b(?:{_NO_WISH}) (?:\w+ )?(?:want|wanna|wish|like|care) (?:for )?(?:you|u|yall|anyone|anybody|them"
    rf"|this company) (?:to )?(?:\w+ )?"
    rf"(?:{_CONTACT}|{_CONTACTING})\b",
    rf"\b(?:{_NO_WISH}) (?:\w+ )?(?:want|wanna|wish|like|care) (?:to )?(?:receive|get|be getting) (?:any|anything"
    rf"|more|this|these|those|from"
    rf"|stuff)\b",
    rf"\b(?:{_NO_WISH}) (?:want|wanna|wish|need) (?:any of this|this anymore|these anymore|any more of these"
    rf"|more of these|any more from"
    rf"|anything (?:else |more )?from|to be on|to be part of|to be in|your service|your business|your texts"
    rf"|your calls)\b",
    rf"(?<!got )(?<!have )(?<!had )(?<!received )(?<!see )(?<!saw )(?<!are )(?<!with )\b(?:no|zero) (?:(?:more"
    rf"|further|additional|new"
    rf"|unwanted|future|other) ){{0,2}}(?:(?:text|sms|promo|promotional|marketing|sales|unwanted|phone) )?"
    rf"(?:{_MESSAGES}|contact"
    rf"|contacting|calling|soliciting)(?={END}| please| pls| plz| thank| thx| ever| again| from| to | for me| at "
    rf"| anymore| or )",
    rf"\bno (?:more|further) (?:text|message|contact|communication|{_MESSAGES}|{_CONTACTING}|of this|of these"
    rf"|of your|from you)\b",
    rf"\b(?:enough|done|tired|sick|fed up|over|annoyed|finished|through|had it) (?:and tired )?(?:with |of |by "
    rf"|about )(?:\w+ ){{0,3}}"
    rf"(?:{_MESSAGES}|{_CONTACTING}|being {_CONTACTED.split('|')[0]}|you (?:people|guys)|this company)\b",
    rf"\b(?:unwanted|unsolicited|annoying|unauthorized|endless|nonstop|constant|illegal) (?:{_MESSAGES}"
    rf"|{_CONTACTING})\b",
    rf"\b(?:{_MESSAGES}|{_CONTACTING}|contact) (?:\w+ ){{0,3}}(?:unwanted|annoying|not wanted|not welcome|unwelcome"
    rf"|unsolicited|not authorized|not allowed|illegal|ridiculous|out of hand|too much|too many|driving (?:me|us)"
    rf"|getting old)\b",
    rf"\b(?:refuse|decline|object to|hate|reject|despise) (?:\w+ ){{0,3}}(?:{_MESSAGES}|{_CONTACTING}|contact)\b",
    rf"\bno (?:need|use|desire|wish|reason) (?:for|to) (?:(?:your|these|any|more|further|receive|get|hear|keep"
    rf"|continue) ){{1,3}}(?:{_MESSAGES}|{_CONTACTING}|from you)\b",
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
    # A list, and me: take me off your list; and not: remove the old gutter.
    rf"\b(?:take|get|scratch|cross|pull|drop|remove|delete|erase|strike|leave|keep|wipe|exclude|clear|want|be) "
    rf"(?:{_MY_ENTRY}) (?:\w+ )?(?:off"
    rf"|out of|from)\b(?! (?:the|your|my) (?:permit|contract|deed|roof|invoice|quote|estimate|policy|schedule"
    rf"|calendar|job|board|waitlist|appointment))(?! to a)(?! town)",
    rf"\b(?:remove|delete|erase|purge|scrub|wipe|clear|unlist|unenroll|deregister) (?:{_MY_ENTRY})\b(?! from the "
    rf"(?:permit|contract|deed|invoice|quote|estimate"
    rf"|policy))(?! (?:lens|as|and add|and put|and use)\b)",
    r"\b(?:take|remove|delete|off|from|removed|taken|drop|unsubscribe) (?:\w+ ){0,4}(?:mailing|texting|text|call"
    r"|calling|contact|phone|sms|marketing|spam)"
    r" list\b",
    rf"\b(?:removed|taken|deleted|dropped|want|like|need|be|get) (?:to be )?(?:off|from|out of) (?:your|this|these"
    rf"|the (?:mailing|text|list)) ?{_LIST}\b",
    r"\b(?:remove|delete|take|drop|erase) (?:off|from|out of) (?:your |the |this |ur )?(?:\w+ )?(?:list|lists"
    r"|database|system|records|contacts|texts)\b",
    rf"(?:^|\. )(?:please |just )?(?:off|out of) (?:your|this|the) {_LIST}\b",
    rf"\b(?:want|like|need|have|get) (?:{_MY_ENTRY}) (?:removed|deleted|taken|erased|unsubscribed)\b",
    rf"\b(?:want|like|need|wish|ask\w*|request\w*) (?:\w+ )?(?:to )?(?:be|get|have (?:{_MY_ENTRY})) (?:removed"
    rf"|deleted|taken off|unsubscribed|dropped|excluded)\b",
    rf"\b(?:take|remove|delete) (?:number|numbers?){END}",
    r"\bunsubscri\w*",
    r"\bunsub\b",
    r"\bopt(?:ed|ing|s)? (?:me |us |my number |this number )?out\b(?! of (?:the |a |this |your )?(?:\w+ )?"
    r"(?:warranty|insurance|plan|upgrade|add on|gutters?|inspection|metal|option|package|financing))",
    r"\boptout\b",
    # Consent: I revoke my consent; you don't have permission to text me.
    r"\b(?:revok\w+|withdr[ae]w\w*|rescind\w*|retract\w*|cancel\w*|remov\w+|tak\w+ back|pull\w*|end\w*|terminat\w+"
    r"|den\w+) (?:\w+ ){0,3}"
    r"(?:consent|permission|authori[sz]ation|opt in)\b",
    r"\b(?:consent|permission|authori[sz]ation) (?:\w+ ){0,3}(?:revoked|withdrawn|rescinded|denied|removed|canceled"
    r"|cancelled|terminated|expired|over"
    r"|ended)\b",
    r"\b(?:dont|do not|didnt|did not|never|no longer|havent|have not|not|without my|no) (?:\w+ )?(?:consent"
    r"|consented|consenting)"
    rf"(?={END}| to (?:you|u|any|these|this|the texts|the messages|be|being|receive|receiving|get|getting|texts"
    rf"|text|messages|contact|calls|such|your)\b| for (?:you|this|these)\b)",
    r"\b(?:didnt|did not|never|dont|do not|havent|have not|dont remember|no longer|not) (?:\w+ )?(?:sign|signed"
    r"|signing|opt|opted) (?:up|in)"
    rf"(?={END}| (?:for|to) (?:this|these|that|it|any|anything|your|texts?|spam|get|receive|be|messages|marketing"
    rf"|alerts)\b| with you)",
    r"\b(?:didnt|did not|never|dont|do not|havent|no longer) (?:authori[sz]ed?|approved?|allow\w*|permit\w*"
    r"|agreed?) (?:\w+ )?(?:you|u|yall|anyone|this number"
    r"|texts|messages|contact|any|these|to (?:receive|get|be|any|these|this|texts|messages|your))\b",
    r"\b(?:you|u|yall|they|company) (?:\w+ )?(?:dont|do not|no longer|never|not|didnt) (?:have|had|got|get|given) "
    r"(?:\w+ )?(?:permission|consent|authori[sz]ation)\b",
    rf"\b(?:never|didnt|did not|dont|do not|no longer|havent|nobody|no one|not) (?:gave|give|given|giving|granted) "
    rf"(?:\w+ ){{0,3}}(?:permission|consent|authori[sz]ation)"
    rf"(?={END}| to (?:text|call|contact|message|be|use|send)\b| for (?:this|these|texts)\b)",
    r"\b(?:never|didnt|did not|dont remember) (?:gave|give|given|giving|provided?|shared?) (?:you|u|yall|anyone"
    r"|your company|out) (?:\w+ )?(?:my|this) (?:\w+ )?"
    r"(?:number|phone|cell|info|information)\b",
    r"\b(?:never|not been|nor|wasnt|hasnt been|no) (?:\w+ ){0,2}(?:any )?(?:consent|permission|authori[sz]ation)\b"
    r"(?=(?: \w+){0,4} (?:text\w*|call|contact|messag\w*|number|on my part|on our part|given|use)\b)",
    r"\b(?:consent|permission|authori[sz]ation) (?:to (?:text|call|contact|message|use) )(?:\w+ ){0,4}(?:denied"
    r"|revoked|withdrawn|not given|not granted|refused|over|rescinded|terminated)\b",
    r"\bno (?:consent|permission) (?:was |has been |to |given)",
    r"\b(?:without|no) (?:my |our )?(?:prior )?(?:consent|permission)\b(?=.*\b(?:text\w*|call\w*|contact\w*"
    r"|messag\w*|number)\b)",
    # Somebody else's number: its present owner has never given consent.
    r"\bnew (?:phone|number) who\b",
    r"\b(?:number|phone|line) (?:\w+ ){0,5}(?:no longer|not|isnt) \w+s(?= \.|$)(?<!works)(?<!yes)",
    r"\b(?:this|it|its|thats|number|phone) (?:is |now )?mine now\b",
    r"(?<!gave you the )(?<!gave the )(?<!put the )(?<!put down the )(?<!give you the )(?<!typed the )"
    r"(?<!dialed the )(?<!called the )(?<!sent you the )"
    r"(?<!is that the )(?<!entered the )(?<!gave u the )(?<!gave a )(?<!gave you a )\b(?:wrong|incorrect) (?:\w+ )?"
    r"(?:number|numbr|num|nbr|person|phone|guy|lady|man|woman|dude|gal"
    r"|cell|contact|party|recipient|somebody|people|house|#)\b(?! (?:on|in|of|at|listed|was on|is on)\b)(?! for "
    r"(?:the|my|our|your|a|permits?)\b)",
    r"\b(?:not|isnt|aint|no longer|wasnt|never was|not even) (?:my|his|her|hers|their|theirs|the right|the correct"
    r"|\w+s) (?:\w+ )?(?:number|phone|cell)\b"
    r"(?! (?:on|for|in|is|works?|wont|doesnt)\b)(?<!this number)",
    r"\b(?:number|phone|cell|line) (?:\w+ ){0,3}(?:belongs? to|belonged to|owned by|assigned to|used by) (?:someone"
    r"|somebody|another|a different|a new|not|an? \w+|me|different|other|some)\b",
    r"\b(?:number|phone|cell|line) (?:\w+ ){0,3}(?:no longer|not|never|doesnt|dont|does not|isnt|didnt|did not"
    r"|anymore) (?:\w+ )?(?:belongs?|belonged|associated|connected|hers|his|theirs|owned"
    r"|used by|registered)\b",
    r"\b(?:numbers?|phone|line) (?:\w+ ){0,2}(?:reassigned|changed hands|changed owners?|recycled|re assigned"
    r"|transferred to|a new owner|new owners?)\b",
    r"\b(?:number|phone|cell) (?:\w+ ){0,2}(?:isnt|is not|is no longer|not|aint) (?:his|hers|theirs|him|her|for"
    r"|the (?:number|phone) (?:of|for)|that person|your customer"
    r"|who you|the person)\b",
    r"\b(?:some ?one|somebody|another person|a stranger|other person|different person) ?(?:elses|s|different)? "
    r"(?:number|phone|cell|has this number|owns this)\b",
    r"\b(?:this|that|it|its|thats) (?:\w+ )?(?:is |s )?(?:now )?(?:some ?one|somebody) elses\b",
    r"\b(?:number|phone|line) (?:now )?(?:is |has )?(?:now )?(?:some ?one|somebody) elses?\b",
    r"\b(?:just|recently|only|newly|now) (?:\w+ )?(?:got|bought|received|acquired|given|inherited|have|has|own"
    r"|started using|assigned|using) this (?:\w+ )?(?:number|phone|line)\b",
    r"\b(?:ive|i have|we have|weve|i) (?:\w+ )?(?:had|have|got|owned) this (?:\w+ )?(?:number|phone|line) (?:for"
    r"|since|last|recently|only|now|a|about|over|\d)\b",
    r"\b(?:previous|former|prior|last|old) (?:owner|holder|user|person)\b(?=.*\b(?:number|phone)\b)",
    r"\bnew (?:owner|person|user|holder) (?:of|at|with|on) (?:this|the|that)(?: \w+)? (?:number|phone|line)\b",
    r"(?<!\bi )(?<!\bwe )\b(?:no longer|doesnt|does not|dont|do not|isnt|not|never) (?:has|have|owns?|uses?|using"
    r"|at|on|had|with|carry|lives?|works?|reachable at) (?:\w+ )?(?:this|that) "
    r"(?:\w+ )?(?:number|phone|line)\b",
    r"(?<!my )(?<!our )\b(?:he|she|they|person|\w+) (?:no longer|doesnt|does not|dont|hasnt|has not) (?:lives?"
    r"|works?|lived|worked|stays?|been) (?:at this \w+|here|there)\b(?<!i dont live here)(?<!i dont work here)",
    r"\b(?:no one|nobody|noone|no body|there is no|theres no|there isnt|there aint|aint no|isnt any|isnt a|no) "
    r"(?:\w+ ){0,3}(?:by|with|of) (?:that|this|the|such) ?(?:name)?\b(?! (?:color|size|price))",
    r"\b(?:no one|nobody|noone|no person|anyone|anybody|someone|any|a|who) (?:\w+ )?(?:named|called) \w+(?= (?:here"
    r"|at|lives|has|on|with)\b| \.|$)(?!.*\bask for)",
    r"\b(?:dont|do not) know (?:any|a|an|who|this|that) (?:\w+ ){0,2}(?:is|named|called|person|by that name|guy"
    r"|lady)\b(?=.*\b(?:number|text\w*|call\w*|messag\w*|stop|this is|\.|wrong)|$)",
    r"\b(?:im|i am|this is|its|this isnt|isnt|were|we are|that isnt|thats) not? ?(?:\w+ )?(?:the (?:right |correct "
    r"|intended |wrong |same )?(?:person|guy|lady|man|woman|recipient|one) (?:you|u|your)"
    r"|who (?:you|u)|whom you|him|her|that person|this person|your (?:customer|client)|the (?:right|correct"
    r"|intended) (?:person|guy|recipient|contact|party))\b",
    r"\bwho(?:m|ever|mever)? (?:you|u|youre|your|ur|it is) (?:\w+ )?(?:\w+ )?(?:looking for|trying|texting|calling"
    r"|want|after|think|intend\w*|contacting|messaging)\b"
    r"(?=.*\b(?:gone|not|wrong|isnt|no longer|moved|doesnt|it)\b|.*$)(?<!who you texting)",
    r"\b(?:you|u|youre|youve|ur) (?:\w+ ){0,3}(?:mistaken|confus\w+|mixed|mixing) (?:me|us|this|number|up)?",
    r"\b(?:texts?|messages?|texting|calling|texted|messaged|number|reached|contacted|msgs?|text) (?:\w+ ){0,4}"
    r"(?:by mistake|in error|by accident|by error|mistakenly)\b(?<!called you by mistake)"
    r"(?<!texted you by mistake)",
    r"\b(?:passed away|passed on|deceased|died|is dead)\b(?=.*\b(?:stop|remove|no longer|dont|do not|quit"
    r"|this number|off|delete|cease)\b)",
    r"\b(?:stop|remove|no longer|dont|do not|quit|this number|off|delete|cease)\b.{0,80}\b(?:passed away|deceased"
    r"|died|is dead)\b",
    r"\b(?:its|this is|it is) (?:\w+ )?(?:my|our|a new) (?:number|phone|line) now\b(?! (?:so|please|use|call|text"
    r"|save))",
    # Anger and threats.
    r"(?:^|\. )(?:(?:just|please|pls|now|ok|so|can you|would you|will you|and|hey|stop|seriously|you) ){0,3}"
    r"(?:go away|get lost|buzz off|bug off|back off|drop dead)"
    r"(?! (?:for|on|to|next|this|in|until|till|over|during|with|at|at|of|when|last|fast|party|gift|from)\b)",
    r"\b(?:fuck off|f off|eff off|piss off|screw you|screw off|fuck you|fuck u|f u|shut up|stfu|gtfo|kiss my"
    r"|go to hell|get bent|bite me)\b",
    rf"\bleave (?:me|us|him|her|them|our family|{_FAMILY}|my (?:phone|family|number|house)) (?:the \w+ )?(?:alone"
    rf"|be)\b",
    r"\blet (?:me|us) (?:be|alone)\b(?= \.|$)",
    r"\b(?:lose|forget|erase|delete|burn|throw away|toss|trash|ditch) (?:my|this|our) (?:\w+ )?(?:number|contact"
    r"|contact info|digits)\b(?! (?:lens|on|in)\b)",
    r"\b(?:get|stay) (?:off|out of) (?:my|our) (?:phone|line|back|case|inbox|messages|texts)\b",
    r"\b(?:report|reported|reporting|block|blocked|blocking) (?:you|u|ur|your number|this number|this company"
    r"|your company|yall)\b(?! (?:in|when|the driveway))",
    r"\breport(?:ed|ing)? (?:this |you |it |these )*(?:as |for |to )?(?:the )?(?:spam|junk|scam|harassment|fcc|ftc"
    r"|attorney general|police|authorities)\b",
    r"\b(?:this is|its|thats|such|these are|total|nothing but|pure|sending|more) (?:\w+ )?(?:a )?(?:spam|harassment"
    r"|scam|harassing|spammers?|scammers?)\b(?! (?:filter|folder|what|by the|from the other|that the|how|the other))",
    r"\b(?:you|u|youre|yall|ur) (?:are |r |guys are |people are |keep |guys keep )?(?:just |all |basically "
    r"|constantly |really )?(?:a |bunch of )?(?:spamm\w+|scamm\w+|harass\w+|stalk\w+)\b",
    r"\b(?:stop|quit) wasting (?:my|our) time\b",
    r"(?<!other )\bharassment\b",
    r"\bwhat part of (?:stop|no|unsubscribe)\b",
    r"\b(?:never|didnt|did not) (?:ask|asked) for (?:this|these|it|any of this|that)(?= \.|$)",
    r"\bwrong no(?= \.|$)",
    r"\b(?:texting|calling|contacting|messaging|bothering|harassing) (?:\w+ )?(?:a |the )?(?:stranger"
    r"|total stranger|wrong)\b",
    r"\b(?:restraining order|call(?:ing)? the (?:police|cops))\b(?=.*\b(?:you|text\w*|messag\w*|stop)\b| \.|$)",
    r"\b(?:whoever|someone|somebody|they|he|she) gave you (?:\w+ )?(?:\w+ )?(?:the |a )?(?:wrong|fake|bad|my) "
    r"(?:number|one|info)\b",
    r"\b(?:number|phone|line|landline)\b.*\b(?:remove|delete) (?:it|this)\b",
    r"\b(?:sue|suing) (?:you|u|your|yall)\b",
    r"\b(?:hear|contacted) (?:from|by) my (?:lawyer|attorney)\b",
    r"\b(?:legal action|do not call (?:list|registry)|dnc|no call list|donotcall|do not contact (?:list|registry)"
    r"|do not text list|dont call list)\b",
    r"\bdo not (?:call|contact|text) (?:list|registry)\b",
    r"\b(?:cease and desist|cease desist)\b",
    r"\b(?:tcpa|fcc|ftc)\b",
    # Not interested.
    r"\b(?:not|no longer|never|isnt|wasnt|arent|aint|zero|un) ?interest(?:ed)? in (?:your|any|these|this|the"
    r"|getting|receiving|being|what|whatever|hearing) ?(?:\w+ )?(?:services?|offers?|texts?|messages?|msgs|products?"
    r"|company|business|promos?|deals?|calls?|texted|contacted|youre?|from you|u|selling|sell|spam|sales)\b",
    r"(?<!wife is )(?<!husband is )\bnot (?:\w+ )?interested in (?:a|an|any|your|new|buying|selling|solar"
    r"|anything) ?(?:\w+ ){0,3}\w*(?= \.|$)(?!.*\b(?:but|just|only|instead)\b)",
    r"\bno interest in (?:your|any|this|these|what)\b",
)

# A whole clause, from its beginning to its end.
CLAUSES = any_of(
    r"(?:\w+ ){0,2}(?:stop|quit) (?:it|this|that|text|txt|msg|message|sms|everything|them|these|all of it|messages"
    r"|all this|all that|me)(?: \w+)?",
    r"(?:please |pls |ok |no )?stop (?:i|im|we|you|u|youre|asap|dont|ur|this is|my|thanks|thank|or) .+",
    r"(?:\w+ ){0,5}(?:not|isnt|arent|aint|no longer|never) (?:\w+ )?interested(?: (?:at all|anymore|any more"
    r"|thanks?|thank you|now|at this time|please|so|sir|maam|stop|ever|sorry|in this|bye|guys|pls|here|right now))?"
    r"(?: \w+)?",
    r"(?:please |pls )?(?:stop|enough)(?: with)?(?: all)? (?:the|this|these|your) (?:nonsense|crap|bs|shit|already"
    r"|madness|insanity|harassment)",
    r"(?:please |just |guys |ok |seriously )*(?:knock it off|cut it out|give it a rest|lay off|stop already"
    r"|enough already|thats enough|thats it|knock this off|quit it|beat it|scram|get out|please end this|end this)"
    r"(?: \w+)?",
    r"(?:i said |i |please |we |said |ok |want )*(?:no more|no mas)(?: (?:please|pls|plz|thanks|thank you|sir|ok"
    r"|ever|guys|of it|at all|now|okay))*",
    r"(?:please |no |ok |i |we )*(?:cancel|revoke|end|quit) (?:everything|texts?|sms|messages?|this|these|it all"
    r"|all of it|me)(?: please| thanks)?",
    r"(?:a )?(?:scam|spam|scammers?|spammers?)(?: \w+)?",
    r"(?:please |i |we |id |just |really )*(?:want|like) (?:off|out)(?: (?:now|please|of this|asap|already))?",
    r"(?:(?:please|pls) )?(?:(?:stop){2,}|(?:stop|quit)(?:texting|txting|calling|messaging)(?:me|us)?"
    r"|dont(?:text|call)me)",
    r"(?:this is |its |sorry )?(?:not me|not him|not her|aint me)",
    r"(?:you are |ur |youre |you have been |been )?(?:reported|blocked|blocking|reporting|block)(?: and (?:reported"
    r"|blocked|reporting|blocking))?(?: (?:now|you|bye))?",
    r"(?:\w+ ){0,3}(?:no|zero) interest(?: (?:at all|thanks|thank you|in it|here|whatsoever))?",
    r"(?:please |pls |just |ok )*(?:never again|no contact|no texts?|no calls?|no messages?|no sms|dont contact"
    r"|do not contact|do not text|dont text|off the list|take off)(?: (?:please|pls|plz|thanks|thank you|ever|again"
    r"|anymore|ok))*",
)
