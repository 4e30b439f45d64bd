"""Measurements, each beside a baseline of the same run. Run one by name: python -m tests.benchmarks.NAME --help."""
