"""Change plans as they are read: what they want, what comes of it, and what they depend on."""
