"""What other packages add to gansynth: they name it in an entry point, and it registers itself when it is imported.

A package that brings a metric says in its pyproject.toml::

    [project.entry-points."gansynth.metrics"]
    darkness = "my_package.darkness"

The groups are ``gansynth.metrics``, ``gansynth.gans``, ``gansynth.remedies``, ``gansynth.classifiers`` (each names a
module) and ``gansynth.recipes`` (each names a package with YAML files).
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points

from gansynth.errors import InputError


@cache
def plugins(group: str) -> tuple[EntryPoint, ...]:
    """Return the entry points of a group, each once, in the order of their names."""
    return tuple(sorted(set(entry_points(group=group)), key=lambda one: (one.name, one.value)))


def load_plugins(group: str) -> None:
    """Import the modules that the entry points of a group name; what they add registers itself.

    Raises
    ------
    InputError
        If one cannot be imported.
    """
    for one in plugins(group):
        try:
            import_module(one.module)
        except Exception as error:  # whatever somebody else's module fails with
            source = f" of {one.dist.name}" if one.dist is not None else ""
            raise InputError(
                f"entry point {group}: {one.name}{source} cannot be imported ({type(error).__name__}: {error}); mend "
                "or uninstall that package"
            ) from error
