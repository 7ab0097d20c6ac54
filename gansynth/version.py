"""The version, apart from everything that may ask for it."""

__version__ = "0.1.0"
