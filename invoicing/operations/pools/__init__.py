"""Pools: beginning and ending them, and keeping their shares right."""
