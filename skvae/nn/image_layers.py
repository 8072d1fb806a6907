"""The layers of image networks, which keep torch's channels-last layout.

A row is an image (height, width, channels) in C order. In the channels-last layout, maps
(n, channels, height, width) are views of such rows, so no data are copied.
"""

from torch import nn

__all__ = [
    "Conv",
    "DepthToSpace",
    "Empty",
    "FromOnePixel",
    "Linear",
    "Residual",
    "Sum",
    "ToMaps",
    "ToRows",
    "TransposedConv",
    "normalized",
]

GROUP = 16  # filters normalised together; the best number of Y. Wu and K. He (2018, ECCV)


class Empty:
    """Mixin for a layer that draws no weights when it is created."""

    def reset_parameters(self):
        pass


class Linear(Empty, nn.Linear):
    """A dense layer."""


class Conv(Empty, nn.Conv2d):
    """A convolution."""


class TransposedConv(Empty, nn.ConvTranspose2d):
    """A transposed convolution."""


class FromOnePixel(TransposedConv):
    """A transposed convolution of maps of one pixel, without bias, as a matrix product.

    torch's own transposed convolution takes three times as long. In the channels-last layout, the
    weights and the output maps are views.
    """

    def __init__(self, n_inputs, n_filters, kernel):
        super().__init__(n_inputs, n_filters, kernel, bias=False)

    def forward(self, maps):
        weights = self.weight.permute(0, 2, 3, 1)
        _, *shape = weights.shape
        return (maps.flatten(1) @ weights.flatten(1)).view(-1, *shape).permute(0, 3, 1, 2)


class ToMaps(nn.Module):
    """Convert rows (n, height * width * channels) to maps (n, channels, height, width), a view."""

    def __init__(self, height, width, channels):
        super().__init__()
        self.shape = (height, width, channels)

    def forward(self, rows):
        return rows.view(-1, *self.shape).permute(0, 3, 1, 2)


class ToRows(nn.Module):
    """Convert maps (n, channels, height, width) to rows, a view of channels-last maps."""

    def forward(self, maps):
        return maps.permute(0, 2, 3, 1).flatten(1)


class Sum(nn.Module):
    """The sum of the outputs of two paths of layers with the same input."""

    def __init__(self, first, second):
        super().__init__()
        self.paths = nn.ModuleList(nn.Sequential(*path) for path in (first, second))

    def forward(self, x):
        return self.paths[0](x) + self.paths[1](x)


class DepthToSpace(nn.Module):
    """Convert a pixel of depth (block, block, channels) to a block of pixels; cut the border."""

    def __init__(self, block, height, width):
        super().__init__()
        self.block, self.height, self.width = block, height, width

    def forward(self, maps):
        n, depth, rows, columns = maps.shape
        block, channels = self.block, depth // self.block**2
        maps = maps.permute(0, 2, 3, 1).reshape(n, rows, columns, block, block, channels)
        rows, columns = rows * block, columns * block
        maps = maps.transpose(2, 3).reshape(n, rows, columns, channels).permute(0, 3, 1, 2)
        top, left = -((self.height - rows) // 2), -((self.width - columns) // 2)
        return maps[:, :, top : top + self.height, left : left + self.width]


class Residual(nn.Module):
    """A residual block: maps plus a convolution of them. It starts near the identity."""

    def __init__(self, n_filters):
        super().__init__()
        self.change = nn.Sequential(
            *normalized(n_filters), Conv(n_filters, n_filters, 3, padding=1)
        )

    def forward(self, maps):
        return maps + self.change(maps)


def normalized(n_filters):
    """Return a group normalisation, which treats every image separately, and SiLU."""
    return [nn.GroupNorm(max(1, n_filters // GROUP), n_filters), nn.SiLU()]
