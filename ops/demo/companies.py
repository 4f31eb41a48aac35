"""Catalogue of demo companies: fixed, because a demo company is recognized by its slug and name."""

from dataclasses import dataclass

from django.utils.text import slugify

from crm.choices import Role


@dataclass(frozen=True)
class Region:
    """A company's area, with its real area codes, and towns with the first three digits of their postal codes."""

    timezone: str
    state: str
    area_codes: tuple[int, ...]
    towns: dict[str, str]


@dataclass(frozen=True)
class Trade:
    """A company's business: its season (months), usual prices (lowest, highest), and jobs."""

    name: str
    busy_months: tuple[int, ...]
    prices: tuple[int, int]
    jobs: tuple[str, ...]


# fmt: off
REGIONS = (
    Region("America/Denver", "CO", (303, 720), {"Denver": "802", "Aurora": "800", "Boulder": "803"}),
    Region("America/New_York", "NY", (212, 718, 914, 516), {"Yonkers": "107", "Queens": "113", "Brooklyn": "112"}),
    Region("America/Chicago", "IL", (312, 773, 630, 847), {"Chicago": "606", "Evanston": "602", "Oak Park": "603"}),
    Region("America/Phoenix", "AZ", (602, 480, 623), {"Phoenix": "850", "Mesa": "852", "Glendale": "853"}),
    Region("America/Los_Angeles", "CA", (213, 310, 818, 626), {"Los Angeles": "900", "Pasadena": "911"}),
    Region("America/New_York", "GA", (404, 770, 678), {"Atlanta": "303", "Marietta": "300", "Decatur": "300"}),
    Region("America/Chicago", "TX", (214, 972, 469), {"Dallas": "752", "Plano": "750", "Irving": "750"}),
    Region("America/Los_Angeles", "WA", (206, 425, 253), {"Seattle": "981", "Tacoma": "984", "Bellevue": "980"}),
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


class DemoCompany:
    """A company of the catalogue, by its position."""

    def __init__(self, position: int) -> None:
        rounds, brand = divmod(position, len(BRANDS))
        self.trade = TRADES[(brand + rounds) % len(TRADES)]  # shifted by one each round, so names never repeat
        self.region = REGIONS[position % len(REGIONS)]
        self.name = f"{BRANDS[brand]} {self.trade.name}"
        self.slug = slugify(self.name)
        suffix = "" if position == 0 else str(position + 1)
        self.usernames = [f"{role}{suffix}" for role in Role.values]


CATALOGUE = [DemoCompany(position) for position in range(len(BRANDS) * len(TRADES))]
