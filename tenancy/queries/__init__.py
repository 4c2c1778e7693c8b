"""Reading what the ground keeps."""
