"""Search: a remedy's parameters, chosen on training images only."""
