"""WHO: tenants, sellers, people, the account tree, inherited settings, access, audit, events."""
