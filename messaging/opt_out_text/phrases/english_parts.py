"""Parts of which English phrases are composed."""

# What is to stop.
CONTACT = (
    "text|txt|tex|message|msg|call|phone|ring(?! the)|contact|email|bother|bug|spam|harass|pester|disturb"
    "|solicit|reach out"
    "|reach"
    "|write|ping|dial|annoy|hit up|blow up|hmu|hit me up|hit us up"
)
CONTACTING = (
    "texting|txting|messaging|msging|calling|phoning|contacting|emailing|bothering|bugging|spamming|harassing|pestering"
    "|disturbing|soliciting|annoying|hounding|stalking|reaching out|blowing up|blowing|hitting|writing|pinging|dialing"
    "|ringing|mailing|advertising|sending|communicating|following up|asking(?! (?:you|u|them|the)\\b)"
    "|checking in|trying to (?:sell|reach"
    "|contact|call|get)|pushing|selling|pressuring"
    "|pitching|nagging|badgering|bombarding|pursuing|chasing|targeting"
)
CONTACTED = (
    "contacted|texted|messaged|called|emailed|bothered|harassed|solicited|disturbed|spammed|reached|bugged|pestered"
)
MESSAGES = (
    "texts|txts|text messages?|texting|messages|msgs|messaging|sms|mms|spam|spamming|notifications|alerts|reminders"
    "|promos?|promotions?|promotional|offers|ads|adverts|advertis\\w+|marketing|solicit\\w+|subscriptions?|calls"
    "|robocalls|emails|communications?|correspondence|outreach|blasts|coupons|promo codes|surveys|flyers"
    "|newsletters?|sales pitch\\w*|junk"
)
EVERY = (
    "all|any|the|these|those|this|that|your|ur|my|our|further|more|future|with|such|of|sms|text|marketing|promotional"
    "|phone|daily|damn|stupid|automated|unwanted|annoying|constant|sending|sending me|me|us|to|getting|receiving"
)

# For whom.
FAMILY = (
    "my (?:wife|husband|mom|mother|dad|father|son|daughter|parents|family|kids?|spouse|partner|grandma|grandmother"
    "|grandpa)"
)
ME = (
    f"me|us|this (?:\\w+ )?(?:number|phone|line|device|cell|contact|person|mobile)|my (?:\\w+ )?(?:phone|number"
    f"|cell|line|device)|{FAMILY}|here|again|anymore"
    "|any more|ever|any longer|no more|at this number|on this number|at all"
)
MY_ENTRY = (
    "me|us|my (?:\\w+ )?(?:names?|numbers?|phone|cell|info|information|contact|contacts|data|details|email)"
    "|our (?:\\w+ )?"
    "(?:numbers?|names?|info|information|phones?)|this (?:\\w+ )?(?:number|phone|cell|contact)|myself"
    "|our (?:family|home"
    "|house|household|address)|my family|everyone here"
)
LIST = (
    "(?:\\w+ ){0,3}(?:lists?|database|data base|system|records|roster|crm|distribution|contacts|directory|rolodex"
    "|group chat|group text|thread|campaign|file|files|texts|rotation)"
)

# A wish.
STOP = (
    "stop|quit|cease|halt|discontinue|terminate|disable|deactivate|suspend|avoid|refrain from|desist from|kill|turn off"
)
NOT = "dont|do not|never|must not|should not|shouldnt|may not|can not|cannot|cant|not to|no longer"
NO_WISH = (
    "dont|do not|no longer|didnt|did not|never|not|wont|will not|wouldnt|would not|dnt|doesnt|does not|isnt|havent"
    "|have not"
)
WANTED = (
    "want|wanting|wanna|wish|need|needing|care|like|ask|asked|sign|signed|agree|agreed|request|requested|interested"
    "|looking|subscribe"
    "|subscribed|opt|opted|appreciate|consent|consented|authorize|authorized|approve|approved|willing|allow|allowed"
    "|permit"
    "|expect|enjoy|accept|welcome|rather|prefer|supposed"
)

# After "don't call me": another way is preferred, or another time.
ANOTHER_WAY = (
    r"(?! \. (?:just |please |pls )?(?:text|txt|message)$)"
    r"(?!.*(?<!dont )(?<!not )(?<!never )(?<!or )(?<!and )(?<!stop )(?<!ever )(?<!please )\b(?:text|call|email"
    r"|message|msg)"
    r" (?:me|us|my|only|instead|is|works)\b)(?!.*\b(?:just|only|rather|prefer|better to) (?:text|call|email|message)\b)"
    r"(?!.*\binstead\b)(?!.*\buse (?:this|my|the|that)\b)(?!.*\b(?:texts|texting|email) (?:is|are|works?|only)\b)"
)
ANOTHER_TIME = (
    r"(?! (?:\w+ ){0,2}(?:before|until|till|til|unless|while|yet|today|tomorrow|tonight|after \d|between \d|when i"
    r"|(?:on )?(?:sun|mon|tues|wednes|thurs|fri|satur)days?|(?:on )?weekends?|this (?:week|morning|afternoon"
    r"|evening|time)"
    r"|so (?:early|late)|at (?:work|night)|during|back|if|about(?! (?:it|his|her|their|this|that|anything|your|any"
    r"|solar|roofs?|roofing)\b)|with|for)\b)"
)
NOT_FOR_WORK = "(?! (?:by|in|over|at|off|and|or|signs?|for|on|work|when|before|if|until|leak\\w*|here|there)\\b)"

# What goes before a request, and after it.
ASK = (
    r"(?:(?:please|pls|plz|just|kindly|hey|hi|ok|no|sorry|now|seriously|can|could|would|will|you|u|yall|guys|i"
    r"|id|we|want"
    r"|need|demand|ask|asking|am|im|like|that|to|must|should|better|gotta|for the last time|who is this|thanks"
    r"|but|and|so) )*"
)
TAIL = (
    r"(?: (?:please|pls|plz|thanks|thank you|thx|ty|now|asap|already|immediately|ok|okay|lol|dude|bro|man|sir"
    r"|guys|right now"
    r"|right away|or else|at once|forever|again|ever|anymore|any more|people))*"
)

# Words before `stop` that make it a place, a part or somebody else's doing.
NOT_A_PLACE = "".join(
    rf"(?<!\b{word} )"
    for word in [
        "the",
        "a",
        "one",
        "next",
        "last",
        "first",
        "final",
        "full",
        "non",
        "bus",
        "train",
        "truck",
        "pit",
        "rest",
        "gas",
        "door",
        "short",
        "quick",
        "your",
        "my",
        "our",
        "it",
        "we",
        "they",
        "i",
        "to",
        "or",
        "cant",
        "wont",
        "dont",
        "doesnt",
        "didnt",
        "not",
        "never",
        "can",
        "should",
        "could",
        "would",
        "must",
    ]
)

# What else a customer writes about texts and numbers.
ABOUT_ELSE = (
    r"\b(?:before|until|till|after|while|get|gets|got|came|come|coming|receive|received|driv\w+|mind|yet"
    r"|instead|works?|just|much"
    r"|sure|who|why|what|use|earlier|last|wrong|new|need|needed|stop texting|can|cant|could|if|or email|add|the"
    r"|a|call me|you"
    r"|text me|your|insurance|office|appointment|quote|estimate|bill|invoice|crew|tech|roof|job)\b"
)
