"""English wishes to leave a list, withdrawn consent, and lack of interest."""

from messaging.opt_out_text.phrases import END, START, any_of
from messaging.opt_out_text.phrases.english_parts import LIST, MESSAGES, MY_ENTRY

CONSENT = any_of(
    # A list, and me: take me off your list; and not: remove the old gutter.
    rf"\b(?:take|get|scratch|cross|pull|drop|remove|delete|erase|strike|leave|keep|wipe|exclude|clear|want|be) "
    rf"(?:{MY_ENTRY}) (?:\w+ )?(?:off"
    rf"|out of|from)\b(?! (?:the|your|my) (?:permit|contract|deed|roof|invoice|quote|estimate|policy|schedule"
    rf"|calendar|job|board|waitlist|appointment))(?! to a)(?! town)",
    rf"\b(?:remove|delete|erase|purge|scrub|wipe|clear|unlist|unenroll|deregister) (?:{MY_ENTRY})\b(?! from the "
    rf"(?:permit|contract|deed|invoice|quote|estimate"
    rf"|policy))(?! (?:lens|as|and add|and put|and use)\b)",
    r"\b(?:take|remove|delete|off|from|removed|taken|drop|unsubscribe) (?:\w+ ){0,4}(?:mailing|texting|text|call"
    r"|calling|contact|phone|sms|marketing|spam)"
    r" list\b",
    rf"\b(?:removed|taken|deleted|dropped|want|like|need|be|get) (?:to be )?(?:off|from|out of) (?:your|this|these"
    rf"|the (?:mailing|text|list)) ?{LIST}\b",
    r"\b(?:remove|delete|take|drop|erase) (?:off|from|out of) (?:your |the |this |ur )?(?:\w+ )?(?:list|lists"
    r"|database|system|records|contacts|texts)\b",
    rf"(?:^|\. )(?:please |just )?(?:off|out of) (?:your|this|the) {LIST}\b",
    rf"\b(?:want|like|need|have|get) (?:{MY_ENTRY}) (?:removed|deleted|taken|erased|unsubscribed)\b",
    rf"\b(?:want|like|need|wish|ask\w*|request\w*) (?:\w+ )?(?:to )?(?:be|get|have (?:{MY_ENTRY})) (?:removed"
    rf"|deleted|taken off|unsubscribed|dropped|excluded)\b",
    rf"\b(?:take|remove|delete) (?:number|numbers?){END}",
    r"\bunsubscri\w*\b(?<!unsubscribed)(?! (?:by (?:accident|mistake)|from what|from the (?:news)?paper"
    r"|from the magazine)\b)",
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
    # Not interested.
    r"\b(?:not|no longer|never|isnt|wasnt|arent|aint|zero|un) ?interest(?:ed)? in (?:your|any|these|this|the"
    r"|getting|receiving|being|what|whatever|hearing) ?(?:\w+ )?(?:services?|offers?|texts?|messages?|msgs|products?"
    r"|company|business|promos?|deals?|calls?|texted|contacted|youre?|from you|u|selling|sell|spam|sales)\b",
    r"(?<!wife is )(?<!husband is )\bnot (?:\w+ )?interested in (?:a|an|any|your|new|buying|selling|solar"
    r"|anything) ?(?:\w+ ){0,3}\w*(?= \.|$)(?!.*\b(?:but|just|only|instead)\b)",
    r"\bno interest in (?:your|any|this|these|what)\b",
    # The same, as a wish for oneself: can I be removed; take me out of this; remove 555 0142.
    r"\b(?:i|we|me|us|number) (?:\w+ ){0,2}(?:be|get|got) (?:\w+ )?(?:removed|taken off|taken out|unsubscribed|dropped"
    r"|deleted|left alone|excluded|unlisted|unenrolled)\b(?! (?:the|a|my|our) (?:roof|deed|permit|invoice|contract))",
    rf"\b(?:take|leave|count|cut|let|sign|pull|scratch|drop) (?:me|us|this number) (?:off|out)(?={END}"
    rf"| of (?:this|these|it|your)\b"
    r"| please\b| now\b)",
    rf"\b(?:drop|scratch|unlist|exclude) (?:me|us)(?={END}| please\b| from\b)",
    r"\b(?:remove|delete|unsubscribe|drop|scrub|erase|off) (?:number |my number |cell )?(?:1 )?\d{3} \d{3} ?\d{4}\b"
    r"|\b(?:remove|delete|unsubscribe|drop|scrub|erase) (?:number )?\d{3} ?01\d\d\b",
    r"(?<!it )(?<!that )(?<!one )\b(?:off|out of) (?:of )?(?:your|ur|this|these|yalls"
    r"|all) (?:\w+ ){0,2}(?:lists?|database|text thread)\b",
    r"\b(?:not|never|never been|isnt|no longer|not even|aint) (?:a |an |your )(?:\w+ )?(?:customer|client"
    rf"|subscriber|member)"
    rf"(?: of (?:yours|your|this|you)(?: \w+)?)?{END}",
    r"\b(?:never|didnt|did not) (?:\w+ )?(?:ask|asked|request|requested|signed up|sign up|want|wanted"
    rf"|subscribe|subscribed|agreed|agree) "
    rf"(?:for |to )?(?:any |all )?(?:of )?(?:these|this|your)(?: (?:{MESSAGES}|crap|garbage|nonsense|stuff"
    rf"|thing))?{END}",
    r"\b(?:dont|do not) (?:even )?know (?:you|who you are|who this is|your company|this company)\b.*\b(?:stop"
    r"|remove|delete|dont"
    r"|do not|wrong|number|leave)\b",
    rf"{START}(?:i |id |please |to |want |like )*(?:on|an|and|un|uhn|end|dis|de) ?(?:subscri\w+"
    rf"|scribe)(?: (?:me|please|now|us|this))*{END}",
    rf"{START}(?:please |i |want |to |wanna |need |id |like )*(?:opt|opted|opting|upped|up|of|off|hop"
    rf"|ought) (?:out|doubt)(?: \w+)?{END}",
    r"\b(?:remove|delete|erase|purge|scrub|drop|lose|take off) (?:the|this|that|my|our|his|her|their) (?:\w+ )?"
    r"(?:number|contact|contact info|phone number|cell|data)\b(?! (?:from the (?!list)|on|and (?:put|use|add))\b)",
    r"\b(?:take|get|remove|delete|pull|keep|leave) (?:it|them|that|this|mine|both|him|her|number"
    rf"|numbers) (?:off|out of|from) "
    rf"(?:your|ur|this|these|the (?:mailing|text\w*|call|marketing)) {LIST}\b",
    rf"\b(?:never|didnt|did not|dont|do not) (?:authori[sz]ed?|approved?|agreed? to|consent(?:ed)? to|okd|okayed) "
    rf"(?:any of )?(?:this|these|it|that){END}",
    r"\b(?:remove|delete|unsubscribe|drop) (?:(?!at |the |line )\w+ ){0,3}\d{3} \d{4}\b",
    rf"\b(?:why|how|who put|how come) (?:\w+ ){{0,5}}(?:this|your|ur) (?:\w+ )?list{END}",
    rf"\bhow (?:do|can|could) (?:i|we) get off(?: of)?(?: this| it)?{END}",
    rf"\b(?:take|get|remove) (?:{MY_ENTRY}) of (?:your|ur|this|the) (?:\w+ )?(?:list|lists|database)\b",
    r"\bwho (?:gave|said) (?:you|u) (?:\w+ )?(?:permission|consent|could text|can text)\b",
    r"\bunsubscribed\b(?! (?:by (?:accident|mistake)|from (?!(?:you|your|ur|this|these|the (?!(?:news)?paper)"
    r"|all|it|everything|texts?|messages?)\b)))",
    r"\b(?:i|we|me|us)(?:d| would)? (?:\w+ ){0,2}to be left alone\b|\bid (?:\w+ ){0,2}to be left alone\b",
    r"\b(?:withdraw|deregister|unregister|unlist|retire) (?:me|us|my (?:\w+ )?(?:number|name|phone|info|details))\b",
    # "OK" as a word for consent, with what it is for: "you don't have my OK to tear out the deck" is about work.
    r"\b(?:dont|do not|never|no longer|not|without|didnt|did not) (?:(?:have|had|get|got|give|gave|given) )?"
    r"(?:you |u )?(?:my|our) (?:ok|okay|go ahead|blessing) (?:to|for) (?:you to |keep )?"
    r"(?:text\w*|call\w*|contact\w*|messag\w*)\b",
)
