"""The pages of a quality study."""
