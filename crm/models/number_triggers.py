"""Triggers that link numbers to the contacts whose main number they are, so that counting an audience joins no text.

A consent's link that is missing is found by the number; one that exists is right. So new contacts needn't look for
consents. What a program writes to these columns is replaced: Django writes all columns as it has read them.
"""

from crm.db.triggers import Triggers

_UNLINK_CONSENTS = """
UPDATE marketing_consents SET main_contact_id = NULL
WHERE company_id = {contact}.company_id AND main_contact_id = {contact}.id;
"""
_MARK_NUMBERS = """
UPDATE contact_phones SET is_main_elsewhere = true
WHERE company_id = {contact}.company_id AND phone = {contact}.phone AND contact_id <> {contact}.id
    AND NOT is_main_elsewhere;
"""
_UNLINK_OF_OLD, _MARK_OF_NEW = _UNLINK_CONSENTS.format(contact="OLD"), _MARK_NUMBERS.format(contact="NEW")
_NEW_NUMBER = "OLD.phone <> NEW.phone"

# A contact leaves its consents, and takes a number that another contact has. Only other programs write such a number.
# OFFSET 0: the few rows to write are looked up one by one, by an index, however many contacts a statement has.
CONTACT_NUMBERS = Triggers(
    on="contacts",
    name="follow_main_number",
    postgresql=f"""
DECLARE
    contact contacts;
BEGIN
    IF TG_OP = 'INSERT' THEN
        FOR contact IN
            SELECT after.* FROM after, LATERAL (
                SELECT FROM contact_phones
                WHERE company_id = after.company_id AND phone = after.phone AND contact_id <> after.id
                    AND NOT is_main_elsewhere
                OFFSET 0
            ) AS number
        LOOP {_MARK_NUMBERS.format(contact="contact")} END LOOP;
    ELSIF TG_OP = 'DELETE' THEN
        FOR contact IN
            SELECT before.* FROM before, LATERAL (
                SELECT FROM marketing_consents
                WHERE company_id = before.company_id AND main_contact_id = before.id
                OFFSET 0
            ) AS consent
        LOOP {_UNLINK_CONSENTS.format(contact="contact")} END LOOP;
    ELSE {_UNLINK_OF_OLD} {_MARK_OF_NEW}
    END IF;
    RETURN NULL;
END
""",  # noqa: S608  # constants
    each_row={"UPDATE": _NEW_NUMBER},
    each_statement=("INSERT", "DELETE"),
    sqlite={
        "insert": f"AFTER INSERT ON contacts BEGIN {_MARK_OF_NEW} END",
        "update": f"AFTER UPDATE ON contacts WHEN {_NEW_NUMBER} BEGIN {_UNLINK_OF_OLD} {_MARK_OF_NEW} END",
        "delete": f"AFTER DELETE ON contacts BEGIN {_UNLINK_OF_OLD} END",
    },
)

_IS_MAIN_ELSEWHERE = """
EXISTS (
    SELECT 1 FROM contacts WHERE company_id = NEW.company_id AND phone = NEW.phone AND id <> NEW.contact_id
)
"""
_NEW_OWNER = (
    "OLD.phone <> NEW.phone OR OLD.contact_id <> NEW.contact_id OR OLD.is_main_elsewhere <> NEW.is_main_elsewhere"
)
_MARK_NUMBER = f"UPDATE contact_phones SET is_main_elsewhere = {_IS_MAIN_ELSEWHERE} WHERE id = NEW.id;"  # noqa: S608

OWNED_NUMBERS = Triggers(
    on="contact_phones",
    name="mark_owned_number",
    timing="BEFORE",
    postgresql=f"""
BEGIN
    NEW.is_main_elsewhere := {_IS_MAIN_ELSEWHERE};
    RETURN NEW;
END
""",
    each_row={"INSERT": "true", "UPDATE": _NEW_OWNER},
    each_statement=(),
    sqlite={
        "insert": f"AFTER INSERT ON contact_phones BEGIN {_MARK_NUMBER} END",
        "update": f"AFTER UPDATE ON contact_phones WHEN {_NEW_OWNER} BEGIN {_MARK_NUMBER} END",
    },
)

_CONTACT = "SELECT id {into} FROM contacts WHERE company_id = NEW.company_id AND phone = NEW.phone"
_VALID = "NEW.withdrawn_at IS NULL"
_CHANGED = (
    "OLD.phone <> NEW.phone OR OLD.withdrawn_at {differs} NEW.withdrawn_at"
    " OR OLD.main_contact_id {differs} NEW.main_contact_id"
)
_LINK = f"""
UPDATE marketing_consents SET main_contact_id = CASE WHEN {_VALID} THEN ({_CONTACT.format(into="")}) END
WHERE id = NEW.id;
"""  # noqa: S608  # constants

CONSENT_LINKS = Triggers(
    on="marketing_consents",
    name="link_consent",
    timing="BEFORE",
    # The lock makes a contact that changes its number at the same moment wait: its trigger then sees this link.
    postgresql=f"""
BEGIN
    NEW.main_contact_id := NULL;
    IF {_VALID} THEN
        {_CONTACT.format(into="INTO NEW.main_contact_id")} FOR KEY SHARE;
    END IF;
    RETURN NEW;
END
""",
    each_row={"INSERT": "true", "UPDATE": _CHANGED.format(differs="IS DISTINCT FROM")},
    each_statement=(),
    sqlite={
        "insert": f"AFTER INSERT ON marketing_consents WHEN {_VALID} BEGIN {_LINK} END",
        "update": f"AFTER UPDATE ON marketing_consents WHEN {_CHANGED.format(differs='IS NOT')} BEGIN {_LINK} END",
    },
)
