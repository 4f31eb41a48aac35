"""Names and addresses of invented people, and phrases about a `{job}` of a `{company}`, combined by chance."""

FIRST_NAMES = (
    "Aaron", "Abigail", "Amir", "Angela", "Antonio", "Ashley", "Barbara", "Brian", "Carlos", "Chloe", "Claire",
    "Daniel", "Darnell", "Diana", "Elena", "Eric", "Fatima", "Frank", "Grace", "Hannah", "Hector", "Ian", "Isaac",
    "Jamal", "Janet", "José", "Julia", "Karen", "Keisha", "Kevin", "Laura", "Leon", "Linda", "Luis", "Maria", "Mark",
    "Megan", "Miguel", "Nadia", "Nathan", "Olivia", "Omar", "Patrick", "Priya", "Rachel", "Raj", "Rosa", "Samuel",
    "Sofia", "Susan", "Theo", "Tiffany", "Tom", "Victor", "Wendy", "Yusuf",
)  # fmt: skip
LAST_NAMES = (
    "Adams", "Ali", "Alvarez", "Anderson", "Baker", "Bennett", "Brown", "Butler", "Campbell", "Carter", "Chavez",
    "Chen", "Clark", "Cooper", "Cruz", "Davis", "Diaz", "Edwards", "Evans", "Fisher", "Flores", "Garcia", "Gonzalez",
    "Green", "Gupta", "Hall", "Harris", "Hernandez", "Hill", "Ibrahim", "Jackson", "Johnson", "Jones", "Kelly", "Khan",
    "Kowalski", "Lee", "Lewis", "Lopez", "Martin", "McDonald", "Miller", "Mitchell", "Morales", "Murphy", "Nguyen",
    "O'Brien", "Ortiz", "Patel", "Perez", "Ramirez", "Reed", "Rivera", "Robinson", "Sanchez", "Schmidt", "Singh",
    "Smith", "Taylor", "Thompson", "Torres", "Tran", "Turner", "Walker", "Washington", "White", "Williams", "Young",
)  # fmt: skip
STREETS = (
    "Ash Ave", "Birch Ln", "Canyon Rd", "Cedar St", "Church St", "Dogwood Dr", "Elm St", "Forest Ave", "Garden Ct",
    "Hill St", "Lake St", "Lincoln Ave", "Main St", "Maple Ave", "Mill Rd", "Oak St", "Orchard Rd", "Park Ave",
    "Pine St", "Ridge Rd", "River Rd", "Spring St", "Sunset Blvd", "Valley Rd", "Walnut St", "Willow Way",
)  # fmt: skip
MAIL_HOSTS = ("example.com", "example.net", "example.org")  # reserved domains: no mail is delivered

SNIPPETS = {
    "hours": "Hi {first_name|there}, we are open Monday to Friday from 8 to 6.",
    "photos": "Could you send us a few photos, {first_name|please}?",
    "thanks": "Thank you, {first_name|and have a good day}!",
}
TIME_OFF = ("Holiday", "Training", "Doctor", "")
TASKS = (
    "Send the quote",
    "Call back about the price",
    "Order the parts",
    "Ask for photos of the roof",
    "Check the warranty",
)
MISSED_CALL_TEXT = "Hi, this is {company}. Sorry we missed your call! How can we help?"
STOP_CONFIRMED = "{company}: you get no more messages from us. Reply START if you change your mind."
REPLIES_TO_TEXT_BACK = ("Hi! I need somebody to look at my {job}.", "Please call me back after 3.")
REMINDER = "{company}: your appointment is tomorrow. Reply C to confirm or R to reschedule. Text STOP to opt out."
PROPOSAL_NOTE = "The crane comes a day later."
ON_THE_WAY = "{company} is on the way, and is expected in 20 minutes. Reply STOP to opt out."
CONFIRMATIONS = (
    "You're booked with {company}: {when}. Reply here if anything changes.",
    "{company}: see you {when} about the {job}. Please keep pets inside.",
)
THANKS = ("Great, thanks!", "Perfect, see you then.", "Ok 👍", "Thank you. The gate code is 4410.")
PHOTO = "Here is a picture of it."
QUESTIONS = (
    "Quick question about the {job}: do you offer financing?",
    "How long does a {job} usually take?",
    "Here is a picture of the {job}.",
)
REPLIES = ("Happy to help! Yes, and the estimate is free.", "Let me check with the crew and get back to you.")
UNSENT_MESSAGES = ("Just checking in about your {job}. Any questions?", "Your crew is on the way.", "Thanks again!")
VOICEMAILS = (
    "Hi, I'm calling about a {job}. Please call me back when you get a chance.",
    "Hello, we spoke last week about the {job}. I'd like to go ahead. Thanks.",
)
NOTES = ("Has two dogs; ring first.", "Wants the {job} done before winter.", "HOA needs our insurance certificate.")
EMAILS = (
    "Your estimate for the {job} is attached. It is good for 30 days.",
    "Thank you for choosing {company}. Here are the papers for the {job}.",
)
LEAD_SOURCES = ("phone", "web form", "referral", "yard sign", "search ad")
LEAD_NOTES = ("", "", "Asked about a {job}.", "Wants three quotes for a {job}.")
APPOINTMENT_NOTES = ("", "", "Estimate for the {job}.", "Bring the long ladder.", "Call 30 minutes ahead.")
LOST_REASONS = ("Went with a cheaper quote.", "Decided to wait until next year.", "Could not get financing.")
SUMMARIES = (
    "Caller asked about a {job} and wanted a price before an appointment.",
    "Follow-up on the {job}. Caller is comparing quotes.",
)
NEXT_STEPS = ("Send the quote.", "Call back on Monday.", "Ask the crew when they can look at the {job}.")
TRANSCRIPT = (
    "{company}, how can I help?",
    "Hi, it is about my {job}.",
    "Sure. When could we come and have a look?",
    "Any day after four is fine.",
)
# Objections in a hundred. The dashboard normalizes case and blanks; some labels need it, as in production.
OBJECTIONS = {"price": 28, "Price": 2, "timing": 20, "spouse": 14, "competitor": 14, "trust": 12, "Financing ": 10}
# Name, message, second message of an A/B test, and status. Every company has a campaign in each status.
# Name, text, second text, purpose and status.
CAMPAIGNS = (
    (
        "Spring check",
        "Spring is here: {company} checks your {job} for free. Reply STOP to opt out.",
        "",
        "marketing",
        "completed",
    ),
    (
        "Storm follow-up",
        "Rough night? {company} looks at storm damage this week. Reply STOP to opt out.",
        "",
        "marketing",
        "completed",
    ),
    (
        "Payment reminder",
        "{company}: an invoice of yours is past its due date. Reply here if you have a question.",
        "",
        "service",
        "completed",
    ),
    (
        "Early bird discount",
        "10 % off every {job} booked this month. Reply STOP to opt out.",
        "",
        "marketing",
        "cancelled",
    ),
    (
        "Review request",
        "How did we do? Your opinion helps {company}. Reply STOP to opt out.",
        "Two minutes for {company}? Tell us how we did. Reply STOP to opt out.",
        "marketing",
        "paused",
    ),
    (
        "Season opener",
        "Our calendar for the season is open. Reply YES for a call. Reply STOP to opt out.",
        "",
        "marketing",
        "running",
    ),
    (
        "Referral thank-you",
        "Send a neighbour, get $100. {company}. Reply STOP to opt out.",
        "",
        "marketing",
        "scheduled",
    ),
    ("Winter reminder", "Book your {job} before the cold. Reply STOP to opt out.", "", "marketing", "draft"),
)
SECOND_STEP = "Still thinking about your {job}? Reply YES for a call."
CAMPAIGN_ANSWERS = ("Yes please, call me.", "How much would that be?", "YES", "Not right now, thanks.")
