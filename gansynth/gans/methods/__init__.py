"""The GANs, one file each. One that is put here is found: it registers itself when its file is imported."""

import pkgutil
from importlib import import_module

for _module in pkgutil.iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")
