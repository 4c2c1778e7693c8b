"""Business acts on tenants, accounts and people."""
