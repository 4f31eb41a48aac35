"""A company with its users and phone lines, and its contacts with their numbers."""

import json
from datetime import date
from itertools import chain
from random import Random
from typing import NamedTuple
from zoneinfo import ZoneInfo

from crm.choices import FlagType, Role
from crm.search_keys import keys_of
from crm.working_hours import DAYS
from ops.demo import phrases
from ops.demo.bulk_writer import Tables, Value
from ops.demo.calendar import HOUR, Calendar, stamp
from ops.demo.companies import REGIONS, DemoCompany

LINES = ("Front desk", "Messages and campaigns", "")  # the last was found in a webhook event and isn't named yet
# Nearly all contacts use the main lines. A contact's conversation stays on one line.
LINE_OF_CONTACT = (0, 0, 0, 1, 0, 0, 1, 0, 0, 2)

# Every possible American area code but service codes such as 911. Each has a hundred numbers for fiction: 555-0100 to
# 555-0199. A company's own region comes first and real codes before the others, so a small company looks real.
REGIONAL_CODES = [code for region in REGIONS for code in region.area_codes]
AREA_CODES = [code for code in range(200, 1000) if code % 100 != 11]
MAX_CONTACTS = 70_000  # of a company: with second numbers and lines they just fit the area codes

# Flags of contacts, by their position in every sixty. All are among the first twenty.
FLAGS = {
    5: FlagType.OPTED_OUT,
    11: FlagType.OFFICE_NUMBER,
    14: FlagType.DO_NOT_CONTACT,
    16: FlagType.OPTED_OUT,
    18: FlagType.INVALID_NUMBER,
}
WORKING_HOURS = {day: {"opens": "08:00", "closes": "17:00"} for day in DAYS[:5]}
IMPORTED = 0.3  # share of contacts known from the start; the others come one by one


class Line(NamedTuple):
    """A phone line."""

    id: int
    number: str
    provider_id: str


TWIN_OF = {9: 5, 17: 13}  # by position, the contact that a second one with another number repeats


class CompanySetup:
    """Ids of one company's rows. Contacts are addressed by position: 0 is the busiest."""

    def __init__(
        self,
        tables: Tables,
        demo: DemoCompany,
        *,
        contacts: int,
        seed: int,
        until: date,
        days: int,
        password: str,
        line_numbers: set[str],  # of all companies; this one's are added
    ) -> None:
        self.tables, self.demo, self.contacts = tables, demo, contacts
        self.random = Random(f"{seed} {demo.slug}")  # noqa: S311  # believable rows, no secrets
        self.calendar = Calendar(until=until, days=days, zone=ZoneInfo(demo.region.timezone))
        self.imported = int(contacts * IMPORTED)

        # Numbers of the contacts by position, then second numbers, and the lines' from the end.
        hundreds = -(-(contacts + contacts // 8 + 1 + len(LINES)) // 100)
        codes = list(dict.fromkeys([*demo.region.area_codes, *REGIONAL_CODES, *AREA_CODES]))[:hundreds]
        self.numbers = [f"+1{code}55501{n:02d}" for code in codes for n in range(100)]
        self.random.shuffle(self.numbers)

        self.company: int = tables["companies"].add(
            name=demo.name,
            slug=demo.slug,
            timezone=demo.region.timezone,
            appointment_reminders=True,
            missed_call_text=phrases.MISSED_CALL_TEXT.format(company=demo.name),
            working_hours=json.dumps(WORKING_HOURS),
            duplicates_run_at=stamp(self.calendar.end),
            created_at=stamp(self.calendar.start),
        )
        self._add_users(password)
        self.lines = [self._add_phone_line(name, line_numbers) for name in LINES]
        self.first_contact = tables["contacts"].next_id
        self._named: dict[int, dict[str, str]] = {}  # those that other contacts repeat
        for position in range(contacts):
            self._add_contact(position)
            tables.write_when_full()

    def about(self, position: int | None, instant: int) -> dict[str, Value]:
        """Return the columns of a row about a contact, created at that instant; an anonymous caller isn't a contact."""
        contact = None if position is None else self.first_contact + position
        return {"company": self.company, "contact": contact, "created_at": stamp(instant)}

    def line_of(self, position: int) -> Line:
        return self.lines[LINE_OF_CONTACT[position % len(LINE_OF_CONTACT)]]

    def contacts_on(self, day: int) -> int:
        """Return the number of contacts when that day begins."""
        return self.imported - (self.imported - self.contacts) * day // self.calendar.days

    def first_day_of(self, position: int) -> int:
        """Return the day in whose working hours the contact is added."""
        return max(0, position - self.imported) * self.calendar.days // (self.contacts - self.imported)

    def flag_of(self, position: int) -> FlagType | None:
        return FLAGS.get(position % 60)

    def _add_users(self, password: str) -> None:
        roles = (*Role, Role.CSR, Role.REP, Role.REP)
        users: dict[str, list[int]] = {role: [] for role in Role}
        usernames = [*self.demo.usernames, "", "", ""]  # the last three users sign in by email address
        first_names = self.random.sample(phrases.FIRST_NAMES, len(roles))
        for role, username, first_name in zip(roles, usernames, first_names, strict=True):
            address = f"{first_name.lower()}@{self.demo.slug}.example"
            user = self.tables["users"].add(
                company=self.company,
                role=role,
                username=username or address,
                password=password,
                first_name=first_name,
                last_name=self.random.choice(phrases.LAST_NAMES),
                email=address,
                date_joined=stamp(self.calendar.start),
            )
            users[role].append(user)
        (self.manager,), self.csrs, self.reps = users[Role.MANAGER], users[Role.CSR], users[Role.REP]

    def _add_phone_line(self, name: str, taken: set[str]) -> Line:
        start, number = stamp(self.calendar.start), self._free_number(taken)
        taken.add(number)
        provider_id = f"PN{self.random.getrandbits(60):015x}"
        line = self.tables["phone_lines"].add(
            company=self.company,
            name=name,
            number=number,
            provider_id=provider_id,
            next_send_at=start,
            next_campaign_send_at=start,
            created_at=start,
        )
        return Line(line, number, provider_id)

    def _free_number(self, taken: set[str]) -> str:
        """Return a number that is neither another company's line nor a contact of this one."""
        spare = reversed(self.numbers[self.contacts + self.contacts // 8 + 1 :])
        others = (f"+1{code}55501{n:02d}" for code in AREA_CODES for n in range(100))
        return next(
            chain((n for n in spare if n not in taken), (n for n in others if n not in {*taken, *self.numbers}))
        )

    def _add_contact(self, position: int) -> None:
        random, region = self.random, self.demo.region
        # Imported one per second in the night before the first day, or added in the working hours of some day.
        time_of_day = position if position < self.imported else 8 * HOUR + int(random.random() * 9 * HOUR)
        about = self.about(position, self.calendar.midnights[self.first_day_of(position)] + time_of_day)
        details = {}
        if position % 12 != 7:  # of the others only the number is known
            first_name, last_name = random.choice(phrases.FIRST_NAMES), random.choice(phrases.LAST_NAMES)
            mailbox = f"{first_name}.{last_name}{position}".lower().replace("'", "").replace("é", "e")
            town, postal_prefix = random.choice(list(region.towns.items()))
            details = {
                "first_name": first_name,
                "last_name": last_name,
                "email": f"{mailbox}@{random.choice(phrases.MAIL_HOSTS)}" if position % 4 else "",
                "address": f"{random.randint(10, 9899)} {random.choice(phrases.STREETS)}",
                "city": town,
                "state": region.state,
                "postal_code": f"{postal_prefix}{random.randint(1, 99):02d}",
            }
        if position in TWIN_OF:
            details |= self._named[TWIN_OF[position]]
        names = {name: details.get(name, "") for name in ("first_name", "last_name", "email")}
        if position in TWIN_OF.values():
            self._named[position] = names
        self.tables["contacts"].add(
            company=self.company,
            phone=self.numbers[position],
            keyed_text="|".join(names.values()),
            timezone=region.timezone if position % 10 == 0 else "",
            created_at=about["created_at"],
            **details,
        )
        for key in sorted(keys_of(**names)):
            self.tables["contact_search_keys"].add(company=about["company"], contact=about["contact"], key=key)
        self.tables["contact_phones"].add(**about, phone=self.numbers[position], label="mobile")
        if position % 8 == 3:
            second = self.numbers[self.contacts + position // 8]
            self.tables["contact_phones"].add(**about, phone=second, label="home")
