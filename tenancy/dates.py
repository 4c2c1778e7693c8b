"""Days inside sentences: a shorter name for what ``tenancy.formats`` knows."""

from tenancy.formats import date_text

__all__ = ["date_text"]
