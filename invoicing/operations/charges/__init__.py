"""What is charged once: added to an account, and cancelled while no document has it."""
