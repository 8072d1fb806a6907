"""What a network makes of rows: codes, reconstructions, and how far these are off."""

__all__ = ["code", "mean_squared_error", "reconstruction", "squared_error"]


def code(network, x):
    """Return the codes of rows."""
    return network.code(x)


def reconstruction(network, x):
    """Return the means that the codes of rows decode to."""
    return network.decode(network.code(x)).mean


def squared_error(network, x):
    """Return the squared error of every entry, NaN where nothing was observed."""
    likelihood = network.decode(network.code(x))
    if hasattr(likelihood, "squared_errors"):  # of columns that a network has in another form
        return likelihood.squared_errors(x)
    return (likelihood.mean - x).square()


def mean_squared_error(network, x):
    """Return the mean squared error of every row, over what was observed of it."""
    errors = squared_error(network, x)
    if network.n_locations is None:
        return errors.mean(-1)
    known = ~x.isnan()
    if network.observation.layout.takes_holes:
        known &= ~network.observation.layout.never
    # Of a row of holes alone the sum is 0.
    return errors.where(known, 0.0).sum(-1) / known.sum(-1).clamp(min=1)
