"""Shapes in which reports go out."""
