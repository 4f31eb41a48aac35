"""English requests that are a whole clause, from its beginning to its end."""

from messaging.opt_out_text.first_names import FIRST_NAMES
from messaging.opt_out_text.phrases import any_of

NAMES = "|".join(sorted(FIRST_NAMES))

CLAUSES = any_of(
    r"(?:\w+ ){0,2}(?:stop|quit) (?:it|this|that|text|txt|msg|message|sms|everything|them|these|all of it|messages"
    r"|all this|all that|me)(?: \w+)?",
    r"(?:please |pls |ok |no )?stop (?:i|im|we|you|u|youre|asap|dont|ur|this is|my|thanks|thank|or) .+",
    r"(?:\w+ ){0,5}(?:not|isnt|arent|aint|no longer|never) (?:\w+ )?interested(?: (?:at all|anymore|any more"
    r"|thanks?|thank you|now|at this time|please|so|sir|maam|stop|ever|sorry|in this|bye|guys|pls|here|right now))?"
    r"(?: \w+)?",
    r"(?:please |pls )?(?:stop|enough)(?: with)?(?: all)? (?:the|this|these|your) (?:nonsense|crap|bs|shit|already"
    r"|madness|insanity|harassment)",
    r"(?:please |just |guys |ok |seriously |now |so )*(?:knock it off|cut it out|give it a rest|lay off|stop already"
    r"|enough already|thats enough|thats it|knock this off|quit it|cool it|chill out|pipe down|can it|shoo"
    r"|be gone|begone|just stop|give up|beat it|scram|get out|please end this|end this)"
    r"(?: (?:please|pls|now|already|ok|thanks|guys|dude|man|people|sir|bro|u|you|yall|jerks?|idiots?|assholes?"
    r"|texting|seriously))?",
    r"(?:i said |i |please |we |said |ok |want )*(?:no more|no mas)(?: (?:please|pls|plz|thanks|thank you|sir|ok"
    r"|ever|guys|of it|at all|now|okay))*",
    r"(?:please |no |ok |i |we )*(?:cancel|revoke|end|quit) (?:everything|texts?|sms|messages?|this|these|it all"
    r"|all of it|me)(?: please| thanks)?",
    r"(?:a )?(?:scam|spam|scammers?|spammers?)(?: \w+)?",
    r"(?:please |i |we |id |just |really )*(?:want|like) (?:off|out)(?: (?:now|please|of this|asap|already))?",
    r"(?:(?:please|pls) )?(?:(?:stop){2,}|(?:stop|quit)(?:texting|txting|calling|messaging)(?:me|us)?"
    r"|dont(?:text|call)me)",
    r"(?:this is |its |sorry |thanks )+not me|(?:this is |its |sorry |thats )?(?:not him|not her|aint me)",
    r"(?:you are |ur |youre |you have been |been )?(?:reported|blocked|blocking|reporting|block)(?: and (?:reported"
    r"|blocked|reporting|blocking))?(?: (?:now|you|bye))?",
    r"(?:\w+ ){0,3}(?:no|zero) interest(?: (?:at all|thanks|thank you|in it|here|whatsoever))?",
    r"(?:please |pls |just |ok )*(?:never again|no contact|no texts?|no txts?|no calls?|no messages?|no sms"
    r"|dont contact"
    r"|do not contact|do not text|dont text|off the list|take off)(?: (?:please|pls|plz|thanks|thank you|ever|again"
    r"|anymore|ok))*",
    r"(?:please |i |we |just |u |you )*(?:eat shit|suck (?:it|my \w+|a \w+)|kiss off|assholes?|dickheads?"
    r"|idiots?|creeps?|go die)(?: \w+)?",
    r"(?:this |its |it |is |im |i |am |thats |sorry |nope |no |hi |hey )*(?:not|isnt|aint) (?:a "
    rf"|the )?(?:{NAMES})(?: (?:sorry|here|anymore|any more"
    rf"|dude|bro|man|stop|please))*",
    rf"(?:sorry |theres |there is |there |is |nope )*no (?:{NAMES}) (?:here|at this number|at this phone"
    rf"|on this phone)(?: \w+)?",
    rf"(?:this is |you have |you got |u got |its )?(?:the )?wrong (?:{NAMES})(?: \w+)?",
)
