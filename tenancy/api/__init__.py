"""What every part of the API is made of."""
