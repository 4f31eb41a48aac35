"""Settings of the benchmarks' web server: the product's, with the naive endpoints beside its own."""

from config.settings import *  # noqa: F403

ROOT_URLCONF = "benchmarks.naive_endpoints"
