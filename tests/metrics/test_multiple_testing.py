"""Claims about p values of several tests taken together."""

from __future__ import annotations

import numpy as np
import pytest

from gansynth.metrics.multiple_testing import holm


def test_holm_accuses_only_what_stands_after_the_correction() -> None:
    corrected = holm([0.001, np.nan, 0.02, 0.04])
    assert corrected[[0, 2, 3]] == pytest.approx([0.003, 0.04, 0.04]) and np.isnan(corrected[1])
    assert holm([0.9, 0.8]).tolist() == [1, 1] and len(holm([])) == 0
