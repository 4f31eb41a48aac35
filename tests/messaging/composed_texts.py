"""Requests to stop in every frame, and work that customers ask for in the same frames."""

FRAMES = [
    "", "please ", "can you ", "could you please ", "I want you to ", "I need you to ", "kindly ", "I'd like you to ",
    "you need to ", "hey ", "ok ", "hi this is Ann. ", "Thanks but ", "for the last time ", "I am asking you to ",
    "no, ", "sorry, ", "will you ", "who is this? ", "please just ", "you must ", "I demand that you ",
]  # fmt: skip
ENDINGS = ["", " please", " thank you", ". Ann", "!!!", " already", " ok?", " or else", ", I sold the house"]
REQUESTS = [
    "stop texting me", "stop the texts", "remove me from your list", "take my number off", "delete my number",
    "leave me alone", "lose my number", "unsubscribe me", "opt me out", "quit messaging me", "cease contact",
    "block my number", "end these messages", "never text me again", "forget my number", "take me off", "stop",
    "not contact me again", "not message this number", "stop bothering me", "discontinue texts", "stop this", "quit it",
    "cancel the messages", "stop sending stuff", "delete me from your system", "stop harassing my wife", "go away",
]  # fmt: skip
WORK = [
    "stop by", "stop by the house", "stop the leak", "stop the noise", "stop at the gate", "stop the crew at noon",
    "cancel my appointment", "cancel the order", "remove the old roof", "remove the skylight from the quote",
    "take the trash out", "delete the duplicate invoice", "leave the gate open", "block the driveway",
    "end the job by Friday", "quit using the side door", "stop parking on the lawn", "stop charging me twice",
    "turn off the water", "report the damage to the insurance", "contact the adjuster", "text the gate code",
    "not park on the grass", "not send the invoice yet", "not start before 9", "not ring the bell",
]  # fmt: skip
