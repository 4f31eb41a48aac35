"""Demo data: believable companies with all that the product shows, the same ones from the same seed."""

from ops.demo.cleanup import remove_demo
from ops.demo.preconditions import DemoRefused
from ops.demo.seeding import PASSWORD, seed_demo

__all__ = ["PASSWORD", "DemoRefused", "remove_demo", "seed_demo"]
