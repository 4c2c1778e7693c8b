"""Change plans, step by step: planned, decided on, carried out on their day, reversed."""
