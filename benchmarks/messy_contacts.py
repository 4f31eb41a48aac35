"""Messy lists of contacts, the same for the same seed: `python -m benchmarks.messy_contacts --rows 100000 OUT.csv`."""

import argparse
import csv
import random
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

HEADER = [
    "First name", "Last name", "Phone", "Phone 2", "Email", "Address", "City", "State", "ZIP", "Tags", "SMS consent",
    "Consent date", "Do not contact", "Roof age", "Installed", "Notes",
]  # fmt: skip
PLACE = {name: place for place, name in enumerate(HEADER)}
FIRST = [
    "Ann", "Bob", "Chloé", "Dan", "Eve", "François", "Gina", "Hal", "Ida", "José", "Kim", "Lou", "Max", "Nia", "Otto",
    "Pia", "Quinn", "Renée", "Sam", "Tom", "Uma", "Val", "Zoë",
]  # fmt: skip
LAST = [
    "Smith", "O'Brien", "Muñoz", "van der Berg", "McDonald", "Smith-Jones", "Groß", "Lee", "Nguyen", "De la Cruz",
    "Hill", "Null", "St. John", "Peña", "King III",
]  # fmt: skip
CITIES = [("Troy", "NY", "12180"), ("Boston", "MA", "02134"), ("Mesa", "AZ", "85201"), ("Reno", "NV", "89501")]
# 800 area codes, a hundred numbers for fiction in each.
DISTINCT_NUMBERS = 800 * 100
UNCLOSED = "unclosed quotation mark"
MAX_UNCLOSED = 50  # more quotation marks that aren't closed, and the file would be refused as a whole

Row = list[str]


def number(n: int) -> str:
    """Return the ten digits of the n-th number; after DISTINCT_NUMBERS they repeat."""
    n %= DISTINCT_NUMBERS
    return f"{200 + n // 100}55501{n % 100:02}"


def _spelled(digits: str, chance: random.Random) -> str:
    area, exchange, line = digits[:3], digits[3:6], digits[6:]
    return chance.choice(
        [
            digits, f"({area}) {exchange}-{line}", f"{area}-{exchange}-{line}", f"{area}.{exchange}.{line}",
            f"+1{digits}", f"1 {area} {exchange} {line}", f"{digits}.0", f'="{digits}"',
            f"\u00a0{area}-{exchange}-{line} ", f"({area}) {exchange}-{line} ext. 12",
        ]
    )  # fmt: skip


def _put(column: str, *cells: str) -> Callable[[Row, random.Random], Row]:
    def change(row: Row, chance: random.Random) -> Row:
        row[PLACE[column]] = chance.choice(cells)
        return row

    return change


# Each fault with its share of the rows, in thousandths, and whether it rejects the row.
FAULTS: dict[str, tuple[int, bool, Callable[[Row, random.Random], Row]]] = {
    "no phone": (10, True, _put("Phone", "", "n/a", "-")),
    "phone in scientific notation": (8, True, _put("Phone", "1.30356E+10", "2.12555E+09", "2,12555E+09")),
    "phone too short": (6, True, _put("Phone", "555-0100", "21255501")),
    "phone too long": (4, True, _put("Phone", "2125550100123", "212-555-0100 / 212-555-0101")),
    "phone of letters": (4, True, _put("Phone", "call the office", "unlisted")),
    "bad email": (8, True, _put("Email", "ann@", "none@@example.com", "a@example.com;b@example.com")),
    "name too long": (2, True, _put("Last name", "x" * 101)),
    "bad date": (4, True, _put("Installed", "13/45/2020", "3/1/20", "last spring")),
    "bad number": (4, True, _put("Roof age", "old", "1,2", "12 years")),
    "unclear consent": (2, True, _put("SMS consent", "perhaps")),
    "too few cells": (4, True, lambda row, _: row[:5]),
    "too many cells": (4, True, lambda row, _: [*row, "x", "y"]),
    "header again": (1, True, lambda _row, _: [*HEADER]),
    "second phone wrong": (10, False, _put("Phone 2", "123", "1.30356E+10", "unlisted")),
    "formula": (6, False, _put("Notes", "=HYPERLINK(1)", "+cmd|' /C calc'!A0", "@SUM(A1)", "-2+3")),
    "spreadsheet error": (6, False, _put("Roof age", "#N/A", "#REF!")),
    "newline in a cell": (20, False, _put("Notes", "Dog in\nthe yard", 'Says "call\r\nafter six"')),
    "empty cells at the end": (10, False, lambda row, _: [*row, "", ""]),
    "capital letters": (30, False, lambda row, _: [row[0].upper(), row[1].upper(), *row[2:]]),
    "marked do not contact": (20, False, _put("Do not contact", "Y", "yes", "DNC", "1")),
}
REPEATED = 100  # thousandths of the rows with a number that the file had before


def messy_rows(rows: int, seed: int, made: Counter[str]) -> Iterator[tuple[Row, str]]:
    """Yield rows, each with its fault, and count in `made` what was made of them."""
    chance = random.Random(seed)
    names = [*FAULTS, UNCLOSED, "number again", "sound"]
    shares = [share for share, _, _ in FAULTS.values()]
    weights = [*shares, 0.5, REPEATED, 1000 - sum(shares) - REPEATED]
    used = 0
    for _ in range(rows):
        (name,) = chance.choices(names, weights)
        if name == UNCLOSED and made[name] == MAX_UNCLOSED:
            name = "sound"
        n = chance.randrange(used) if name == "number again" and used else used
        row = _sound_row(n, chance)
        rejects = name == UNCLOSED
        if name in FAULTS:
            _, rejects, change = FAULTS[name]
            row = change(row, chance)
        used += n == used and not rejects
        made[name] += 1
        made["rejected"] += rejects
        yield row, name
    made["distinct numbers"] = min(used, DISTINCT_NUMBERS)


def _sound_row(n: int, chance: random.Random) -> Row:
    city, state, zip_code = chance.choice(CITIES)
    first, last = chance.choice(FIRST), chance.choice(LAST)
    has_consent = chance.random() < 0.2
    return [
        first,
        last,
        _spelled(number(n), chance),
        "",
        f"c{n}@example.com" if chance.random() < 0.6 else "",
        f"{chance.randrange(1, 9999)} Main St",
        city,
        state,
        zip_code,
        chance.choice(["", "", "VIP", "Spring; Roof", "lead | 2026"]),
        "yes" if has_consent else "",
        "03/01/2026" if has_consent else "",
        "",
        chance.choice(["", "7", "12.5"]),
        chance.choice(["", "03/01/2010", "2015-06-30"]),
        chance.choice(["", "Dog", "Calls back; after six, says Ann"]),
    ]


def write_messy_contacts(path: Path, *, rows: int, seed: int) -> Counter[str]:
    """Write a list with this many rows, blank ones not counted. Return how many rows have each fault."""
    made: Counter[str] = Counter()
    chance = random.Random(seed + 1)
    # The programs that write such files begin them with a byte order mark, and end lines with two characters.
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for row, fault in messy_rows(rows, seed, made):
            if fault == UNCLOSED:
                rest = ",".join([number(0), *row[3:9]])
                file.write(f'{row[0]},"{row[1]},{rest}\r\n')
            else:
                writer.writerow(row)
            if chance.random() < 0.002:
                made["blank rows"] += 1
                file.write(chance.choice(["\r\n", "," * (len(HEADER) - 1) + "\r\n"]))
    return made


def main() -> None:
    """Write the file, and print what it has."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    made = write_messy_contacts(arguments.path, rows=arguments.rows, seed=arguments.seed)
    for name, count in made.items():
        print(f"{count:>9,}  {name}")
    print(f"{arguments.path.stat().st_size:>9,}  bytes")


if __name__ == "__main__":
    main()
