"""Catalogue of demo companies: fixed, because a demo company is recognized by its slug and name."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from django.utils.text import slugify


@dataclass(frozen=True)
class Region:
    """A company's area, with its real area codes, and towns with the first three digits of their postal codes."""

    timezone: str
    state: str
    area_codes: tuple[int, ...]
    towns: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Trade:
    """A company's business: its season (months), usual prices (lowest, highest), and jobs."""

    name: str
    busy_months: tuple[int, ...]
    prices: tuple[int, int]
    jobs: tuple[str, ...]


@dataclass(frozen=True)
class DemoCompany:
    """A company of the catalogue; `position` counts from 0."""

    position: int
    name: str
    region: Region
    trade: Trade

    @property
    def slug(self) -> str:
        return slugify(self.name)

    @property
    def usernames(self) -> tuple[str, str, str]:
        """The manager, a CSR and a rep."""
        suffix = "" if self.position == 0 else str(self.position + 1)
        return f"manager{suffix}", f"csr{suffix}", f"rep{suffix}"


# fmt: off
REGIONS = (
    Region("America/Denver", "CO", (303, 720), (
        ("Denver", "802"), ("Aurora", "800"), ("Boulder", "803"), ("Lakewood", "802"), ("Littleton", "801"))),
    Region("America/New_York", "NY", (212, 718, 914, 516), (
        ("Yonkers", "107"), ("Queens", "113"), ("Brooklyn", "112"), ("White Plains", "106"), ("Hempstead", "115"))),
    Region("America/Chicago", "IL", (312, 773, 630, 847), (
        ("Chicago", "606"), ("Naperville", "605"), ("Evanston", "602"), ("Oak Park", "603"), ("Skokie", "600"))),
    Region("America/Phoenix", "AZ", (602, 480, 623), (
        ("Phoenix", "850"), ("Mesa", "852"), ("Tempe", "852"), ("Glendale", "853"), ("Scottsdale", "852"))),
    Region("America/Los_Angeles", "CA", (213, 310, 818, 626), (
        ("Los Angeles", "900"), ("Pasadena", "911"), ("Burbank", "915"), ("Torrance", "905"), ("Glendale", "912"))),
    Region("America/New_York", "GA", (404, 770, 678), (
        ("Atlanta", "303"), ("Marietta", "300"), ("Decatur", "300"), ("Roswell", "300"), ("Smyrna", "300"))),
    Region("America/Chicago", "TX", (214, 972, 469), (
        ("Dallas", "752"), ("Plano", "750"), ("Irving", "750"), ("Garland", "750"), ("Frisco", "750"))),
    Region("America/Los_Angeles", "WA", (206, 425, 253), (
        ("Seattle", "981"), ("Tacoma", "984"), ("Bellevue", "980"), ("Kirkland", "980"), ("Renton", "980"))),
)

TRADES = (
    Trade("Roofing", (4, 5, 6, 9), (4_500, 26_000), (
        "roof replacement", "roof leak", "gutter repair", "hail damage", "skylight", "chimney flashing")),
    Trade("Concrete", (4, 5, 6, 7, 8), (1_800, 14_000), (
        "driveway", "patio slab", "garage floor", "sidewalk repair", "retaining wall", "stamped concrete")),
    Trade("Heating & Air", (1, 6, 7, 8, 12), (300, 11_500), (
        "furnace tune-up", "AC replacement", "heat pump", "thermostat", "duct cleaning", "mini-split")),
)

BRANDS = (
    "Summit", "Harborview", "Prairie Sky", "Redstone", "Golden Coast", "Peachtree", "Lone Star", "Evergreen",
    "Cornerstone", "Blue Spruce", "Ironwood", "Maple Ridge", "Silver Creek", "Old Mill", "Northgate", "Sunrise",
    "Granite Peak", "Copper Canyon", "Willow Bend", "Stonebridge", "Clearwater", "Hilltop", "Lakeside", "Trailhead",
    "Liberty Oak", "Fox Hollow", "Timberline", "Bayfront", "Crestview", "Riverbend", "Juniper", "Highland",
    "Meadowlark", "Pinecrest", "Cedar Grove", "Falcon Ridge", "Mesa Verde", "Windmill", "Anchor", "Beacon Hill",
)
# fmt: on

MAX_COMPANIES = len(BRANDS) * len(TRADES)


def catalogue() -> Iterator[DemoCompany]:
    """Yield every possible company, the largest first. Trades shift by one each round, so names never repeat."""
    for position in range(MAX_COMPANIES):
        rounds, brand = divmod(position, len(BRANDS))
        trade = TRADES[(brand + rounds) % len(TRADES)]
        yield DemoCompany(position, f"{BRANDS[brand]} {trade.name}", REGIONS[position % len(REGIONS)], trade)


def first_companies(count: int) -> list[DemoCompany]:
    return list(islice(catalogue(), count))
