"""What people trust the app with, attacked: `python -m bench.trust --quick` or `--full`.

Each module in `rows/` is a line of `docs/trust.md`: a promise, how it is kept, the tests that hold it, and an attack
that gives a figure.
"""
