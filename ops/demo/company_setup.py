"""Who plays in a company's demo: the company, its people and lines, its contacts with their numbers."""

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
    ("Texts and campaigns", Provider.OPENPHONE),
    ("", Provider.OPENPHONE),  # one that a delivery told us of and nobody has named yet
)
# The main lines take nearly everything. In a contact's conversation the line stays the same.
LINE_OF_CONTACT = (0, 0, 0, 1, 0, 0, 1, 0, 0, 2)

# Every possible American area code but service codes such as 911. Each has a hundred numbers for fiction: 555-0100 to
# 555-0199. A company's own region comes first and real codes before the others, so a small company looks real.
REGIONAL_CODES = tuple(code for region in REGIONS for code in region.area_codes)
AREA_CODES = tuple(code for code in range(200, 1000) if code % 100 != 11)
SCATTER = 7919  # a prime that does not divide how many numbers there are, so its multiples meet each one once
MAX_CONTACTS = 70_000  # a company's: with second numbers and lines they just fit the area codes

# Which contacts carry a flag, by their position in every sixty. All are among the first twenty.
FLAGS = {
    5: FlagType.OPTED_OUT,
    11: FlagType.OFFICE_NUMBER,
    14: FlagType.DO_NOT_CONTACT,
    16: FlagType.OPTED_OUT,
    18: FlagType.INVALID_NUMBER,
}
KNOWN_FROM_START = 0.3  # the contacts that the company brought along; the others come one by one


class CompanySetup:
    """The players of one company, by their ids. Contacts go by their position: 0 is the busiest."""

    def __init__(
        self, tables: Tables, demo: DemoCompany, *, contacts: int, seed: int, until: date, days: int, password: str
    ) -> None:
        self.demo = demo
        self.contacts = contacts
        self.random = Random(f"{seed} {demo.slug}")  # noqa: S311  # rows like life; nothing is kept secret by them
        self.calendar = Calendar(until=until, days=days, zone=ZoneInfo(demo.region.timezone))
        self.jobs = demo.trade.jobs

        home = demo.region.area_codes
        codes = list(dict.fromkeys([*home, *REGIONAL_CODES, *AREA_CODES]))
        hundreds = -(-(len(LINES) + contacts + contacts // 8 + 1) // 100)
        self.codes = codes[: max(hundreds, len(home))]

        self.start = stamp(self.calendar.start)
        self.company: int = tables.companies.add(
            name=demo.name,
            slug=demo.slug,
            timezone=demo.region.timezone,
            missed_call_text=phrases.MISSED_CALL_TEXT.format(company=demo.name),
            created_at=self.start,
        )
        self._hire(tables, password)
        self._connect_lines(tables)
        self.first_contact = tables.contacts.next_id
        for position in range(contacts):
            self._meet(tables, position)
            tables.write_when_full()

    def number(self, n: int) -> str:
        """The n-th number of the company's customers: first their main ones, then the second ones. All differ."""
        return self._number_at(len(LINES) + n * SCATTER % (len(self.codes) * 100 - len(LINES)))

    def _number_at(self, place: int) -> str:
        return f"+1{self.codes[place // 100]}55501{place % 100:02d}"

    def known(self, day: int) -> int:
        """How many contacts there are when that day begins."""
        first = int(self.contacts * KNOWN_FROM_START)
        return first - (first - self.contacts) * day // self.calendar.days

    def met_on(self, position: int) -> int:
        """The day from whose working hours on a contact is known."""
        first = int(self.contacts * KNOWN_FROM_START)
        return max(0, position - first) * self.calendar.days // (self.contacts - first)

    def flag_of(self, position: int) -> str | None:
        """The flag of a contact, if it has one."""
        return FLAGS.get(position % 60)

    def _hire(self, tables: Tables, password: str) -> None:
        crew = list(zip((Role.MANAGER, Role.CSR, Role.REP), self.demo.usernames, strict=True))
        crew += [(Role.CSR, ""), (Role.REP, ""), (Role.REP, "")]  # who need no short name to be signed in with
        first_names = self.random.sample(FIRST_NAMES, len(crew))
        hired: dict[str, list[int]] = {Role.MANAGER: [], Role.CSR: [], Role.REP: []}
        for (role, username), first_name in zip(crew, first_names, strict=True):
            address = f"{first_name.lower()}@{self.demo.slug}.example"
            user = tables.users.add(
                company=self.company,
                role=role,
                username=username or address,
                password=password,
                first_name=first_name,
                last_name=self.random.choice(LAST_NAMES),
                email=address,
                date_joined=self.start,
            )
            hired[role].append(user)
        self.manager, self.csrs, self.reps = hired[Role.MANAGER][0], hired[Role.CSR], hired[Role.REP]

    def _connect_lines(self, tables: Tables) -> None:
        self.line_numbers = [self._number_at(place) for place in range(len(LINES))]
        self.line_provider_ids = [f"PN{self.random.getrandbits(60):015x}" for _ in LINES]
        self.lines = [
            tables.phone_lines.add(
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

    def _meet(self, tables: Tables, position: int) -> None:
        random, region = self.random, self.demo.region
        brought_along = position < int(self.contacts * KNOWN_FROM_START)
        # Imported one a second in the night before the first day, or met in the working hours of some day.
        time_of_day = position if brought_along else 8 * HOUR + int(random.random() * 9 * HOUR)
        created_at = stamp(self.calendar.midnights[self.met_on(position)] + time_of_day)
        town, postal_prefix = random.choice(region.towns)
        named = position % 12 != 7  # of the others only the number is known
        first_name, last_name = random.choice(FIRST_NAMES), random.choice(LAST_NAMES)
        mailbox = f"{first_name}.{last_name}{position}".lower().replace("'", "").replace("é", "e")
        contact = tables.contacts.add(
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
        numbers = {"mobile": position}
        if position % 8 == 3:
            numbers["home"] = self.contacts + position // 8
        for label, n in numbers.items():
            tables.contact_phones.add(
                company=self.company, contact=contact, phone=self.number(n), label=label, created_at=created_at
            )
