"""What the product is measured by: ``make bench``, or ``python -m benchmarks run tree …``.

Each benchmark makes its own database, does its work through the public operations, and yields
figures with their bounds. Where a floor is named, it is measured in the same run on the same
machine, so that a ratio means the same on a slow machine as on a quick one.
"""
