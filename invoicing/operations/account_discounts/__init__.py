"""Discounts of accounts, for all that is subscribed to below them.

Given and ended at once, carried out by a job in pieces; what it makes good is computed by one
function, for the job and for whoever wants to know before. What is subscribed to later takes them
when it begins (``subscriptions.operations.discounts``).
"""
