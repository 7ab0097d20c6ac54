"""`gansynth doctor`."""

from __future__ import annotations

import click

from gansynth.cli.answering import answer
from gansynth.cli.arguments import Number, device_option
from gansynth.cli.screen import OneScreen


@click.command(cls=OneScreen)
@click.option(
    "--seconds", type=Number(0, 20), default=12.0, show_default=True, help="Of the speed test; 0 leaves it out."
)
@device_option
def doctor(seconds: float, device: str) -> None:
    """Say what this machine has, and how fast it trains.

    \b
    Example:
      gansynth doctor
      gansynth doctor --seconds 0 --json > machine.json

    Versions, device, threads, bfloat16, free space, weights, and a short training on noise that says how many images a
    second to expect. Nothing is written.
    """
    from gansynth.cli.tables import checkup_table
    from gansynth.doctor import check_up

    found = check_up(device=device, seconds=seconds)
    answer(found.to_json, lambda: checkup_table(found))
