"""Pages that everybody who signs in shares."""
