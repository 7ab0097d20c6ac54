"""The page of a quiz."""
