"""Wiring: settings, addresses, the timetable and the embedded services. Imported by no app."""
