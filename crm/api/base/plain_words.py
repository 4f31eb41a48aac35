"""The libraries' texts of errors, in sentences that say what to do. Every error response passes through here."""

import re
from functools import cache

# By the libraries' own texts. A sentence may leave out what the text has in braces.
SENTENCES = {
    # Fields
    "This field is required.": "This field is required.",
    "This field may not be null.": "Must not be null: send a value, or leave the field out.",
    "This field may not be blank.": "Must not be empty.",
    "This field must be unique.": "Another row has this value. Send another one.",
    "Must be a valid boolean.": "Must be true or false.",
    "Not a valid string.": "Must be a string.",
    "A valid integer is required.": "Must be a whole number.",
    "A valid number is required.": "Must be a number.",
    "String value too large.": "The number has too many characters. Shorten it.",
    "Ensure this field has no more than {max_length} characters.": "Must have at most {max_length} characters.",
    "Ensure this field has at least {min_length} characters.": "Must have at least {min_length} characters.",
    "Ensure this value has at most {max_length} characters (it has {length}).": (
        "Must have at most {max_length} characters; it has {length}."
    ),
    "Ensure this value is less than or equal to {max_value}.": "Must be at most {max_value}.",
    "Ensure this value is greater than or equal to {min_value}.": "Must be at least {min_value}.",
    "Ensure that there are no more than {max_digits} digits in total.": "Must have at most {max_digits} digits.",
    "Ensure that there are no more than {max_decimal_places} decimal places.": (
        "Must have at most {max_decimal_places} decimal places."
    ),
    "Ensure that there are no more than {max_whole_digits} digits before the decimal point.": (
        "Must have at most {max_whole_digits} digits before the decimal point."
    ),
    '"{input}" is not a valid choice.': 'Must be one of the documented values; "{input}" is none.',
    "Select a valid choice. {value} is not one of the available choices.": (
        'Must be one of the documented values; "{value}" is none.'
    ),
    'Expected a list of items but got type "{input_type}".': "Must be a list.",
    'Expected a dictionary of items but got type "{input_type}".': "Must be an object.",
    "Invalid data. Expected a dictionary, but got {datatype}.": "Must be a JSON object.",
    "This list may not be empty.": "Must have at least one item.",
    "This dictionary may not be empty.": "Must not be empty.",
    "Ensure this field has no more than {max_length} elements.": "Must have at most {max_length} items.",
    "Ensure this field has at least {min_length} elements.": "Must have at least {min_length} items.",
    "Value must be valid JSON.": "Must be JSON.",
    'Invalid pk "{pk_value}" - object does not exist.': (
        "There is no row with the ID {pk_value}, or you may not use it. Choose another one."
    ),
    "Incorrect type. Expected pk value, received {data_type}.": "Must be an ID.",
    "Enter a valid email address.": "Must be an email address, such as ann@example.com.",
    "Enter a valid URL.": "Must be a URL, such as https://example.com.",
    "A valid biginteger is required.": "Must be a whole number.",
    'Enter a valid "slug" consisting of letters, numbers, underscores or hyphens.': (
        "Must have letters, digits, underscores and hyphens only."
    ),
    'Enter a valid "slug" consisting of Unicode letters, numbers, underscores, or hyphens.': (
        "Must have letters, digits, underscores and hyphens only."
    ),
    "Enter a whole number.": "Must be a whole number.",
    "Time has wrong format. Use one of these formats instead: {format}.": "Must be a time of day, such as 14:05.",
    "Date has wrong format. Use one of these formats instead: {format}.": "Must be a day, such as 2026-03-02.",
    "Datetime has wrong format. Use one of these formats instead: {format}.": (
        "Must be a time with its offset, such as 2026-03-02T09:00:00-07:00."
    ),
    "No file was submitted.": "Send a file.",
    "The submitted data was not a file. Check the encoding type on the form.": "Send a file, as multipart/form-data.",
    "No filename could be determined.": "Send the file with its name.",
    "The submitted file is empty.": "The file is empty. Choose another one.",
    "Ensure this filename has at most {max_length} characters (it has {length}).": (
        "The file's name must have at most {max_length} characters; it has {length}."
    ),
    # Requests
    "JSON parse error - {reason}": "The body isn't valid JSON: {reason}.",
    "Malformed request.": "The request can't be read. Correct its body.",
    "Authentication credentials were not provided.": "Sign in, and send the access token with the request.",
    "Incorrect authentication credentials.": "Sign in again.",
    "Authorization header must contain two space-delimited values": "Send `Authorization: Bearer <access token>`.",
    "Given token not valid for any token type": "The token is invalid or has expired. Sign in again.",
    "Token is invalid or expired": "The token is invalid or has expired. Sign in again.",
    "Token is invalid": "The token is invalid. Sign in again.",
    "Token is expired": "The token has expired. Sign in again.",
    "Token has wrong type": "This is a token of the other kind: send the refresh token in its place.",
    "Token has no id": "The token is invalid. Sign in again.",
    "Token has no type": "The token is invalid. Sign in again.",
    "Token has no '{claim}' claim": "The token is invalid. Sign in again.",
    "Token '{claim}' claim has expired": "The token has expired. Sign in again.",
    "Token contained no recognizable user identification": "The token is invalid. Sign in again.",
    "User is inactive": "Your account is deactivated. Ask a manager to activate it.",
    "No active account found with the given credentials": "The username or the password is wrong. Try again.",
    "No active account found for the given token.": "Your account is deactivated. Ask a manager to activate it.",
    "You do not have permission to perform this action.": "Your role may not do this.",
    "Not found.": "There is no such row or URL, or you may not see it.",
    'Method "{method}" not allowed.': "This URL takes no {method}. The Allow header lists what it takes.",
    "Could not satisfy the request Accept header.": "The answer is JSON: send `Accept: application/json`.",
    'Unsupported media type "{media_type}" in request.': (
        "Send the body as application/json or as the OpenAPI document says, not as {media_type}."
    ),
    "Request was throttled.": "Too many requests. Wait for the seconds of Retry-After.",
    "Request was throttled. Expected available in {wait} second.": "Too many requests. Try again in {wait} second.",
    "Request was throttled. Expected available in {wait} seconds.": "Too many requests. Try again in {wait} seconds.",
}


def in_plain_words(text: str) -> str:
    """Return our sentence for a library's text; any other text as it is."""
    if text in SENTENCES:
        return SENTENCES[text]
    for pattern, sentence in _patterns():
        if found := pattern.fullmatch(text):
            return sentence.format(**found.groupdict())
    return text


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    return [
        (re.compile(_as_pattern(template), re.DOTALL), sentence)
        for template, sentence in SENTENCES.items()
        if "{" in template
    ]


def _as_pattern(template: str) -> str:
    parts = re.split(r"\{(\w+)\}", template)  # text, name, text, …
    return "".join(f"(?P<{part}>.*?)" if n % 2 else re.escape(part) for n, part in enumerate(parts))
