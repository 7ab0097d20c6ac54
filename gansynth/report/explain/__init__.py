"""The sheets of an explanation."""
