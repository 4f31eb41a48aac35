"""English anger and threats."""

from messaging.opt_out_text.phrases import END, START, any_of
from messaging.opt_out_text.phrases.english_parts import FAMILY, TAIL

ANGER = any_of(
    # Anger and threats.
    r"(?:^|\. )(?:(?:just|please|pls|now|ok|so|can you|would you|will you|and|hey|stop|seriously|you) ){0,3}"
    r"(?:go away|get lost|buzz off|bug off|back off|drop dead)"
    r"(?! (?:for|on|to|next|this|in|until|till|over|during|with|at|at|of|when|last|fast|party|gift|from)\b)",
    r"\b(?:fuck off|f off|eff off|piss off|screw you|screw off|fuck you|fuck u|f u|shut up|stfu|gtfo|kiss my"
    r"|go to hell|get bent|bite me)\b",
    rf"\bleave (?:me|us|him|her|them|our family|{FAMILY}|my (?:phone|family|number|house)) (?:the \w+ |tf |all "
    rf"|fucking )?(?:alone"
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
    r"|scam|harassing|spammers?|scammers?)\b(?! (?:that|insurance|they|filter|folder|what|by the|from the other"
    r"|that the|how|the other))",
    r"\b(?:you|u|youre|yall|ur) (?:are |r |guys are |people are |keep |guys keep )?(?:just |all |basically "
    r"|constantly |really )?(?:a |bunch of )?(?:spamm\w+|scamm\w+|harass\w+|stalk\w+)\b",
    r"\b(?:stop|quit) wasting (?:my|our) time\b",
    r"(?<!other )\bharassment\b(?! (?:by|from (?!you)))",
    r"\bwhat part of (?:stop|no|unsubscribe)\b",
    r"\b(?:never|didnt|did not) (?:ask|asked) for (?:this|these|it|any of this|that)(?= \.|$)",
    r"\bwrong no(?= \.|$)",
    r"\b(?:texting|calling|contacting|messaging|bothering|harassing) (?:\w+ )?(?:a |the )?(?:stranger"
    r"|total stranger|wrong)\b",
    r"\b(?:restraining order|call(?:ing)? the (?:police|cops))\b(?=.*\b(?:you|text\w*|messag\w*|stop)\b| \.|$)",
    r"\b(?:whoever|someone|somebody|they|he|she) gave you (?:\w+ )?(?:\w+ )?(?:the |a )?(?:wrong|fake|bad|my) "
    r"(?:number|one|info)\b",
    r"\b(?:number|phone|line|landline)\b.{0,80}\b(?:remove|delete) (?:it|this)\b",
    r"\b(?:sue|suing) (?:you|u|your|yall)\b",
    r"\b(?:hear\w*|contacted) (?:from|by) (?:my|our) (?:lawyer|attorney|legal|counsel)\b",
    r"\b(?:texts?|messages?|number) (?:\w+ ){0,3}(?:to|with) (?:my|our) (?:lawyer|attorney|legal)\b",
    r"\b(?:legal action|do not call (?:list|registry)|dnc|no call list|donotcall|do not contact (?:list|registry)"
    r"|do not text list|dont call list)\b",
    r"\bdo not (?:call|contact|text) (?:list|registry)\b",
    r"\b(?:cease and desist|cease desist)\b",
    r"\b(?:tcpa|fcc|ftc)\b",
    r"\b(?:lawyer|attorney|legal (?:team|counsel|department)|solicitor|counsel) (?:\w+ ){0,4}(?:hear\w*|touch"
    r"|contact\w*"
    r"|know|sue|suing|letter|next|contacting)\b(?!.*\b(?:closing|contract|deed|lien|paperwork|documents?|permit"
    r"|estimate)\b)",
    r"\b(?:report\w*|complain\w*|contact\w*|fil\w+|turn\w*|write|writing) (?:\w+ ){0,6}(?:fcc|ftc|bbb"
    r"|better business bureau|attorney general|consumer protection)\b",
    r"\b(?:report\w*|call\w*) the (?:police|authorities|cops) (?:on|about) (?:you|u|these|this number)\b",
    r"\b(?:see|take|taking|dragging|drag) (?:you|u|yall|your company) (?:in|to) (?:\w+ ){0,2}court\b",
    r"\b(?:take (?:a|the) (?:hint|hike)|get (?:a|the) (?:hint|life)|pound sand|shove (?:it|off)|bugger off"
    r"|sod off|jog on|zip it"
    r"|f\w{0,3}k (?:off|you|u|this|yall)|go f\w{0,3}k yoursel\w+)\b",
    rf"\bleave (?:{FAMILY}(?: in law)?|my (?:elderly|old|poor) \w+|this (?:number|phone|line)) (?:\w+ )?alone\b",
    r"\bforget (?:that )?(?:you|u) (?:\w+ )?(?:have |had |got )?(?:my|this|our) (?:\w+ )?(?:number|name|info)\b",
    r"\b(?:you|u|youre|yall|ur|your company) (?:\w+ ){0,2}(?:breaking|violating|in violation)\b",
    rf"{START}(?:this|its|thats|that|texting|it) (?:\w+ )?(?:is )?(?:illegal|against the law){END}",
    rf"\b(?:consider yourself|youre|you are|u are|u r|ur|youll|you will|youve|ill) (?:\w+ ){{0,3}}(?:blocked"
    rf"|reported){END}",
    r"\bmark\w* (?:\w+ ){0,2}as (?:spam|junk)\b",
    rf"\b(?:your|last|final|only) warning{END}|\b(?:youve|you have|u have) been warned\b",
    r"\b(?:you|u|youre|ur|yall) (?:are |r |guys are |people are |keep )?(?:bothering|annoying|bugging|hounding"
    r"|pestering) (?:me|us|my)\b",
    rf"\bstay away(?={END}| from (?:me|us|my (?:phone|family)))",
    rf"\b(?:as|for) evidence{END}|\bexpect (?:a|my) (?:complaint|lawsuit|letter)\b|\bgo f\w* yoursel\w+",
    rf"{START}(?:bunch of |you |bunch |fucking |damn |lousy )*(?:scammers|spammers|crooks|thieves|liars){END}",
    r"\b(?:feels|looks|seems|sounds|smells|reads) like (?:a |total )?(?:spam|scam|phishing|fraud)\b(?! that)",
    r"\b(?:youre|you are|u r|ur|u are|yall are) (?:\w+ )?(?:annoying|pathetic|disgusting|creepy|relentless"
    rf"|a nuisance|a pest){TAIL}{END}",
    r"\bshut (?:the \w+ |tf )?up\b|\bkick rocks\b|\bf (?:ck|k|uk|c k) ?(?:off|you|u|this)\b",
    # A threat on the condition of another message: if you text again I'm calling a lawyer.
    r"\b(?:text|txt|message|msg|call|contact|email|write) (?:me |us |here |this number )*"
    r"(?:again|one more time|once more)"
    r" (?:and |or |then )?(?:i|im|ill|we|were|well|id|my|our) (?:\w+ ){0,4}"
    r"(?:lawyers?|attorneys?|police|cops|court|sue)\b",
)
