"""What any training needs and no method: the folder and its claim, state, weights, journal, device, progress."""
