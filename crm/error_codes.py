"""Error codes of the API: the reason of each refused request, for programs. docs/errors.md is generated from them."""

from enum import StrEnum
from typing import Any


class ErrorCode(StrEnum):
    """A reason, with the status of its response, what it means, and what to do.

    Clients compare codes, so a released code keeps its meaning. `detail` is the text of an error without a more precise
    one.
    """

    status: int
    detail: str
    advice: str

    def __new__(cls, code: str, status: int, detail: str, advice: str) -> "ErrorCode":
        member = str.__new__(cls, code)
        member._value_ = code
        member.status, member.detail, member.advice = status, detail, advice
        return member

    def body(self, detail: str = "", *, attr: str | None = None, **facts: Any) -> dict[str, Any]:
        """Return the response's body, for a response that is made outside of the API's views."""
        kind = "server_error" if self.status >= 500 else "validation_error" if attr else "client_error"
        return {"type": kind, "errors": [{"code": self.value, "detail": detail or self.detail, "attr": attr}], **facts}

    # --- A field or a parameter, which `attr` names -------------------------------------------------------------------

    REQUIRED = "required", 400, "This field is required.", "Send the field."
    NULL = "null", 400, "Must not be null: send a value, or leave the field out.", "Send a value, or leave it out."
    BLANK = "blank", 400, "Must not be empty.", "Send a text that isn't empty."
    INVALID = "invalid", 400, "The value isn't valid.", "Read `detail`, and correct the value."
    WRONG_TYPE = "wrong_type", 400, "Must be a whole number.", "Send the JSON type of the OpenAPI document."
    NOT_A_LIST = "not_a_list", 400, "Must be a list.", "Send a JSON list."
    INVALID_CHOICE = (
        "invalid_choice",
        400,
        "Must be one of the documented values.",
        "Send one of the documented values.",
    )
    MAX_LENGTH = "max_length", 400, "The value is too long.", "Shorten it."
    MIN_LENGTH = "min_length", 400, "The value is too short.", "Lengthen it."
    MAX_VALUE = "max_value", 400, "The number is too large.", "Send a smaller number."
    MIN_VALUE = "min_value", 400, "The number is too small.", "Send a larger number."
    MAX_DIGITS = "max_digits", 400, "The number has too many digits.", "Round it."
    MAX_DECIMAL_PLACES = "max_decimal_places", 400, "The number has too many decimal places.", "Round it."
    MAX_WHOLE_DIGITS = "max_whole_digits", 400, "The number is too large.", "Send a smaller number."
    MAX_STRING_LENGTH = "max_string_length", 400, "The number has too many characters.", "Shorten it."
    DOES_NOT_EXIST = (
        "does_not_exist", 400, "There is no such row, or you may not use it.", "Choose another row; it may be deleted.",
    )  # fmt: skip
    UNKNOWN_FIELD = "unknown_field", 400, "Unknown field.", "Leave the field out."
    READ_ONLY = "read_only", 400, "This field is read-only; leave it out.", "Leave the field out."
    FIXED = (
        "fixed", 400, "Can't be changed after the row was created.", "Leave the field out, or create another row.",
    )  # fmt: skip
    FIELD_FORBIDDEN = (
        "field_forbidden", 400, "Your role may not change this.", "Leave the field out, or ask a manager to change it.",
    )  # fmt: skip
    UNSTORABLE = "unstorable", 400, "Must not contain null characters or lone surrogates.", "Remove these characters."
    UNKNOWN_PARAMETER = "unknown_parameter", 400, "Unknown query parameter.", "Leave the parameter out."
    INVALID_CURSOR = (
        "invalid_cursor", 400, "Invalid cursor. Take it from `next` or `previous`.", "Start again at the first page.",
    )  # fmt: skip
    UNIQUE = (
        "unique", 400, "Another row has this value.",
        "Send another value, or open the row that `existing` names.",
    )  # fmt: skip
    NOT_ALLOWED = (
        "not_allowed", 400, "The row's other values don't allow this one.", "Read `detail`, and change one of them.",
    )  # fmt: skip
    INVALID_PHONE = "invalid_phone", 400, "This isn't a valid phone number.", "Send it in international format."
    OWN_NUMBER = (
        "own_number", 400, "This number is one of your own phone lines.", "Enter the contact's own number.",
    )  # fmt: skip
    OUT_OF_RANGE = "out_of_range", 400, "The time is too early or too late.", "Read `detail`, and correct the time."
    END_BEFORE_START = "end_before_start", 400, "Must not be after end_date.", "Swap the two days."
    OTHER_CONTACT = (
        "other_contact", 400, "The rows must be of the same contact.", "Send rows of one contact.",
    )  # fmt: skip
    PASSWORD_TOO_SIMILAR = (
        "password_too_similar", 400, "The password is too similar to the username.", "Choose another password.",
    )  # fmt: skip
    PASSWORD_TOO_SHORT = "password_too_short", 400, "This password is too short.", "Choose a longer password."
    PASSWORD_TOO_COMMON = "password_too_common", 400, "This password is too common.", "Choose another password."
    PASSWORD_ENTIRELY_NUMERIC = (
        "password_entirely_numeric", 400, "This password is entirely numeric.", "Choose a password with letters.",
    )  # fmt: skip
    UNREADABLE_FILE = (
        "unreadable_file", 400, "The file can't be read.", "Read `detail`, and mend the file.",
    )  # fmt: skip
    INVALID_MAPPING = (
        "invalid_mapping", 400, "A column goes where it can't.", "Read `detail`, and correct the mapping.",
    )  # fmt: skip
    INVALID_RECURRENCE = (
        "invalid_recurrence", 400, "The rule can't be read.",
        "Write an RFC 5545 rule, such as FREQ=MONTHLY;BYMONTHDAY=1.",
    )  # fmt: skip

    # --- The request --------------------------------------------------------------------------------------------------

    PARSE_ERROR = "parse_error", 400, "The body isn't valid JSON.", "Send valid JSON, within the documented limits."
    BAD_REQUEST = "bad_request", 400, "The request isn't valid.", "Correct the URL, headers and number of parameters."
    NOT_AUTHENTICATED = (
        "not_authenticated", 401, "Sign in, and send the access token with the request.",
        "Sign in; send the access token.",
    )  # fmt: skip
    BAD_AUTHORIZATION_HEADER = (
        "bad_authorization_header", 401, "Send `Authorization: Bearer <access token>`.",
        "Correct the header.",
    )  # fmt: skip
    INVALID_TICKET = (
        "invalid_ticket", 401, "The ticket isn't valid: it is for one use, within 30 seconds.",
        "Get a ticket from POST /api/v1/events/ticket for each connection to the stream.",
    )  # fmt: skip
    TOKEN_NOT_VALID = (
        "token_not_valid", 401, "The token is invalid or has expired. Sign in again.",
        "Exchange the refresh token, or sign in again.",
    )  # fmt: skip
    SESSION_ENDED = "session_ended", 401, "The session has ended. Sign in again.", "Sign in again."
    USER_NOT_FOUND = "user_not_found", 401, "The user no longer exists. Sign in again.", "Sign in as another user."
    USER_INACTIVE = "user_inactive", 401, "Your account is deactivated. Ask a manager to activate it.", "Ask a manager."
    PASSWORD_CHANGED = "password_changed", 401, "The user's password has been changed.", "Sign in again."
    NO_ACTIVE_ACCOUNT = (
        "no_active_account", 401, "The username or the password is wrong. Try again.",
        "Check the username and the password.",
    )  # fmt: skip
    PERMISSION_DENIED = "permission_denied", 403, "Your role may not do this.", "Ask a manager."
    SCOPE_MISSING = (
        "scope_missing", 403, "The token needs another scope.", "Create a token with the scope that `detail` names.",
    )  # fmt: skip
    NOT_YOURS = "not_yours", 403, "Only its author or a manager may do this.", "Ask the author or a manager."
    NOT_FOUND = (
        "not_found", 404, "There is no such row or URL, or you may not see it.",
        "Check the URL. The row may be deleted, or not assigned to the user any more.",
    )  # fmt: skip
    METHOD_NOT_ALLOWED = (
        "method_not_allowed", 405, "This URL takes no PUT. The Allow header lists what it takes.",
        "Use a method of the OpenAPI document.",
    )  # fmt: skip
    CURSOR_EXPIRED = (
        "cursor_expired", 410, "The cursor has expired: load your lists again, and begin with a new cursor.",
        "Load the lists again, after taking a new cursor.",
    )  # fmt: skip
    MERGED = (
        "merged", 410, "This contact was merged into another one.", "Go on with the contact that `merged_into` names.",
    )  # fmt: skip
    NOT_ACCEPTABLE = (
        "not_acceptable", 406, "The answer is JSON: send `Accept: application/json`.", "Accept application/json.",
    )  # fmt: skip
    REQUEST_TIMEOUT = (
        "request_timeout", 408, "The request took too long to arrive. Send it again.", "Send the request again.",
    )  # fmt: skip
    LENGTH_REQUIRED = (
        "length_required", 411, "The body's size is unknown; send Content-Length instead of Transfer-Encoding.",
        "Send Content-Length.",
    )  # fmt: skip
    STALE = (
        "stale", 412,
        "Somebody else has changed this row. Look at `current`, and send the change again with its ETag.",
        "Show `current` to the person, and send the change again with its ETag.",
    )  # fmt: skip
    BODY_TOO_LARGE = "body_too_large", 413, "The body is too large.", "Send less at once."
    URL_TOO_LONG = "url_too_long", 414, "The URL is too long.", "Send fewer parameters, in several requests."
    UNSUPPORTED_MEDIA_TYPE = (
        "unsupported_media_type", 415,
        "Send the body as application/json or as the OpenAPI document says, not as text/plain.",
        "Send application/json.",
    )  # fmt: skip
    KEY_REUSED = (
        "key_reused", 422, "This key was used for another request; choose a new key.",
        "Choose a new Idempotency-Key for each operation.",
    )  # fmt: skip
    THROTTLED = (
        "throttled", 429, "Too many requests. Wait for the seconds of Retry-After.",
        "Wait for the seconds of Retry-After.",
    )  # fmt: skip
    LOCKED_OUT = (
        "locked_out", 429, "Too many failed sign-ins.", "Wait for the seconds of Retry-After; check the password.",
    )  # fmt: skip
    HEADERS_TOO_LARGE = "headers_too_large", 431, "The headers are too large.", "Send fewer or shorter headers."

    # --- The data as it is now ----------------------------------------------------------------------------------------

    KEY_IN_USE = (
        "key_in_use", 409, "The first request with this key is still running; try again later.",
        "Send the request again after a second, with the same key.",
    )  # fmt: skip
    IN_USE = (
        "in_use", 409, "Can't be deleted: other rows need it.", "Delete the rows that `detail` names first.",
    )  # fmt: skip
    CONFIRM_NEEDED = (
        "confirm_needed", 409, "Contacts have this. Deleting it takes it from them.",
        "Ask the person, with the number of `contacts`. Then send the request again with `confirm=1`.",
    )  # fmt: skip
    OPTION_IN_USE = (
        "option_in_use", 409, "Contacts have this option.", "Give these contacts another value first, or keep it.",
    )  # fmt: skip
    LIMIT_REACHED = (
        "limit_reached", 409, "The company has as many as it can have.", "Delete what nobody uses, or use one of them.",
    )  # fmt: skip
    SLOT_TAKEN = (
        "slot_taken", 409, "The rep has another appointment at this time.",
        "Choose another time or rep, or send `allow_overlap: true`. `appointment` is the other one.",
    )  # fmt: skip
    NOT_COMING = (
        "not_coming", 409, "The appointment is cancelled, completed or a no-show.",
        "Read the appointment again: `status` says which.",
    )  # fmt: skip
    NOT_SOON = (
        "not_soon", 409, "The appointment doesn't start within 12 hours, nor has it just begun.",
        "Wait until the day of the appointment, or move it.",
    )  # fmt: skip
    PROPOSAL_DECIDED = (
        "proposal_decided", 409, "The proposal is decided already.",
        "Read the proposal again: `status` and `decided_by` say how, and by whom.",
    )  # fmt: skip
    ALREADY_ON_THE_WAY = (
        "already_on_the_way", 409, "The contact was told already that the rep is on the way.",
        "Read the appointment again: `on_the_way_at` is the time. Write a message, if the rep is late.",
    )  # fmt: skip
    SERIES_TAKEN = (
        "series_taken", 409, "The rep has other appointments at some times of the series. Nothing was changed.",
        "Choose another time or rep, or send `allow_overlap: true`. `conflicts` has each time with the other one.",
    )  # fmt: skip
    NOT_IN_SERIES = (
        "not_in_series", 409, "The appointment isn't one of a series.", "Change this appointment alone, with PATCH.",
    )  # fmt: skip
    NUMBER_TAKEN = (
        "number_taken", 409, "A contact has this number already.", "Open the contact that `existing` names.",
    )  # fmt: skip
    MAIN_NUMBER = (
        "main_number", 409, "This is the contact's main number. Make another number the main one first.",
        "Make another number the main one first.",
    )  # fmt: skip
    LAST_MANAGER = (
        "last_manager", 409, "The company must keep an active manager; make another user a manager first.",
        "Make another user a manager first.",
    )  # fmt: skip
    NO_BODY = "no_body", 409, "The campaign has no text.", "Write the text."
    NO_PHONE_LINE = "no_phone_line", 409, "The campaign has no phone line.", "Choose a phone line."
    MEMBERSHIP_KEPT = (
        "membership_kept", 409, "Only a pending membership can be deleted; any other shows what happened.",
        "Keep it: it shows what happened.",
    )  # fmt: skip
    AUDIENCE_CLOSED = (
        "audience_closed", 409, "The campaign has started or ended, so its audience is fixed.",
        "Make another campaign for these contacts.",
    )  # fmt: skip
    NOT_UNDER_REVIEW = (
        "not_under_review", 409, "This opt-out is no longer under review.", "Read the opt-out again: it is decided.",
    )  # fmt: skip
    LATER_CONSENT = (
        "later_consent", 409, "A later consent of this number is recorded already.",
        "Keep the recorded one: it is newer.",
    )  # fmt: skip
    CONSENT_WITHDRAWN = (
        "consent_withdrawn", 409, "This consent is withdrawn already.", "Read the consent again: it is withdrawn.",
    )  # fmt: skip
    DUPLICATE_DECIDED = (
        "duplicate_decided", 409, "Somebody has decided about these two contacts already.",
        "Read the duplicate again: it is decided.",
    )  # fmt: skip
    MERGE_UNDONE = "merge_undone", 409, "The merge is undone already.", "Read the merge again: it is undone."
    UNDO_EXPIRED = (
        "undo_expired", 409, "The merge can't be undone any more: that is possible for 30 days.", "Leave it as it is.",
    )  # fmt: skip
    NEWER_MERGE = (
        "newer_merge", 409, "The contact was merged again since; undo the newer merge first.",
        "Undo the merge that `merge` names first.",
    )  # fmt: skip
    NO_NUMBER_LEFT = (
        "no_number_left", 409, "One of the two contacts would be left without a number.",
        "Give the contact another number first.",
    )  # fmt: skip
    NOT_HELD = "not_held", 409, "The message isn't held any more.", "Read the message again: it is decided."
    ALREADY_CLAIMED = (
        "already_claimed", 409, "A colleague is calling back already.",
        "Read the missed caller again; `claimed_by` is the colleague, `claimed_until` the end.",
    )  # fmt: skip
    CLAIMED = (
        "claimed", 409, "A colleague works on this lead already.", "Read the lead again; `assignee` is the colleague.",
    )  # fmt: skip
    LEAD_CLOSED = (
        "lead_closed", 409, "The lead is won or lost, so it stays with its assignee.",
        "Change its status first, if the contact wants to buy after all.",
    )  # fmt: skip
    NOT_WAITING = (
        "not_waiting", 409, "The caller was reached already.", "Read the missed caller again; `recovered_by` says how.",
    )  # fmt: skip
    NOT_MARKED = (
        "not_marked", 409, "No user has marked this caller as recovered.",
        "Read the missed caller again; `recovered_by` says how they were reached.",
    )  # fmt: skip
    NOT_QUEUED = (
        "not_queued", 409, "The message doesn't wait any more: it leaves, has left, or has failed.",
        "Read the message again; `status` says what became of it.",
    )  # fmt: skip
    NOT_SCHEDULED = (
        "not_scheduled", 409, "Only a scheduled message that is still queued can be changed.",
        "Read the message again. Cancel it and write another one, if it is held.",
    )  # fmt: skip
    ALREADY_PENDING = (
        "already_pending", 409, "The webhook event is already pending.", "Wait until it is processed.",
    )  # fmt: skip
    NOT_A_NOTE = (
        "not_a_note", 409, "Only notes can be changed or deleted; other activities show what happened.",
        "Write a note about it instead.",
    )  # fmt: skip

    TASK_ENDED = (
        "task_ended", 409, "The background task has ended.", "Read the task again: it has ended.",
    )  # fmt: skip
    TOO_MANY_EXPORTS = (
        "too_many_exports", 409, "You have as many exports under way as you can have.",
        "Wait until one of them has ended, or cancel one: GET background-tasks lists them.",
    )  # fmt: skip

    FILE_EXPIRED = (
        "file_expired", 409, "The file has expired: files are kept for 30 days.", "Send the file again.",
    )  # fmt: skip
    NOT_UNDOABLE = (
        "not_undoable", 409, "The import can't be undone.", "Read the import again; `detail` says why.",
    )  # fmt: skip
    MAPPING_NEEDED = (
        "mapping_needed", 409, "The file has columns that no import had before. Say where they go.",
        "Send `mapping`. `suggestions` has the likeliest one, for a person to confirm.",
    )  # fmt: skip

    # --- Campaigns ----------------------------------------------------------------------------------------------------

    WRONG_STATUS = (
        "wrong_status", 409, "The campaign's status doesn't allow this.", "Read the campaign again; `detail` says why.",
    )  # fmt: skip
    NOT_A_DRAFT = (
        "not_a_draft", 409, "Only a draft's text, phone line, audience and steps can be changed.",
        "Pause a scheduled campaign: it is a draft again. Copy a started one to a new campaign.",
    )  # fmt: skip
    NO_MEMBERS = "no_members", 409, "No contact waits for this campaign.", "Add contacts to the campaign."
    PAST_SCHEDULE = (
        "past_schedule", 409, "The time in `scheduled_at` is past. Choose a later one, or remove it to start now.",
        "Choose a later `scheduled_at`, or null to start now.",
    )  # fmt: skip

    # --- The send policy: a message that must not be sent -------------------------------------------------------------

    OPTED_OUT = "opted_out", 409, "The contact has opted out.", "Call instead, or wait until they opt in again."
    UNDER_REVIEW = (
        "under_review", 409, "The contact may have opted out; review the opt-out first.",
        "Confirm or dismiss the opt-out.",
    )  # fmt: skip
    DO_NOT_CONTACT = (
        "do_not_contact", 409, "The contact is flagged as do not contact.", "Don't contact them, or end the flag.",
    )  # fmt: skip
    FLAGGED_NUMBER = (
        "flagged_number", 409, "The contact's number is flagged as invalid.", "Correct the number, or end the flag.",
    )  # fmt: skip
    UNREACHABLE_NUMBER = (
        "unreachable_number", 409, "The contact's number isn't a valid phone number.", "Correct the contact's number.",
    )  # fmt: skip
    NUMBER_CHANGED = (
        "number_changed", 409, "The contact's number has changed since; write the message again.",
        "Write the message again.",
    )  # fmt: skip
    NUMBER_OF_LINE = (
        "number_of_line", 409, "This is the number of one of your own phone lines.", "Correct the contact's number.",
    )  # fmt: skip
    LINE_WITHOUT_NUMBER = (
        "line_without_number", 409, "The phone line has no number; add it.", "Add the number, or use another line.",
    )  # fmt: skip
    MEDIA_UNSUPPORTED = (
        "media_unsupported", 409, "The provider of this phone line can't send files.",
        "Send the text without files, or choose a phone line of another provider.",
    )  # fmt: skip
    LINE_PAUSED = (
        "line_paused", 409, "The phone line is paused.", "Wait until `retry_at`, or resume the line, or use another.",
    )  # fmt: skip
    DAILY_CAP = (
        "daily_cap", 409, "The phone line has reached its daily cap.", "Wait until `retry_at`, or raise the cap.",
    )  # fmt: skip
    CAMPAIGN_FREQUENCY = (
        "campaign_frequency", 409, "The contact has had 3 campaign messages within 24 hours.", "Wait until `retry_at`.",
    )  # fmt: skip
    QUIET_HOURS = (
        "quiet_hours", 409, "It is too early or too late in the contact's time zone.", "Wait until `retry_at`.",
    )  # fmt: skip
    NO_OPEN_HOUR = (
        "no_open_hour", 409, "No hour is allowed in all time zones of this number; set the contact's time zone.",
        "Set the contact's time zone.",
    )  # fmt: skip
    NO_MARKETING_CONSENT = (
        "no_marketing_consent", 409, "There is no consent to marketing messages for this number.", "Send nothing.",
    )  # fmt: skip
    REMINDER_OUTDATED = (
        "reminder_outdated", 409, "The appointment has changed, so the reminder is not sent.", "Send nothing.",
    )  # fmt: skip
    CONFIRMATION_TOO_LATE = (
        "confirmation_too_late", 409,
        "A confirmation must be sent within five minutes of the opt-out or opt-in.", "Send nothing.",
    )  # fmt: skip
    ON_THE_WAY_TOO_LATE = (
        "on_the_way_too_late", 409, "The message that the rep is on the way couldn't leave within ten minutes.",
        "Tell the contact again.",
    )  # fmt: skip
    MESSAGE_EMPTY = "message_empty", 409, "The message must not be empty.", "Write a text."
    UNRESOLVED_PLACEHOLDER = (
        "unresolved_placeholder", 409, "A placeholder of the text can't be filled in.",
        "Correct the text as `detail` says, such as `{first_name|there}`.",
    )  # fmt: skip
    MESSAGE_TOO_LONG = "message_too_long", 409, "The message is too long.", "Shorten it to 1600 characters."

    # --- Accounts -----------------------------------------------------------------------------------------------------

    CODE_REQUIRED = (
        "code_required", 401, "Send the code of your authenticator app, too, or a recovery code.",
        "Ask the user for the code, and send username, password and `code`.",
    )  # fmt: skip
    WRONG_CODE = (
        "wrong_code", 401, "This code is wrong, or it was used before.",
        "Ask for the present code of the authenticator app, or for an unused recovery code.",
    )  # fmt: skip
    CODE_NOT_VALID = (
        "code_not_valid", 400, "This code is wrong, or it was used before.",
        "Ask for the present code of the authenticator app, or for an unused recovery code.",
    )  # fmt: skip
    WRONG_PASSWORD = "wrong_password", 400, "This isn't your present password.", "Ask for the present password."
    LINK_NOT_VALID = (
        "link_not_valid", 400, "This link isn't valid. Copy it as a whole, or ask for another one.",
        "Ask for another link.",
    )  # fmt: skip
    LINK_EXPIRED = "link_expired", 400, "This link has expired. Ask for another one.", "Ask for another link."
    LINK_USED = (
        "link_used", 400, "This link was used before, or a newer one replaces it. Ask for another one.",
        "Sign in, or ask for another link.",
    )  # fmt: skip
    SECOND_FACTOR_ON = (
        "second_factor_on", 409, "You have a second factor already. Remove it first.", "Remove it first.",
    )  # fmt: skip
    SECOND_FACTOR_OFF = "second_factor_off", 409, "There is no second factor.", "Set one up first."
    ALREADY_JOINED = (
        "already_joined", 409, "This user has a password already.", "The user can ask for a forgotten password.",
    )  # fmt: skip
    NO_EMAIL = "no_email", 409, "This user has no email address.", "Enter the user's email address first."
    NOT_ACTIVE = "not_active", 409, "This user is inactive.", "Activate the user first."

    # --- Failures of the server ---------------------------------------------------------------------------------------

    ERROR = (
        "error", 500, "The server failed. The failure is recorded.",
        "Send the request again later; if it fails again, report the X-Request-ID.",
    )  # fmt: skip
    SECRET_UNREADABLE = (
        "secret_unreadable", 503, "A stored secret can't be read, since a key of the server is missing.",
        "Tell the operators of the service. A user with a second factor can sign in with a recovery code.",
    )  # fmt: skip
    UNAVAILABLE = (
        "unavailable", 503, "The database is not available. Please try again in a few seconds.",
        "Send the request again after the seconds of Retry-After.",
    )  # fmt: skip
    TIMEOUT = (
        "timeout", 503, "The request took too long. Please try again later.",
        "Send the request again later, for fewer rows.",
    )  # fmt: skip


# Why a message that the product sends by itself waits or fails. Its row shows the text; no response has the code.
INTERNAL = frozenset(
    {
        ErrorCode.CAMPAIGN_FREQUENCY,
        ErrorCode.CONFIRMATION_TOO_LATE,
        ErrorCode.NO_MARKETING_CONSENT,
        ErrorCode.ON_THE_WAY_TOO_LATE,
        ErrorCode.REMINDER_OUTDATED,
    }
)
PUBLISHED = tuple(code for code in ErrorCode if code not in INTERNAL)
