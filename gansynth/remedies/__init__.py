"""Remedies: what can be done about imbalance, one small file each."""

import pkgutil
from importlib import import_module

from gansynth.plugins import load_plugins
from gansynth.remedies.arm import Arm, parse_arm, remedy_names
from gansynth.remedies.naming import slug
from gansynth.remedies.parameter import Parameter
from gansynth.remedies.remedy import GanBudget, Remedy, Workplace, register
from gansynth.remedies.treatment import Loss, Mix, Treatment

__all__ = [
    "Arm",
    "GanBudget",
    "Loss",
    "Mix",
    "Parameter",
    "Remedy",
    "Treatment",
    "Workplace",
    "parse_arm",
    "register",
    "remedy_names",
    "slug",
]

for _module in pkgutil.iter_modules(__path__):  # a remedy registers itself when its file is imported
    import_module(f"{__name__}.{_module.name}")
load_plugins("gansynth.remedies")
