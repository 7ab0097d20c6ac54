"""Naturalize: cells, red cells and slides of training images composed to new images."""
