"""Benchmarks on demo data; `docs/benchmarks.md` is their report."""
