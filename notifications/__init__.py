"""TOLD: reads the event log and decides who hears what."""
