"""`--help` on one screen: what a command does, an example, and the options of every day; the others by name.

`--help-all` explains the others too. Which they are is said where they are declared: ``cls=Rare``.
"""

from __future__ import annotations

import inspect
import textwrap
from typing import Any

import click

SCREEN = 40
"""Lines of 80 columns that a reader sees at once."""

_EXAMPLE = "\b\nExample:"
_WHOLE = "gansynth.help-all"


class Rare(click.Option):
    """An option that most users never need."""


class OneScreen(click.Command):
    """A command whose help begins with an example and fits one screen."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the parameters, and `--help-all` before `--help`."""
        *own, last = super().get_params(ctx)
        return [*own, _help_all(), last]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read what was typed; of an option that stands before the command, say so."""
        try:
            return self._parse_rest(ctx, args)
        except click.NoSuchOption as error:
            whole = ctx.find_root()
            for option in whole.command.params if whole is not ctx else ():
                if isinstance(option, click.Option) and error.option_name in option.opts:
                    value = "" if option.is_flag else f" {option.make_metavar(whole)}"
                    program, command = ctx.command_path.split(" ", 1)
                    example = f"{program} {error.option_name}{value} {command}"
                    said = f"{error.option_name} stands before the command: {example} ..."
                    raise click.NoSuchOption(error.option_name, said, ctx=ctx) from None
            raise

    def _parse_rest(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments; of one too many, say what the command takes."""
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            first, _, rest = error.message.partition("(")
            if not first.startswith("Got unexpected extra argument"):
                raise
            takes = " ".join(one.make_metavar(ctx) for one in self.params if isinstance(one, click.Argument))
            options = (one for one in self.params if isinstance(one, click.Option) and not isinstance(one, Rare))
            named = next((max(one.opts, key=len) for one in options if not one.is_flag), "")
            others = f", and the rest by options such as {named}" * bool(named)
            said = f"{ctx.command_path} takes {takes or 'no argument'}{others}; too many: {rest.rstrip(')')}"
            raise click.UsageError(said, ctx) from None

    def get_help(self, ctx: click.Context) -> str:
        """Return the help; options that are rare are only named where the whole would not fit."""
        whole = self._help(ctx, whole=True)
        return whole if ctx.meta.get(_WHOLE) or whole.count("\n") < SCREEN else self._help(ctx, whole=False)

    def whole_help(self, ctx: click.Context) -> str:
        """Return the help with every option explained."""
        return self._help(ctx, whole=True)

    def _help(self, ctx: click.Context, *, whole: bool) -> str:
        formatter = ctx.make_formatter()
        self.format_usage(ctx, formatter)
        self.format_help_text(ctx, formatter)
        self._format_options(ctx, formatter, whole=whole)
        return formatter.getvalue().rstrip("\n")

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the first sentence, the example, then the rest."""
        paragraphs = inspect.cleandoc(self.help or "").split("\n\n")
        examples = [text for text in paragraphs if text.startswith(_EXAMPLE)]
        first, *others = [text for text in paragraphs if text not in examples]
        for text in (first, *examples, *others):
            formatter.write_paragraph()
            with formatter.indentation():
                formatter.write_text(text)

    def _format_options(self, ctx: click.Context, formatter: click.HelpFormatter, *, whole: bool) -> None:
        daily: list[tuple[str, str]] = []
        rare: list[tuple[str, str]] = []
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx) if isinstance(parameter, click.Option) else None
            if record is not None:
                (rare if isinstance(parameter, Rare) else daily).append(record)
        with formatter.section("Options"):
            formatter.write_dl(daily)
        if rare and whole:
            with formatter.section("More options"):
                formatter.write_dl(rare)
        elif rare:
            with formatter.section("More options, explained by --help-all"):
                names = ", ".join(names.split(",")[0].split(" ")[0] for names, _ in rare)
                for line in textwrap.wrap(names, formatter.width - formatter.current_indent, break_on_hyphens=False):
                    formatter.write(f"{'':{formatter.current_indent}}{line}\n")


def _help_all() -> click.Option:
    return click.Option(
        ["--help-all"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        hidden=True,
        callback=_show_whole,
        help="Show every option and exit.",
    )


def _show_whole(ctx: click.Context, _: click.Parameter, asked: bool) -> Any:
    if asked and not ctx.resilient_parsing:
        ctx.meta[_WHOLE] = True
        click.echo(ctx.get_help(), color=ctx.color)
        ctx.exit()
