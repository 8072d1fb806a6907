"""What the user touches: the parameters and the life of an estimator, from ``fit`` to pickle."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted

from skvae._typing import MatrixLike
from skvae.base.cautions import warn_of_hidden_columns
from skvae.base.fitted import attributes_of, attributes_so_far, attributes_with_weights
from skvae.base.hyperparameters import SharedParameters
from skvae.base.inference import InferenceMixin
from skvae.base.pickling import pack, unpack
from skvae.base.planning import plan_of_fit, start_of
from skvae.base.sklearn_bases import only_if
from skvae.base.sklearn_callbacks import CallbackSupportMixin, watched_fit, with_callbacks
from skvae.base.states import adopt, fitted_as_a_whole, snapshot
from skvae.base.validation import check_flat, valid_rows
from skvae.nn.objectives import Objective
from skvae.training.devices import check_device
from skvae.training.run import TrainingRun
from skvae.training.splitting import split_rows
from skvae.training.threads import in_threads_for

__all__ = ["BaseAutoencoderTransformer"]


def _makes_whole_passes(estimator: Any) -> bool:
    """Say why an estimator with early stopping has no ``partial_fit``."""
    if isinstance(estimator.early_stopping, (bool, np.bool_)) and estimator.early_stopping:
        raise AttributeError(
            "partial_fit makes one pass over a chunk, which early stopping cannot judge. Got "
            "early_stopping=True instead. Set early_stopping=False, or use fit."
        )
    return True


class BaseAutoencoderTransformer(InferenceMixin, CallbackSupportMixin, SharedParameters):
    """What the autoencoders share: ``fit``, the methods of a fitted one, the pickle.

    A final class says what is computed (``_network``) and what is minimised (``_objective``).
    ``fit`` makes a plan of the two, and has it carried out.
    """

    @abstractmethod
    def _network(self, n_features):
        """Return the network, its own weights not yet drawn."""

    @abstractmethod
    def _objective(self, n_samples: int) -> Objective:
        """Return the objective for batches drawn from ``n_samples`` rows."""

    @abstractmethod
    def _tolerance(self, n_features):
        """Return ``tol`` in the units of the objective."""

    _parts_ = None  # the columns of every likelihood, where there are several
    _takes_holes = False  # whether NaN stands for what was not observed

    def _take_columns(self, X, rows, reset):
        """Look up the columns of X, as given, that parameters name; ``rows`` are those of X."""

    def _check_support(self, statistics, X, rows):
        """Refuse data that the likelihood gives no density."""

    def _measured(self, statistics):
        """Return the statistics of what has a unit."""
        return statistics

    def _statistics_of_inputs(self, network, rows, statistics):
        """Return the statistics of what the encoder reads, and other means for the decoder."""
        return statistics, None

    def _column_scale(self, statistics):
        """Return the scale of every column that the network works in."""
        shared = np.sqrt(statistics.variance.mean())
        return np.full_like(statistics.mean, shared if shared > 0 else 1.0)

    def _loss_unit(self, statistics):
        """Return what the optimizer's loss is divided by."""
        return 1.0

    def _schedule(self, objective):
        """Give an objective what changes its penalties over the epochs."""

    def _start(self, network, rows, statistics, generator):
        """Set what training begins with besides the weights."""

    def _resume(self, network):
        """Set what a parameter that was changed since changes in a network trained so far."""

    def _conclude(self, network, batches):
        """Set what follows from the trained weights; return further fitted attributes."""
        return {}

    def _caution(self, run):
        """Warn of what a whole fit has left undone."""
        self._warn_of_hidden_columns(run, remedy="Scale X.", dominated=True)

    def _warn_of_hidden_columns(self, run, **options):
        if self._decodes_rows() and self.image_shape is None:
            names = getattr(self, "feature_names_in_", None)
            warn_of_hidden_columns(run.net.module_, run.batches, names, **options)

    def _decodes_rows(self):
        """Return whether the decoder's output has the units of rows."""
        return True

    def _begins_near_linear(self):
        """Return whether our networks begin near a linear map, or at random weights.

        Under a squared error the former learn in fewer steps. Logits are another matter: codes
        that begin together near zero open by several factors at a time.
        """
        return self._decodes_rows()

    @with_callbacks
    def fit(self, X: MatrixLike, y: Any = None, *, X_val: MatrixLike | None = None) -> Self:
        """Train on X.

        There is no ``sample_weight``: under mini-batches an integer weight does not equal a
        repeated row. Repeat the rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training rows, at least two, of any numeric dtype. A memory map stays on the disk, a
            sparse matrix sparse: batches are converted one by one.
        y : ignored
            Present for pipelines; may be anything.
        X_val : {array-like, sparse matrix} of shape (n_validation, n_features), default=None
            The rows that early stopping watches, at least two; None holds out
            ``validation_fraction`` of X.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter is out of its range; if X has fewer than two rows, NaN or infinite
            entries, or values outside the likelihood's support; if ``X_val`` comes
            without ``early_stopping``; if the loss does not stay finite. The estimator is
            then unfitted (after a warm start: as it was).
        """
        return self._train(
            X,
            X_val,
            resume=self.warm_start and hasattr(self, "net_"),
            n_epochs=self.max_epochs,
            keep=self.warm_start,
            whole=True,
            task=watched_fit(self, X, y),
        )

    @only_if(_makes_whole_passes)
    def partial_fit(self, X: MatrixLike, y: Any = None) -> Self:
        """Make one pass over X, one chunk of data that do not come at once.

        The first call on an unfitted estimator draws the weights, and takes from its chunk the
        scales of the network and the PCA that the linear maps and the noise variance begin at, so
        let that be a typical one. Further calls go on with the state of the optimizer and of the
        random numbers (after a ``fit`` without ``warm_start``, which keeps neither, with new ones);
        callbacks begin anew at every call. Each call counts as an epoch (``n_iter_``) whatever its
        rows, and as those rows in ``n_samples_seen_``. k calls with the same X are ``fit`` with
        ``max_epochs=k``, but for callbacks, and for the N of a
        :class:`~skvae.BetaTCVAETransformer`: the rows seen so far, unless ``n_samples`` tells
        it. A learned noise variance is set by the residual of the last chunk.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows, at least two.
        y : ignored
            Present for pipelines; may be anything.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            As ``fit`` does. An estimator that was fitted stays as it was.
        AttributeError
            With ``early_stopping=True``, under which there is no ``partial_fit``.
        """
        resume = hasattr(self, "net_")
        n_seen = self.n_samples_seen_ if resume else 0
        return self._train(X, resume=resume, n_epochs=1, n_seen=n_seen, keep=True)

    def load_weights(self, weights: Mapping[str, Any], X: MatrixLike) -> Self:
        """Take weights that were trained elsewhere, on several processes say.

        ``net_.module_`` is what to train a copy of, and ``net_.criterion_`` what it minimises.
        A learned noise variance, and the autoencoder's density of codes to sample from, are set
        on X. ``history_`` and ``n_iter_`` remain those of the training here; ``net_`` is a new
        one, without callbacks, and further training begins with a new optimizer.

        Parameters
        ----------
        weights : dict of {str: tensor or ndarray}
            The state dict of such a copy, on any device.
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The rows that it was trained on, or many of them; at least two.

        Returns
        -------
        self : object
            The estimator with these weights.

        Raises
        ------
        ValueError
            If the weights are those of another network, or not all finite. The estimator stays
            as it was.

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

    @torch.inference_mode(mode=False)
    @torch.enable_grad()
    def _train(self, X, X_val=None, *, resume, **training):
        """Take the fitted attributes of a training, all at once.

        On failure none are left, or those of before where training was to ``resume``. Until the
        end other threads find the state of before.
        """
        if resume:
            adopt(self, snapshot(self)._trained(X, X_val, resume=True, **training))
        else:
            with fitted_as_a_whole(self) as fresh:
                adopt(fresh, fresh._trained(X, X_val, resume=False, **training))
        return self

    def _trained(self, X, X_val, *, resume, n_epochs, keep, whole=False, n_seen=0, task=None):
        """Validate, plan, train, and return the fitted attributes.

        The states of the optimizer and of the generator stay only to ``keep`` on from them. Only
        of ``whole`` data is it said what was left undone.
        """
        X, X_val = self._validated(X, X_val, reset=not resume)
        start = start_of(self, resume=resume, n_seen=n_seen)
        validation_fraction = self.validation_fraction if self.early_stopping else None
        rows = split_rows(X, X_val, validation_fraction, start.split_seed)
        plan = plan_of_fit(self, rows, start, n_epochs=n_epochs, keep=keep)
        run = TrainingRun(plan, rows, start)
        step = plan.batch_size * plan.network.n_weights
        fitted = in_threads_for(step, lambda: self._carried_out(run, keep, task))
        if whole:
            self._caution(run)
        return fitted

    def _carried_out(self, run, keep, task):
        """Train, and return the fitted attributes; tell a task, if there is one, of both."""
        if task is not None:
            task.begin(run.plan.n_epochs, lambda: self._columns() | attributes_so_far(self, run))
        run.train(task)
        fitted = attributes_of(self, run)
        if keep:
            fitted["_generator_state_"] = run.start.generator.get_state().numpy()
        else:
            run.net.optimizer_.state.clear()
        if task is not None:
            task.end(self._columns() | fitted)
        return fitted

    def _columns(self):
        """Return what ``validate_data`` told of the columns; the estimator may know others."""
        names = getattr(self, "feature_names_in_", None)
        return {"n_features_in_": self.n_features_in_, "feature_names_in_": names}

    def _validated(self, X, X_val, reset):
        """Return the rows as arrays, after a look at the parameters and at the device."""
        self._validate_params()
        given, X = X, self._training_rows(X, reset)
        self._take_columns(given, X, reset)
        if X_val is not None:
            X_val = self._check_validation(X_val)
        check_device(self.device)
        return X, X_val

    def _training_rows(self, X, reset):
        """Return X as a valid array of at least two rows."""
        return valid_rows(self, X, reset=reset, holes=self._takes_holes, fewest=2)

    def _check_validation(self, X_val):
        """Return the validation rows as an array."""
        if not self.early_stopping:
            raise ValueError(
                "X_val is for early stopping. Got X_val with early_stopping=False instead. "
                "Set early_stopping=True, or leave X_val out."
            )
        check_flat(X_val, name="X_val")
        return self._training_rows(X_val, reset=False)

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
