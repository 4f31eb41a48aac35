"""Phrases of demo messages, calls and notes, with `{job}` and `{company}`."""

MISSED_CALL_TEXT = "Hi, this is {company}. Sorry we missed your call! How can we help?"
STOP_CONFIRMED = "{company}: you get no more messages from us. Reply START if you change your mind."
REPLIES_TO_TEXT_BACK = (
    "Hi! I need somebody to look at my {job}.",
    "No worries. Can I get an estimate for a {job}?",
    "Please call me back after 3.",
    "All good, I found somebody already.",
)
CONFIRMATIONS = (
    "You're booked with {company}: {when}. Reply here if anything changes.",
    "{company}: see you {when} about the {job}. Please keep pets inside.",
)
THANKS = ("Great, thanks!", "Perfect, see you then.", "Ok 👍", "Thank you. The gate code is 4410.", "Works for us.")
QUESTIONS = (
    "Quick question about the {job}: do you offer financing?",
    "How long does a {job} usually take?",
    "Is the estimate free?",
    "Can you come a bit earlier?",
    "Here is a picture of the {job}.",
)
REPLIES = (
    "Happy to help! Yes, and the estimate is free.",
    "Usually one to two days, depending on the weather.",
    "Let me check with the crew and get back to you.",
)
UNSENT_MESSAGES = ("Just checking in about your {job}. Any questions?", "Your crew is on the way.", "Thanks again!")

VOICEMAILS = (
    "Hi, I'm calling about a {job}. Please call me back when you get a chance.",
    "Hello, we spoke last week about the {job}. I'd like to go ahead. Thanks.",
    "Somebody gave me your number for a {job}. I'm home after five.",
)
NOTES = (
    "Has two dogs; ring first.",
    "Prefers messages over calls.",
    "Neighbour of an earlier customer, asked for the same crew.",
    "Wants the {job} done before winter.",
    "HOA needs a copy of our insurance certificate.",
    "Side gate is unlocked, ladder fits.",
)
EMAILS = (
    "Your estimate for the {job} is attached. It is good for 30 days.",
    "Thank you for choosing {company}. Here are the papers for the {job}.",
)
LEAD_SOURCES = ("phone", "web form", "referral", "yard sign", "search ad")
LEAD_NOTES = ("", "", "Asked about a {job}.", "Wants three quotes for a {job}.", "Comes recommended by a neighbour.")
APPOINTMENT_NOTES = ("", "", "Estimate for the {job}.", "Bring the long ladder.", "Call 30 minutes ahead.")

LOST_REASONS = (
    "Went with a cheaper quote.",
    "Decided to wait until next year.",
    "Spouse did not agree.",
    "Insurance did not cover it.",
    "Could not get financing.",
    "Does the {job} himself.",
    "No answer after three follow-ups.",
)

# In a hundred. The dashboard normalizes case and blanks; some labels need it, as in production.
OBJECTIONS = {
    "price": 27,
    "Price": 2,
    "timing": 16,
    "spouse": 11,
    "competitor": 11,
    "trust": 8,
    "financing": 7,
    "Financing ": 1,
    "scope": 7,
    "insurance": 5,
    "warranty": 3,
    "hoa approval": 2,
}
SUMMARIES = (
    "Caller asked about a {job} and wanted a price before an appointment.",
    "Caller described the {job}; the CSR explained the next steps and offered an appointment.",
    "Follow-up on the {job}. Caller is comparing quotes.",
)

NEXT_STEPS = ("Send the quote.", "Call back on Monday.", "Ask the crew when they can look at the {job}.")
TRANSCRIPT = (
    "{company}, how can I help?",
    "Hi, it is about my {job}.",
    "Sure. When could we come and have a look?",
    "Any day after four is fine.",
)

# Name, message and status. Every company has a campaign in each status.
CAMPAIGNS = (
    ("Spring check", "Spring is here: {company} checks your {job} for free. Reply STOP to opt out.", "completed"),
    ("Storm follow-up", "Rough night? {company} looks at storm damage this week. Reply STOP to opt out.", "completed"),
    ("Early bird discount", "10 % off every {job} booked this month. Reply STOP to opt out.", "cancelled"),
    ("Review request", "How did we do? Your opinion helps {company}. Reply STOP to opt out.", "paused"),
    ("Season opener", "Our calendar for the season is open. Reply YES for a call. Reply STOP to opt out.", "running"),
    ("Referral thank-you", "Send a neighbour, get $100. {company}. Reply STOP to opt out.", "scheduled"),
    ("Winter reminder", "Book your {job} before the cold. Reply STOP to opt out.", "draft"),
)
CAMPAIGN_ANSWERS = ("Yes please, call me.", "How much would that be?", "YES", "Not right now, thanks.")
