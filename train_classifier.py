"""Train a classifier: the same as `gansynth train-classifier` (see `python train_classifier.py --help`)."""

import sys

from gansynth.__main__ import main

if __name__ == "__main__":
    main(["train-classifier", *sys.argv[1:]])
