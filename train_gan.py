"""Train a generator: the same as `gansynth train-gan` (see `python train_gan.py --help`)."""

import sys

from gansynth.__main__ import main

if __name__ == "__main__":
    main(["train-gan", *sys.argv[1:]])
