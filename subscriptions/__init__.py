"""SOLD: the catalogue, subscriptions and their stored periods."""
