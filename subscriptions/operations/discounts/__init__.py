"""Discounts: coupons and what is given without them, and from when to when items have them."""
