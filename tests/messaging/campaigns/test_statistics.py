"""Statistics of campaigns."""

from itertools import pairwise
from random import Random

import pytest

from messaging.services.campaigns.statistics import (
    LOOKS,
    Z_95,
    Proportion,
    compare_proportions,
    find_winner,
    look_sizes,
    needed_per_variant,
)


@pytest.mark.parametrize(
    ("rate_a", "rate_b", "needed"),
    [(0.05, 0.07, 2213), (0.05, 0.075, 1471), (0.10, 0.13, 1774), (0.10, 0.15, 686), (0.15, 0.10, 686)],
)
def test_recipients_that_a_verdict_needs(rate_a, rate_b, needed):
    assert needed_per_variant(rate_a, rate_b) == needed


@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    [  # R: prop.test(count, of, correct = FALSE)$conf.int
        (0, 10, 0.0, 0.2775),
        (1, 10, 0.0179, 0.4042),
        (10, 10, 0.7225, 1.0),
        (81, 263, 0.2553, 0.3662),  # Newcombe 1998, Statistics in Medicine 17, 857
        (15, 148, 0.0624, 0.1605),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_interval_of_a_proportion_is_wilsons(count, of, low, high):
    assert Proportion(count, of).interval == pytest.approx((low, high), abs=5e-5)


def test_proportion_of_nothing_says_nothing():
    assert Proportion(0, 0).rate is None
    assert Proportion(0, 0).interval == (0.0, 1.0)


@pytest.mark.parametrize(
    ("a", "b", "low", "high"),
    [  # Newcombe 1998, Statistics in Medicine 17, 873, table II, method 10
        ((48, 80), (56, 70), -0.3339, -0.0524),
        ((3, 10), (9, 10), -0.8090, -0.1705),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((10, 10), (0, 20), 0.6791, 1.0),
    ],
)
def test_interval_of_a_difference_is_newcombes(a, b, low, high):
    compared = compare_proportions(Proportion(*b), Proportion(*a))  # the paper subtracts the second from the first
    assert (compared.low, compared.high) == pytest.approx((low, high), abs=5e-5)


def test_p_value_of_the_pooled_test():
    compared = compare_proportions(Proportion(68, 686), Proportion(103, 686))
    assert compared.z == pytest.approx(2.8609, abs=1e-3)
    assert compared.p_value == pytest.approx(0.00423, abs=1e-4)


@pytest.mark.parametrize("count", [0, 20])
def test_equal_proportions_without_variance_have_no_difference(count):
    compared = compare_proportions(Proportion(count, 20), Proportion(count, 20))
    assert (compared.difference, compared.z, compared.p_value) == (0.0, 0.0, 1.0)


def test_looks_divide_the_planned_number():
    assert look_sizes(1000) == [200, 400, 600, 800, 1000]
    assert look_sizes(842)[-1] == 842
    assert len(look_sizes(842)) == LOOKS


def seeded(seed=15):
    return Random(seed)  # noqa: S311  # not a secret


def looks_of(sizes, rate_a, rate_b, random):
    """Return the looks at a simulated test."""
    counts, looks = [0, 0], []
    for before, size in pairwise([0, *sizes]):
        for variant, rate in enumerate((rate_a, rate_b)):
            counts[variant] += sum(random.random() < rate for _ in range(size - before))
        looks.append((Proportion(counts[0], size), Proportion(counts[1], size)))
    return looks


def test_peeking_without_a_plan_would_find_a_winner_in_many_equal_pairs():
    """The reason for planned looks."""
    random, sizes = seeded(), [14 * look for look in range(1, 50)]
    tests = [looks_of(sizes, 0.1, 0.1, random) for _ in range(400)]
    winners = sum(any(abs(compare_proportions(a, b).z) > Z_95 for a, b in looks) for looks in tests)
    assert winners > 0.2 * len(tests)


def test_needed_number_finds_a_true_difference_in_80_percent_of_tests():
    random, planned = seeded(), needed_per_variant(0.10, 0.15, looks=LOOKS)
    tests = [looks_of(look_sizes(planned), 0.10, 0.15, random) for _ in range(1000)]
    winners = [find_winner(looks)[0] for looks in tests]
    assert winners.count("b") >= 0.78 * len(tests)  # two standard errors below
    assert winners.count("a") == 0
