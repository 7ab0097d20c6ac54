"""Benchmark: which GAN makes the best images from the same data and the same budget."""
