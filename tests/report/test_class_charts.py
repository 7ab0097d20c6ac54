"""Charts with a row for each class or arm have room for what their rows are called."""

import warnings

from gansynth.metrics.estimate import Estimate
from gansynth.report.class_charts import Mark, dodged_chart
from gansynth.report.drawing import REAL


def test_a_row_named_after_a_deep_folder_leaves_room_for_its_marks() -> None:
    arm = f"augmentation+/{'a-long-folder/' * 12}run+supplement:screen=0.5:finish=0.2+logit-adjustment"
    rows = [(arm, [Estimate(0.7, 10, (0.6, 0.8))]), ("none", [Estimate(0.5, 10, (0.4, 0.6))])]
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # matplotlib warns where a label takes all of a chart
        drawn = dodged_chart(rows, (Mark("classes", REAL, "o"),), xlabel="macro F1")
    assert "a-long-folder" not in drawn
