"""Studies: how good synthetic images are (`quality`), which GAN makes the best (`benchmark`), what helps (`compare`).

A shelf each. The functions are `gansynth.quality`, `gansynth.benchmark`, ...: here a shelf would hide its own.
"""
