"""Demo data: believable companies with all that the product shows, the same ones from the same seed."""

from analytics.demo.refusals import DemoRefused
from analytics.demo.removal import remove_demo
from analytics.demo.services import PASSWORD, seed_demo

__all__ = ["PASSWORD", "DemoRefused", "remove_demo", "seed_demo"]
