"""``/api/v1/``: who asks, accounts, subtrees and settings; and what the whole API shares."""
