"""The training of a GAN, which knows no method: the loop, its state, what it shows and writes."""
