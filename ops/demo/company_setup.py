"""A company with its users and phone lines, and its contacts with their numbers."""

from datetime import date
from random import Random
from zoneinfo import ZoneInfo

from crm.choices import FlagType, Provider, Role
from ops.demo import phrases
from ops.demo.bulk_writer import Tables
from ops.demo.calendar import HOUR, Calendar, stamp
from ops.demo.companies import REGIONS, DemoCompany
from ops.demo.names import FIRST_NAMES, LAST_NAMES, MAIL_HOSTS, STREETS

LINES = (
    ("Front desk", Provider.OPENPHONE),
    ("Messages and campaigns", Provider.OPENPHONE),
    ("", Provider.OPENPHONE),  # found in a webhook event, not named yet
)
# Nearly all contacts use the main lines. A contact's conversation stays on one line.
LINE_OF_CONTACT = (0, 0, 0, 1, 0, 0, 1, 0, 0, 2)

# Every possible American area code but service codes such as 911. Each has a hundred numbers for fiction: 555-0100 to
# 555-0199. A company's own region comes first and real codes before the others, so a small company looks real.
REGIONAL_CODES = tuple(code for region in REGIONS for code in region.area_codes)
AREA_CODES = tuple(code for code in range(200, 1000) if code % 100 != 11)
SCATTER = 7919  # a prime that doesn't divide the number of numbers, so its multiples meet each number once
MAX_CONTACTS = 70_000  # of a company: with second numbers and lines they just fit the area codes

# Flags of contacts, by their position in every sixty. All are among the first twenty.
FLAGS = {
    5: FlagType.OPTED_OUT,
    11: FlagType.OFFICE_NUMBER,
    14: FlagType.DO_NOT_CONTACT,
    16: FlagType.OPTED_OUT,
    18: FlagType.INVALID_NUMBER,
}
IMPORTED = 0.3  # share of contacts known from the start; the others come one by one


class CompanySetup:
    """Ids of one company's rows. Contacts are addressed by position: 0 is the busiest."""

    def __init__(
        self, tables: Tables, demo: DemoCompany, *, contacts: int, seed: int, until: date, days: int, password: str
    ) -> None:
        self.tables, self.demo, self.contacts = tables, demo, contacts
        self.random = Random(f"{seed} {demo.slug}")  # noqa: S311  # believable rows, no secrets
        self.calendar = Calendar(until=until, days=days, zone=ZoneInfo(demo.region.timezone))
        self.jobs = demo.trade.jobs
        self.imported = int(contacts * IMPORTED)

        home = demo.region.area_codes
        hundreds = -(-(len(LINES) + contacts + contacts // 8 + 1) // 100)
        self.codes = list(dict.fromkeys([*home, *REGIONAL_CODES, *AREA_CODES]))[: max(hundreds, len(home))]

        self.start = stamp(self.calendar.start)
        self.company: int = tables["companies"].add(
            name=demo.name,
            slug=demo.slug,
            timezone=demo.region.timezone,
            missed_call_text=phrases.MISSED_CALL_TEXT.format(company=demo.name),
            created_at=self.start,
        )
        self._add_users(password)
        self._add_phone_lines()
        self.first_contact = tables["contacts"].next_id
        for position in range(contacts):
            self._add_contact(position)
            tables.write_when_full()

    def ids(self, position: int) -> dict[str, int]:
        """Return the references of a row about a contact."""
        return {"company": self.company, "contact": self.first_contact + position}

    def number(self, n: int) -> str:
        """Return the contacts' n-th number, all different: first their main numbers, then the second ones."""
        return self._number_at(len(LINES) + n * SCATTER % (len(self.codes) * 100 - len(LINES)))

    def line_of(self, position: int) -> int:
        """Return the position of the contact's phone line."""
        return LINE_OF_CONTACT[position % len(LINE_OF_CONTACT)]

    def contacts_on(self, day: int) -> int:
        """Return the number of contacts when that day begins."""
        return self.imported - (self.imported - self.contacts) * day // self.calendar.days

    def first_day_of(self, position: int) -> int:
        """Return the day in whose working hours the contact is added."""
        return max(0, position - self.imported) * self.calendar.days // (self.contacts - self.imported)

    def flag_of(self, position: int) -> FlagType | None:
        return FLAGS.get(position % 60)

    def _number_at(self, place: int) -> str:
        return f"+1{self.codes[place // 100]}55501{place % 100:02d}"

    def _add_users(self, password: str) -> None:
        crew = list(zip((Role.MANAGER, Role.CSR, Role.REP), self.demo.usernames, strict=True))
        crew += [(Role.CSR, ""), (Role.REP, ""), (Role.REP, "")]  # without a documented user name
        first_names = self.random.sample(FIRST_NAMES, len(crew))
        users: dict[str, list[int]] = {Role.MANAGER: [], Role.CSR: [], Role.REP: []}
        for (role, username), first_name in zip(crew, first_names, strict=True):
            address = f"{first_name.lower()}@{self.demo.slug}.example"
            user = self.tables["users"].add(
                company=self.company,
                role=role,
                username=username or address,
                password=password,
                first_name=first_name,
                last_name=self.random.choice(LAST_NAMES),
                email=address,
                date_joined=self.start,
            )
            users[role].append(user)
        self.manager, self.csrs, self.reps = users[Role.MANAGER][0], users[Role.CSR], users[Role.REP]

    def _add_phone_lines(self) -> None:
        self.line_numbers = [self._number_at(place) for place in range(len(LINES))]
        self.line_provider_ids = [f"PN{self.random.getrandbits(60):015x}" for _ in LINES]
        self.lines = [
            self.tables["phone_lines"].add(
                company=self.company,
                name=name,
                number=number,
                provider=provider,
                provider_id=provider_id,
                next_send_at=self.start,
                created_at=self.start,
            )
            for (name, provider), number, provider_id in zip(
                LINES, self.line_numbers, self.line_provider_ids, strict=True
            )
        ]

    def _add_contact(self, position: int) -> None:
        random, region = self.random, self.demo.region
        # Imported one per second in the night before the first day, or added in the working hours of some day.
        time_of_day = position if position < self.imported else 8 * HOUR + int(random.random() * 9 * HOUR)
        created_at = stamp(self.calendar.midnights[self.first_day_of(position)] + time_of_day)
        town, postal_prefix = random.choice(region.towns)
        named = position % 12 != 7  # of the others only the number is known
        first_name, last_name = random.choice(FIRST_NAMES), random.choice(LAST_NAMES)
        mailbox = f"{first_name}.{last_name}{position}".lower().replace("'", "").replace("é", "e")
        contact = self.tables["contacts"].add(
            company=self.company,
            first_name=first_name if named else "",
            last_name=last_name if named else "",
            phone=self.number(position),
            email=f"{mailbox}@{random.choice(MAIL_HOSTS)}" if named and position % 4 else "",
            address=f"{random.randint(10, 9899)} {random.choice(STREETS)}" if named else "",
            city=town if named else "",
            state=region.state if named else "",
            postal_code=f"{postal_prefix}{random.randint(1, 99):02d}" if named else "",
            timezone=region.timezone if position % 10 == 0 else "",
            created_at=created_at,
            updated_at=created_at,
        )
        numbers = {"mobile": position} | ({"home": self.contacts + position // 8} if position % 8 == 3 else {})
        for label, n in numbers.items():
            self.tables["contact_phones"].add(
                company=self.company, contact=contact, phone=self.number(n), label=label, created_at=created_at
            )
