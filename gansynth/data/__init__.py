"""Data sets of labelled cell images: from class folders and published sets to one uint8 array.

`gansynth.data.loader` stands apart, since it alone needs torch.
"""

from __future__ import annotations

from gansynth.data.dataset import CellDataset
from gansynth.data.duplicates import Duplicates, find_duplicates
from gansynth.data.folders import scan_folders
from gansynth.data.info import DatasetInfo, dataset_info
from gansynth.data.mapping import scheme_names, source_names
from gansynth.data.opening import open_dataset
from gansynth.data.pack import open_pack
from gansynth.data.picture import read_image
from gansynth.data.sources import ImportReport, import_sources
from gansynth.data.split import read_splits, split_dataset, write_splits

__all__ = [
    "CellDataset",
    "DatasetInfo",
    "Duplicates",
    "ImportReport",
    "dataset_info",
    "find_duplicates",
    "import_sources",
    "open_dataset",
    "open_pack",
    "read_image",
    "read_splits",
    "scan_folders",
    "scheme_names",
    "source_names",
    "split_dataset",
    "write_splits",
]
