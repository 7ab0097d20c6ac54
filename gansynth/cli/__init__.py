"""The `gansynth` command: parse, call the library, print. No logic lives here.

One file per group of commands. The library is imported inside the commands, so that
`gansynth --help` answers at once.
"""

from __future__ import annotations

from collections.abc import Sequence

import click

from gansynth.cli.answering import add_json_option
from gansynth.cli.arguments import hold_what_is_written, unmatched_option
from gansynth.cli.benchmark import benchmark
from gansynth.cli.classifier import classify, train_classifier
from gansynth.cli.compare import compare
from gansynth.cli.config import add_config_option
from gansynth.cli.data import data
from gansynth.cli.demo import demo
from gansynth.cli.doctor import doctor
from gansynth.cli.explain import explain
from gansynth.cli.failures import Commands
from gansynth.cli.gan import export, train_gan
from gansynth.cli.models import models
from gansynth.cli.naturalize import naturalize
from gansynth.cli.nuclei import nuclei
from gansynth.cli.quality import quality
from gansynth.cli.quiz import quiz
from gansynth.cli.remedy_search import search_remedy
from gansynth.cli.saying import saying_options
from gansynth.cli.sheet import sheet
from gansynth.cli.sweep import sweep
from gansynth.cli.synthesis import balance, generate
from gansynth.cli.walk import walk
from gansynth.cli.weights import weights
from gansynth.version import __version__


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@unmatched_option
@saying_options
@click.version_option(__version__, prog_name="gansynth")
def gansynth() -> None:
    """Fill up the rare classes of an image data set with synthetic images.

    \b
    Start here:
      gansynth demo            # the whole story in minutes, on phantom cells
      gansynth generate pbc-64 --class promyelocyte --count 100 --out synthetic
      gansynth train-gan my-cells --from pbc-64 --minutes 120 --out runs/my-cells
      gansynth balance my-cells runs/my-cells --out balanced
      gansynth quality my-cells balanced --out quality
    """


_COMMANDS = (
    data, train_gan, generate, balance, naturalize, quality, benchmark, train_classifier, classify, explain, compare,
    models, export, demo,
    search_remedy, sweep, weights, quiz, sheet, doctor, walk,
)  # fmt: skip
for _command in _COMMANDS:
    gansynth.add_command(_command)
data.add_command(nuclei)
hold_what_is_written(gansynth)
add_json_option(gansynth)
add_config_option(gansynth)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command line (default: that of the process) and return its exit status."""
    try:
        gansynth.main(args=None if arguments is None else list(arguments), prog_name="gansynth")
    except SystemExit as end:  # click always ends so
        return end.code if isinstance(end.code, int) else int(end.code is not None)
