"""TensorFlow's "same" padding of convolutions with a stride of 2, without a padded copy of the map."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


class SameConv2d(nn.Conv2d):
    """A convolution with a stride of 2 and an odd kernel, padded as TensorFlow does.

    An even map gets one row and one column more behind it than before it. A kernel with a row and a column of zeros in
    front, on a map that is padded evenly, gives the same, and the map is not copied first: on a processor the copy of a
    large map takes several times as long as a depthwise convolution of it.
    """

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[-2:]
        kernel = F.pad(self.weight, (1 - width % 2, 0, 1 - height % 2, 0))
        return F.conv2d(x, kernel, self.bias, self.stride, self.kernel_size[0] // 2, groups=self.groups)
