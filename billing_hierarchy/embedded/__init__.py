"""Embedded PostgreSQL and Redis: started on demand, shared by all commands, stopped when unused.

Read in this order: ``supervisor`` (start, join, stop), ``locks`` (who may), ``postgresql`` and
``redis`` (the two servers), ``migrating`` (pending migrations of the embedded database).
"""
