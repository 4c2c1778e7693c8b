"""What can go wrong before the product runs, in words for the person at the keyboard."""


class EmbeddedServiceError(Exception):
    """A service cannot run here; the message is one sentence that names the cure."""
