import copy
import math

import pytest
import torch
from torch.nn import functional

from skvae.nn.architectures import ARCHITECTURES
from skvae.nn.convolutions import ConvolutionalDecoder, ConvolutionalEncoder
from skvae.nn.image_layers import DepthToSpace, FromOnePixel, ToMaps, ToRows

SHAPES = [(8, 8, 1), (9, 13, 2), (8, 40, 1), (28, 28, 1), (31, 32, 3), (50, 37, 5), (64, 64, 3)]
LARGE = [(130, 9, 1), (218, 178, 3), (256, 256, 1)]
architectures = pytest.mark.parametrize("architecture", ARCHITECTURES)


def make_pair(image_shape, architecture, n_components=3, seed=0):
    encoder = ConvolutionalEncoder(image_shape, 2 * n_components, architecture)
    decoder = ConvolutionalDecoder(n_components, image_shape, architecture)
    generator = torch.Generator().manual_seed(seed)
    centre = torch.linspace(-1, 1, math.prod(image_shape), dtype=torch.float64)
    for module in (encoder, decoder):
        module.initialize(generator, centre, torch.full_like(centre, 2.0))
    return encoder.double().eval(), decoder.double().eval()


def convolutions(module):
    return [layer for layer in module.modules() if hasattr(layer, "dilation")]


def maps_and_rows(module):
    """Return the layers from rows to maps or back, in the order in which they are used."""
    return [layer for layer in module.modules() if isinstance(layer, ToMaps | ToRows)]


def normal(*shape, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


@architectures
@pytest.mark.parametrize("image_shape", SHAPES + LARGE)
def test_rows_of_the_shape_asked_for_and_the_widest_place(image_shape, architecture):
    encoder, decoder = make_pair(image_shape, architecture)
    floats = {encoder: [], decoder: []}
    for module, counts in floats.items():
        for layer in module.modules():
            layer.register_forward_hook(
                lambda layer, x, y, counts=counts: counts.append(max(x[0].numel(), y.numel()))
            )
    n_features = math.prod(image_shape)
    with torch.no_grad():
        assert encoder(torch.zeros(1, n_features, dtype=torch.float64)).shape == (1, 6)
        assert decoder(normal(1, 3)).shape == (1, n_features)
    for module, counts in floats.items():
        assert module.width == max(counts)


@architectures
def test_a_pixel_is_where_the_row_in_c_order_has_it(architecture):
    # Far from the borders the first convolution commutes with a shift by its stride: the rows of
    # an image and of its shifted copy are images of each other by the same shift.
    encoder, _ = make_pair((24, 32, 2), architecture)
    encoder.shift.zero_()
    image = torch.zeros(1, 24, 32, 2, dtype=torch.float64)
    image[0, 8:12, 12:16] = normal(4, 4, 2)
    rows, convolution = maps_and_rows(encoder)[0], convolutions(encoder)[0]
    with torch.no_grad():
        first = convolution(rows(image.flatten(1)))
        shifted = convolution(rows(image.roll((2, 6), (1, 2)).flatten(1)))
    torch.testing.assert_close(first.roll((1, 3), (2, 3)), shifted, rtol=0, atol=1e-12)
    assert first.abs().amax((1, 2, 3)) > 0


@architectures
@pytest.mark.parametrize("image_shape", [(16, 24, 3), (19, 25, 1)])
def test_a_cell_of_the_last_map_reaches_a_square_of_neighbouring_pixels(image_shape, architecture):
    _, decoder = make_pair(image_shape, architecture)
    maps = []
    convolutions(decoder)[-1].register_forward_pre_hook(
        lambda layer, inputs: maps.append(inputs[0])
    )
    output = decoder(normal(1, 3)).view(image_shape)
    height, width, n_channels = image_shape
    for i, j, channel in ((3, 5, n_channels - 1), (height - 1, 0, 0), (0, width - 1, 0)):
        (gradient,) = torch.autograd.grad(output[i, j, channel], maps, retain_graph=True)
        _, _, rows, columns = gradient.shape
        where = gradient[0].abs().sum(0).nonzero()
        assert len(where) > 0
        assert (where[:, 0] - i * rows / height).abs().max() <= 2
        assert (where[:, 1] - j * columns / width).abs().max() <= 2


def test_blocks_of_the_decoder_are_depth_in_c_order():
    _, decoder = make_pair((8, 8, 3), "hybrid")
    block = [layer for layer in decoder.modules() if isinstance(layer, DepthToSpace)][-1]
    maps = normal(2, 12, 4, 4)
    image = block(maps)
    for row, column, top, left in [(0, 0, 0, 0), (2, 3, 1, 0), (3, 1, 1, 1)]:
        pixel = image[:, :, 2 * row + top, 2 * column + left]
        start = 3 * (2 * top + left)
        assert torch.equal(pixel, maps[:, start : start + 3, row, column])


@pytest.mark.parametrize("architecture", ["residual", "hybrid"])
@pytest.mark.parametrize("image_shape", [(16, 24, 3), (9, 131, 1), (130, 129, 1)])
def test_the_decoder_adds_a_picture_for_each_hidden_unit_to_its_maps(image_shape, architecture):
    _, decoder = make_pair(image_shape, architecture)
    *hidden, (maps, pictures) = [*decoder.layers[:2], decoder.layers[2].paths]
    with torch.no_grad():
        units = torch.nn.Sequential(*hidden)(normal(2, 3))
        expected = decoder.centre + decoder.scale * (maps(units) + pictures(units))
        torch.testing.assert_close(decoder(normal(2, 3)), expected)
        # The pictures are added up in proportion to the units.
        both, none = pictures(units.sum(dim=0, keepdim=True)), pictures(0 * units[:1])
        assert (both - none).abs().amax() > 0
        torch.testing.assert_close(both + none, pictures(units).sum(dim=0, keepdim=True))


@pytest.mark.parametrize("kernel", [1, (4, 4), (2, 3), (5, 1)])
@pytest.mark.parametrize("memory_format", [torch.channels_last, torch.contiguous_format])
def test_a_matrix_product_is_the_transposed_convolution_of_one_pixel(kernel, memory_format):
    theirs = torch.nn.ConvTranspose2d(6, 5, kernel, bias=False).double()
    ours = FromOnePixel(6, 5, kernel).double().to(memory_format=memory_format)
    ours.load_state_dict(theirs.state_dict())
    results = []
    for layer in (theirs, ours):
        maps = normal(7, 6, 1, 1).requires_grad_()
        output = layer(maps)
        (output * normal(*output.shape, seed=2)).sum().backward()
        results.append((output, maps.grad, layer.weight.grad))
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-13)
    assert results[1][0].is_contiguous(memory_format=torch.channels_last)
    assert ours.weight.grad.is_contiguous(memory_format=memory_format)


def test_the_papers_decoder_begins_with_matrix_products():
    _, decoder = make_pair((64, 64, 3), "paper", n_components=32)
    kinds = [isinstance(layer, FromOnePixel) for layer in convolutions(decoder)]
    assert kinds == [True, True, False, False, False, False]
    assert decoder.layers[4].weight.shape == (512, 256, 4, 4)


@architectures
def test_constants_act_as_scaled_rows_and_outputs(architecture):
    image_shape, n_features = (9, 12, 2), 216
    encoder, decoder = make_pair(image_shape, architecture)
    centre, scale = normal(n_features), normal(n_features, seed=2).exp()
    scale[:20] = 0
    for module in (encoder, decoder):
        module.initialize(torch.Generator().manual_seed(0), centre, scale)
    x, z = normal(4, n_features), normal(4, 3)
    with torch.no_grad():
        scaled = torch.where(scale > 0, (x - centre) / scale, 0.0)
        torch.testing.assert_close(encoder(x), encoder.layers(scaled))
        torch.testing.assert_close(decoder(z), centre + scale * decoder.layers(z))


@architectures
def test_outputs_do_not_depend_on_the_batch(architecture):
    encoder, decoder = make_pair((20, 17, 3), architecture)
    x, z = normal(7, 1020), normal(7, 3)
    with torch.no_grad():
        for module, rows in ((encoder, x), (decoder, z)):
            module.train()
            module(rows)  # the running statistics are no longer those of the start
            module.eval()
            alone = torch.cat([module(row) for row in rows.split(1)])
            torch.testing.assert_close(module(rows), alone, rtol=0, atol=1e-12)


def test_batch_normalisation_is_of_the_batch_in_training_and_of_the_past_in_evaluation():
    encoder, _ = make_pair((16, 16, 1), "paper")
    rows, convolution, norm = encoder.layers[:3]
    x = normal(5, 256)
    with torch.no_grad():
        maps = convolution(rows(x))
        encoder.train()
        ours = norm(maps)
        theirs = functional.batch_norm(maps, None, None, training=True, eps=1e-3)
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)
        mean, variance = 0.1 * maps.mean((0, 2, 3)), 0.9 + 0.1 * maps.var((0, 2, 3))
        encoder.eval()
        theirs = functional.batch_norm(maps, mean, variance, eps=1e-3)
        torch.testing.assert_close(norm(maps), theirs, rtol=0, atol=1e-12)


@architectures
def test_weights_come_from_the_generator_alone(architecture):
    state = torch.get_rng_state()
    first, second, other = (make_pair((12, 10, 2), architecture, seed=seed) for seed in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), state)
    for module, same, different in zip(first, second, other, strict=True):
        assert all(
            torch.equal(tensor, same.state_dict()[name])
            for name, tensor in module.state_dict().items()
        )
        for name, parameter in module.named_parameters():
            if name.endswith("weight") and parameter.ndim > 1:
                assert not torch.equal(parameter, different.get_parameter(name)), name


@architectures
def test_initialize_starts_everything_afresh(architecture):
    centre, scale = normal(240), normal(240, seed=2).exp()
    for module, n_inputs in zip(make_pair((12, 10, 2), architecture), (240, 3), strict=True):
        module.initialize(torch.Generator().manual_seed(5), centre, scale)
        before = copy.deepcopy(module.state_dict())
        module.train()
        module(normal(6, n_inputs)).square().sum().backward()
        with torch.no_grad():
            for parameter in module.parameters():
                parameter.add_(parameter.grad)
        module.initialize(torch.Generator().manual_seed(5), centre, scale)
        assert all(torch.equal(before[name], now) for name, now in module.state_dict().items())


@architectures
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("n_channels", [1, 3])
def test_maps_stay_channels_last_and_rows_are_views(architecture, n_channels, dtype):
    encoder, decoder = (
        module.to(dtype) for module in make_pair((32, 48, n_channels), architecture)
    )
    modules = [
        (decoder.train(), normal(4, 3).to(dtype)),
        (encoder.train(), normal(4, 32 * 48 * n_channels).to(dtype)),
    ]
    seen = []
    for module, rows in modules:
        for layer in [*convolutions(module), *maps_and_rows(module)]:
            layer.register_forward_hook(lambda layer, x, y: seen.append((layer, x[0], y)))
        module(rows)
    assert len(seen) > 6
    for layer, x, y in seen:
        for maps in (x, y):
            if maps.ndim == 4:
                assert maps.is_contiguous(memory_format=torch.channels_last)
        if isinstance(layer, ToMaps | ToRows):
            assert y.data_ptr() == x.data_ptr()
            assert y.ndim == 4 or y.is_contiguous()


def test_number_of_weights_of_the_papers_network():
    # Kernels of 16 pixels between these numbers of channels, two numbers for each channel that
    # is normalised, and dense heads for a map of one pixel.
    encoder, decoder = make_pair((64, 64, 3), "paper", n_components=32)
    channels = [(3, 64), (64, 128), (128, 128), (128, 256), (256, 512), (512, 64)]
    norms = 2 * (64 + 128 + 128 + 256 + 512)
    expected = 16 * sum(a * b for a, b in channels) + norms + 64 * 64 + 64
    assert sum(parameter.numel() for parameter in encoder.parameters()) == expected
    channels = [(512, 256), (256, 128), (128, 128), (128, 64), (64, 3)]
    expected = 32 * 512 + 16 * sum(a * b for a, b in channels) + norms + 3
    assert sum(parameter.numel() for parameter in decoder.parameters()) == expected
    sides = [layer.negative_slope for layer in encoder.layers if hasattr(layer, "negative_slope")]
    assert sides == [0.3] * 5


def test_the_papers_maps_halve_to_one_pixel_and_back():
    encoder, decoder = make_pair((64, 50, 3), "paper")
    shapes = {encoder: [], decoder: []}
    for module, seen in shapes.items():
        for layer in convolutions(module):
            layer.register_forward_hook(
                lambda layer, x, y, seen=seen: seen.append(tuple(y.shape[1:]))
            )
    decoder(encoder(normal(1, 9600))[:, :3])
    assert shapes[encoder] == [
        (64, 32, 25), (128, 16, 12), (128, 8, 6), (256, 4, 3), (512, 2, 1), (6, 1, 1)
    ]  # fmt: skip
    assert shapes[decoder] == [
        (512, 1, 1), (256, 4, 3), (128, 8, 6), (128, 16, 12), (64, 32, 25), (3, 64, 50)
    ]  # fmt: skip


@architectures
def test_head_is_the_last_layer(architecture):
    encoder, _ = make_pair((10, 11, 1), architecture)
    with torch.no_grad():
        encoder.head.weight[3:] = 0
        encoder.head.bias[3:] = -1
        outputs = encoder(normal(4, 110))
    assert encoder.head.weight.shape[0] == 6
    assert torch.equal(outputs[:, 3:], torch.full_like(outputs[:, 3:], -1.0))


@architectures
def test_decoder_begins_near_the_centre(architecture):
    _, decoder = make_pair((32, 32, 3), architecture, n_components=16)
    decoder.train()
    with torch.no_grad():
        offset = (decoder(normal(50, 16)) - decoder.centre) / decoder.scale
    assert 0 < offset.std() < 0.2


@architectures
def test_single_precision_is_the_same_function(architecture):
    encoder, decoder = make_pair((16, 21, 3), architecture)
    for module, rows in ((encoder, normal(3, 1008)), (decoder, normal(3, 3))):
        with torch.no_grad():
            expected = module(rows)
            ours = copy.deepcopy(module).float()(rows.float())
        assert ours.dtype == torch.float32
        torch.testing.assert_close(ours.double(), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("image_shape", [(7, 8, 1), (8, 257, 3), (8, 8, 0)])
def test_sizes_that_are_refused(image_shape):
    message = (
        r"The image networks need a height and a width from 8 to 256 and at least one channel\. "
        rf"Got image_shape=\({', '.join(map(str, image_shape))}\) instead\. Resize the images, or "
        r"leave out image_shape\."
    )
    for architecture in ARCHITECTURES:
        with pytest.raises(ValueError, match=message):
            ConvolutionalEncoder(image_shape, 2, architecture)
        with pytest.raises(ValueError, match=message):
            ConvolutionalDecoder(2, image_shape, architecture)
