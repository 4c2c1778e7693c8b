"""The ground: tenants kept apart, who acts for them, and what all other apps stand on."""
