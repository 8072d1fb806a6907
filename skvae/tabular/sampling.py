"""Draw rows from a fitted pipeline, as a table."""

from typing import Any

from skvae._typing import Depends, Estimator, Seed
from skvae.base.pipelines import split_last

__all__ = ["sample_frame"]


def sample_frame(
    pipeline: Estimator, n_samples: int = 1, *, random_state: Seed = None, **options: Any
) -> Depends:
    """Draw rows from the model in a pipeline, and apply the inverses of the steps before it.

    Parameters
    ----------
    pipeline : Pipeline
        A fitted pipeline, or a search over one. It contains a model with ``sample``. Every step
        before the model has an ``inverse_transform``, as a :class:`TableEncoder` has. Steps after
        the model are ignored.
    n_samples : int, default=1
        Number of rows.
    random_state : int, RandomState instance or None, default=None
        Seeds the model's ``sample``. With None, every call draws different rows.
    **options
        Further arguments of the model's ``sample``, such as ``latent``. VAEs also take
        ``observation_noise=True``: rows are then drawn from p(x|z) and are not its means.

    Returns
    -------
    DataFrame or ndarray of shape (n_samples, n_features)
        Rows in the type, columns and dtypes of the table that the pipeline was fitted to.

    Raises
    ------
    ValueError
        If no step has ``sample``.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.pipeline import make_pipeline
    >>> from skvae import VAETransformer
    >>> from skvae.tabular import TableEncoder, sample_frame
    >>> frame = pd.DataFrame({"size": range(40), "kind": ["small"] * 20 + ["large"] * 20})
    >>> vae = VAETransformer(1, max_epochs=20, random_state=0)
    >>> rows = sample_frame(make_pipeline(TableEncoder(), vae).fit(frame), 3, random_state=0)
    >>> rows.shape, rows.dtypes.equals(frame.dtypes)
    ((3, 2), True)
    """
    before, model = split_last(pipeline, "sample")
    if not hasattr(model, "sample"):
        raise ValueError(
            f"sample_frame needs a pipeline with a model that has the method sample. Got "
            f"{type(model).__name__} as the last step instead. Use a VAE as this step."
        )
    rows = model.sample(n_samples, random_state=random_state, **options)
    for steps in reversed(before):
        rows = steps.inverse_transform(rows)
    return rows
