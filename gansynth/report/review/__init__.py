"""The page on which an expert marks images to leave out."""
