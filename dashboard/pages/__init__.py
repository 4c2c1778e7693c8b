"""Pages: parse the address, call one query or operation, hand plain data to a template."""
