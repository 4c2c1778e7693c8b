"""Reading: every function takes the actor first and returns nothing out of its reach."""
