"""All arithmetic of the product as pure Python: no Django, no database, no clock, no float."""
