"""What a network makes of rows: their codes, their reconstructions, and how far these are off."""

__all__ = ["code", "mean_squared_error", "reconstruction", "squared_error"]


def code(network, x):
    """Return the codes of rows."""
    return network.code(x)


def reconstruction(network, x):
    """Return what the codes of rows decode to."""
    return network.decode(network.code(x)).mean


def squared_error(network, x):
    """Return the squared error of every entry."""
    likelihood = network.decode(network.code(x))
    if hasattr(likelihood, "squared_errors"):  # of columns that a network has in another form
        return likelihood.squared_errors(x)
    return (likelihood.mean - x).square()


def mean_squared_error(network, x):
    """Return the mean of the squared errors of a row, over what is observed of it."""
    errors = squared_error(network, x)
    if network.n_locations is None:
        return errors.mean(-1)
    return errors.nanmean(-1).nan_to_num(nan=0.0)  # of a row of holes alone there is none
