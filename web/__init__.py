"""FRAME: what both faces are made of, and the pages that they share."""
