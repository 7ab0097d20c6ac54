"""The pages of a sweep."""
