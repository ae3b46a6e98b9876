"""Benchmarks: `python -m bench.NAME` prints a table and writes `.bench/NAME.json`."""
