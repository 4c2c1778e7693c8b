"""Plans: what is sold together, and beginning with one."""
