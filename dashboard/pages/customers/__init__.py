"""Customers: the list, a customer's tree, and the page of one account."""
