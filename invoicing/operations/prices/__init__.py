"""Other versions of a price: previewed, stored, and carried out for all that is had at it."""
