"""Measurements: PROTOCOL's definitions, peers, and the writer of ``RESULTS.md``.

Not part of the wheel. ``benchmarks`` imports ``seethrough``; ``seethrough`` never imports it.
"""
