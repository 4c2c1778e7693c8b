"""Wiring: settings, addresses, the timetable and the embedded services. Imported by no app."""

VERSION = "1.0.0"
"""The product's version, as in pyproject.toml; a backup says which one wrote it."""
