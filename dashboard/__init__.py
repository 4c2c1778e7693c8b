"""SHOWN to the vendor's staff: the web dashboard."""
