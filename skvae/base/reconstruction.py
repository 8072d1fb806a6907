"""Codes, reconstructions and squared errors of rows, as computed by a network."""

__all__ = ["code", "mean_squared_error", "reconstruction", "squared_error"]


def code(network, x):
    """Return the codes of rows."""
    return network.code(x)


def reconstruction(network, x):
    """Return the reconstructions of rows: the means of p(x|z) at their codes."""
    return network.decode(network.code(x)).mean


def squared_error(network, x):
    """Return the squared error of every entry, which is NaN for a missing value."""
    likelihood = network.decode(network.code(x))
    if hasattr(likelihood, "squared_errors"):  # the network has these columns in another form
        return likelihood.squared_errors(x)
    return (likelihood.mean - x).square()


def mean_squared_error(network, x):
    """Return the mean squared error of every row, over its observed values."""
    errors = squared_error(network, x)
    if network.n_locations is None:
        return errors.mean(-1)
    known = ~x.isnan()
    if network.observation.layout.takes_holes:
        known &= ~network.observation.layout.never
    # The sum is 0 if all values of a row are missing.
    return errors.where(known, 0.0).sum(-1) / known.sum(-1).clamp(min=1)
