"""What a billing run computes: from rows that were read to rows that would be written.

Nothing here locks or writes. A run locks, reads with ``read_families``, asks the engine and writes
its answer; previews ask the same and write nothing. With a ``WhatIf`` the answer is that of a world
in which accounts stand elsewhere or set something else.
"""
