"""The base class of the transformers: parameters, ``fit``, ``partial_fit``, weights, pickles."""

from collections.abc import Mapping
from os import PathLike
from typing import Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skvae._typing import MatrixLike
from skvae.base.fitted import attributes_with_weights
from skvae.base.fitting import FittingMixin
from skvae.base.hooks import ModelHooks
from skvae.base.hyperparameters import SharedParameters
from skvae.base.pickling import pack, unpack
from skvae.base.sampling import SamplingMixin
from skvae.base.sklearn_bases import only_if
from skvae.base.sklearn_callbacks import CallbackSupportMixin, watched_fit, with_callbacks
from skvae.base.states import adopt, snapshot

__all__ = ["BaseAutoencoderTransformer"]


def _makes_whole_passes(estimator: Any) -> bool:
    """Return True if the estimator has ``partial_fit``, or raise an error that says why not."""
    if isinstance(estimator.early_stopping, (bool, np.bool_)) and estimator.early_stopping:
        raise AttributeError(
            "partial_fit makes a single pass over a chunk, and cannot stop early. Got "
            "early_stopping=True instead. Set early_stopping=False, or use fit."
        )
    return True


class BaseAutoencoderTransformer(
    FittingMixin, ModelHooks, SamplingMixin, CallbackSupportMixin, SharedParameters
):
    """The base class of all autoencoders: ``fit``, the methods of a fitted model, pickles.

    A final class defines the network (``_network``) and the objective (``_objective``). ``fit``
    makes a plan of the two, and trains by it.
    """

    @with_callbacks
    def fit(
        self,
        X: MatrixLike,
        y: Any = None,
        *,
        X_val: MatrixLike | None = None,
        checkpoint: str | PathLike[str] | None = None,
    ) -> Self:
        """Train on X.

        There is no ``sample_weight``. With mini-batches, an integer weight is not the same as a
        repeated row. Repeat the rows instead.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training rows, at least two, of any numeric dtype. Batches are converted one by one. So
            a memory map stays on the disk, and a sparse matrix stays sparse.
        y : ignored
            Present for pipelines. It may have any value.
        X_val : {array-like, sparse matrix} of shape (n_validation, n_features), default=None
            Validation rows for early stopping, at least two. None: ``validation_fraction`` of X is
            held out.
        checkpoint : str or path-like, default=None
            A file in which the state of the fit is saved: between two epochs, about every ten
            seconds, and at the end. If the file does not exist, the fit starts from the beginning.
            If a fit was killed, call ``fit`` again with the same parameters, rows and file. It
            continues from the file. On the same machine, with the same versions and number of
            threads, its result is the same bit by bit as without the interruption. If the fit in
            the file is complete, the call returns its result at once. The file contains no code.
            It needs ``pip install skvae[save]``. Two things are not restored: the random state of
            layers in your own modules, and state of callbacks that the file does not contain.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter is out of its range; if X has fewer than two rows, NaN or infinite
            entries, or values outside the support of the likelihood; if ``X_val`` is given
            without ``early_stopping``; if the loss does not stay finite. The estimator is
            then unfitted. After a warm start, it stays as it was.
        SavingError
            A ``ValueError``. If the checkpoint belongs to a different fit, is damaged, or is
            another kind of file. The file is not changed.

        Warns
        -----
        CheckpointWarning
            If the checkpoint cannot be written. The fit continues.

        Examples
        --------
        >>> import tempfile
        >>> from pathlib import Path
        >>> from sklearn.base import clone
        >>> from sklearn.datasets import load_iris
        >>> from skvae import VAETransformer
        >>> X = load_iris().data
        >>> vae = VAETransformer(2, max_epochs=5, random_state=0)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder) / "fit.checkpoint"
        ...     fitted = clone(vae).fit(X, checkpoint=path)
        ...     again = clone(vae).fit(X, checkpoint=path)  # trains no more
        >>> bool((fitted.transform(X) == again.transform(X)).all())
        True
        """
        return self._train(
            X,
            X_val,
            resume=self.warm_start and hasattr(self, "net_"),
            n_epochs=self.max_epochs,
            keep=self.warm_start,
            whole=True,
            task=watched_fit(self, X, y),
            path=checkpoint,
        )

    @only_if(_makes_whole_passes)
    def partial_fit(self, X: MatrixLike, y: Any = None) -> Self:
        """Make one pass over X, which is one chunk of the data.

        The first call on an unfitted estimator draws the weights. It also computes two things from
        its chunk: the scales of the network, and the PCA from which the linear maps and the noise
        variance start. So the first chunk should be typical of the data.

        Further calls continue with the state of the optimizer and of the random numbers. A ``fit``
        without ``warm_start`` keeps neither, so a call after it starts with new ones. Callbacks
        start again in every call. Each call counts as one epoch in ``n_iter_``, and adds its
        number of rows to ``n_samples_seen_``.

        k calls with the same X equal ``fit`` with ``max_epochs=k``, with two exceptions: callbacks,
        and the N of a :class:`~skvae.BetaTCVAETransformer`, which is the number of rows seen so far
        unless ``n_samples`` is set. A learned noise variance is computed from the residual of the
        last chunk.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows, at least two.
        y : ignored
            Present for pipelines. It may have any value.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            In the same cases as in ``fit``. An estimator that was fitted stays as it was.
        AttributeError
            If ``early_stopping=True``, since ``partial_fit`` is not available then.
        """
        resume = hasattr(self, "net_")
        n_seen = self.n_samples_seen_ if resume else 0
        return self._train(X, resume=resume, n_epochs=1, n_seen=n_seen, keep=True)

    def load_weights(self, weights: Mapping[str, Any], X: MatrixLike) -> Self:
        """Load weights that were trained elsewhere, for example by several processes.

        To train elsewhere, copy ``net_.module_``, and minimise ``net_.criterion_``. A learned noise
        variance is computed again from X, and so is the density of codes from which the
        autoencoder samples. ``history_`` and ``n_iter_`` do not change. ``net_`` is a new net
        without callbacks. Further training starts with a new optimizer.

        Parameters
        ----------
        weights : dict of {str: tensor or ndarray}
            The state dict of the trained copy, on any device.
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The rows on which the copy was trained, or many of them; at least two.

        Returns
        -------
        self : object
            The estimator with these weights.

        Raises
        ------
        ValueError
            If the weights belong to a different network, or are not all finite. The estimator
            stays as it was.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn.datasets import load_iris
        >>> from skvae import VAETransformer
        >>> X = load_iris().data
        >>> long = VAETransformer(2, max_epochs=5, random_state=0).fit(X)
        >>> short = VAETransformer(2, max_epochs=1, random_state=0).fit(X)
        >>> short.load_weights(long.net_.module_.state_dict(), X).n_iter_
        1
        >>> np.allclose(short.transform(X), long.transform(X))
        True
        """
        check_is_fitted(self)
        X = self._training_rows(X, reset=False)
        adopt(self, attributes_with_weights(snapshot(self), weights, X))
        return self

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = self._takes_holes
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    def __getstate__(self):
        return pack(super().__getstate__())

    def __setstate__(self, state):
        super().__setstate__(unpack(type(self), state))
