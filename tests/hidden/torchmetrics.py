"""Stands in the way of torchmetrics in processes that tests start: see `conftest._as_installed`."""

raise ImportError("torchmetrics comes with the extra dev only, for tests to compare with")
