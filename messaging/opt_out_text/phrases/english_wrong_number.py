"""English phrases of somebody who has the number that belonged to another person."""

from messaging.opt_out_text.phrases import END, START, any_of

WRONG_NUMBER = any_of(
    # Somebody else's number: its present owner has never given consent.
    r"\bnew (?:phone|number) who\b",
    r"\b(?:number|phone|line) (?:\w+ ){0,5}(?:no longer|not|isnt) \w+s(?= \.|$)(?<!works)(?<!yes)",
    r"\b(?:this|it|its|thats|number|phone) (?:is |now )?mine now\b",
    r"(?<!gave you the )(?<!gave the )(?<!put the )(?<!put down the )(?<!give you the )(?<!typed the )"
    r"(?<!dialed the )(?<!called the )(?<!sent you the )"
    r"(?<!is that the )(?<!entered the )(?<!gave u the )(?<!gave a )(?<!gave you a )\b(?:wrong|incorrect) (?:\w+ )?"
    r"(?:number|numbr|num|nbr|person|phone|guy|lady|man|woman|dude|gal"
    r"|cell|contact|party|recipient|somebody|people|girl|boy|bro|kid|fella|fellow|individual|gentleman|chick"
    r"|human|peeps|dad|mom)\b(?! (?:on|in|of|at|listed|was on|is on)\b)(?! for "
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
    r"\b(?:no one|nobody|noone|no body|there is no|theres no|there isnt|there aint|aint no|isnt any|isnt a|no) "
    r"(?:\w+ ){0,3}(?:by|with|of) (?:(?:that|this|the|such)(?: a)? name|that|this)(?= \.|$| name| (?:here|at"
    r"|lives|on|in|has|is)\b)",
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
    r"\b(?:its|this is|it is) (?:\w+ )?(?:my|our|a new) (?:number|phone|line) now\b(?! (?:so|please|use|call|text"
    r"|save))",
    r"\b(?:you|u|youve|uve|yall|ya|youre|ur) (?:\w+ )?(?:have|got|has|texted|texting|reached|messaged"
    rf"|messaging|contacting) "
    rf"(?:the |a |an? )?wrong (?:one|house|home|company|place|business|customer|family|household|\w+){END}"
    rf"(?<!color)(?<!time)(?<!date)(?<!day)(?<!address)(?<!part)(?<!size)(?<!unit)(?<!model)(?<!amount)(?<!idea)",
    rf"\bwrong house(?={END})(?!.*\b(?:ours|its|we|mine|next door|im at)\b)",
    rf"{START}(?:\w+ ){{0,4}}(?:not|isnt|aint) (?:the )?(?:person|one|guy|lady|woman|man|number|party|right \w+"
    rf"|correct \w+|dude"
    r"|customer|homeowner|girl) (?:you|u|youre|ur|your|that you)\b",
    r"\b(?:theres|there is|there aint|aint|isnt|there isnt|theres not) (?:no|any|a) (?:mr |mrs |ms )?\w+ (?:at"
    r"|on|with|using)"
    r" this (?:number|phone|line)\b",
    r"\b(?:mistaken identity|misdial\w*|mis ?text\w*|not who (?:you|u) (?:think|want|are|r)|barking up the wrong)\b",
    rf"\b(?:he|she|they|\w+) changed (?:his|her|their) (?:\w+ )?(?:number|phone)(?={END}| (?:\w+ )?(?:years?"
    rf"|months?|weeks?)\b"
    r"| a while\b)(?!.*\b(?:use|its|new (?:one|number) is)\b)",
    r"\b(?:texts?|messages?|msgs?|this|that|it) (?:\w+ ){0,2}(?:meant|intended) for (?:(?:some ?one"
    r"|somebody) else|the previous"
    r"|(?:another|a different) (?:person|number|phone|customer|household))\b",
    r"\b(?:not|cant|cannot|no longer|isnt) (?:be )?(?:reach\w*|available|found|at) (?:at |on |with "
    r"|through )?this (?:number|phone)\b",
    rf"\bmy names? (?:isnt|is not|aint|was never|not) \w+{END}",
    r"\b(?:i|we) (?:\w+ )?(?:inherited|was given|were given|was assigned|took over|picked up"
    r"|acquired) this (?:\w+ )?(?:number|phone|line)\b",
    r"\b(?:texting|messaging|calling|contacting) (?:a |my )?(?:minor|child|kid|teenager|\d+ year old)\b",
    r"\b(?:reach|contact|find|text|looking for|get|want) (?:some ?one|somebody|a different person"
    r"|another person) else\b",
    rf"{START}(?:im|i am) (?:just |only )?(?:a kid|a minor|a child|\d+ years old){END}",
    r"\b(?:number|phone|cell|line) (?:isnt|is not|aint|no longer|is no longer) \w+s (?:any ?more|any longer|now"
    r"|phone|number)\b",
    r"\b(?:not|isnt|aint) (?:me|him|her|us) (?:you|u|youre|your|ur|that you)\b",
)

# Words about a move or a death: a customer who orders work may write them as well.
MOVED_OR_DIED = any_of(
    r"(?<!my )(?<!our )\b(?!(?:i|we|you|nobody|tenants?|renters?|that) )\w+ (?:no longer|doesnt|does not|dont"
    r"|hasnt|has not) (?:lives?"
    r"|works?|lived|worked|stays?|been) (?:at this \w+|here|there)\b(?! (?:full time|all year|yet|often|on"
    r"|during|much)\b)",
    r"\b(?:passed away|passed on|deceased|died|is dead)\b(?=.*\b(?:stop|remove|no longer|dont|do not|quit"
    r"|this number|off|delete|cease)\b)",
    r"\b(?:stop|remove|no longer|dont|do not|quit|this number|off|delete|cease)\b.{0,80}\b(?:passed away|deceased"
    r"|died|is dead)\b",
    r"\b(?:he|she|they|who) (?:has |have )?(?:moved|left|passed)(?: away| out| on)? (?:\w+ ){0,2}(?:years?"
    r"|months?|weeks?|time|while) ago\b",
)
