"""The linear VAE's optimum in closed form, which is probabilistic PCA."""

import numpy as np
import torch


def probabilistic_pca(X, n_components):
    """Eigenvalues, directions and noise variance of probabilistic PCA, by maximum likelihood."""
    values, directions = np.linalg.eigh(np.cov(X, rowvar=False, ddof=0))
    values, directions = values[::-1], directions[:, ::-1]
    return values[:n_components], directions[:, :n_components], values[n_components:].mean()


def write_optimum(vae, X, n_components):
    """Give a fitted linear VAE the weights of the global optimum, in float64."""
    values, directions, noise = probabilistic_pca(X, n_components)
    network = vae._modules_[np.dtype(np.float64)]
    encoder, decoder = network.encoder.layers[0], network.decoder.output
    shrunk = np.sqrt(values - noise)
    with torch.no_grad():
        network.encoder.shift.copy_(-torch.tensor(X.mean(0)))
        network.encoder.factor.fill_(1.0)
        network.decoder.centre.copy_(torch.tensor(X.mean(0)))
        network.decoder.scale.fill_(1.0)
        encoder.weight.zero_()
        to_codes = torch.tensor((directions * shrunk / values).T)
        encoder.weight[:n_components] = to_codes / encoder.unit
        encoder.bias.zero_()
        encoder.bias[n_components:] = torch.tensor(0.5 * np.log(noise / values))
        decoder.weight.copy_(torch.tensor(directions * shrunk))
        decoder.bias.zero_()
        network.observation.log_scale = torch.tensor(0.5 * np.log(noise))
