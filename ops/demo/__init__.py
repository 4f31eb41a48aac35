"""Demo data: realistic companies that show the whole product, equal for equal seeds."""

from ops.demo.existing_data import DemoRefused, remove_demo
from ops.demo.seeding import PASSWORD, seed_demo

__all__ = ["PASSWORD", "DemoRefused", "remove_demo", "seed_demo"]
