import pytest
import torch

from skvae.nn.perceptrons import ACTIVATIONS, PerceptronDecoder, PerceptronEncoder


@pytest.mark.parametrize("activation", [*ACTIVATIONS, torch.nn.Softplus])
@pytest.mark.parametrize("hidden", [(), (5,), (7, 3)])
def test_layers_have_the_widths_asked_for(activation, hidden):
    encoder = PerceptronEncoder(4, 2, hidden, activation)
    encoder.initialize(torch.Generator().manual_seed(0), torch.zeros(4), torch.ones(4))
    linears = [layer for layer in encoder.layers if isinstance(layer, torch.nn.Linear)]
    assert [(layer.in_features, layer.out_features) for layer in linears] == list(
        zip((4, *hidden), (*hidden, 2), strict=True)
    )
    assert encoder(torch.ones(3, 4)).shape == (3, 2)


def test_constants_centre_and_scale_the_rows_and_come_back():
    centre, scale = torch.tensor([1.0, -2.0]), torch.tensor([2.0, 0.5])
    encoder = PerceptronEncoder(2, 3, (), "relu")
    encoder.initialize(torch.Generator().manual_seed(0), centre, scale)
    x = torch.tensor([[3.0, -2.5]])
    assert torch.allclose(encoder(x), encoder.layers((x - centre) / scale))
    assert encoder.head is encoder.layers[-1]
    decoder = PerceptronDecoder(3, 2, (), "relu")
    decoder.initialize(torch.Generator().manual_seed(0), centre, scale)
    z = torch.ones(1, 3)
    assert torch.allclose(decoder(z), centre + scale * decoder.output(z))


def test_a_constant_column_is_left_out():
    encoder = PerceptronEncoder(2, 1, (), "relu")
    encoder.initialize(torch.Generator().manual_seed(0), torch.zeros(2), torch.tensor([1.0, 0.0]))
    assert torch.equal(encoder(torch.tensor([[1.0, 5.0]])), encoder(torch.tensor([[1.0, 9.0]])))
