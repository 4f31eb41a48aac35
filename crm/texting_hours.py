"""Hours of the day, by the recipient's clock, in which federal law allows automatic texts: 47 CFR 64.1200(c)(1)."""

EARLIEST, LATEST = 8, 21
