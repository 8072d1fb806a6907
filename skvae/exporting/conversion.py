"""Turn fitted estimators into steps in torch, or raise an error if a part has no step."""

from copy import deepcopy

import numpy as np
import torch
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    RobustScaler,
    StandardScaler,
)
from sklearn.utils.validation import check_is_fitted

from skvae.base.probabilities import ProbabilityMixin
from skvae.base.states import snapshot
from skvae.base.transformer import BaseAutoencoderTransformer
from skvae.exporting.detection import DetectorStep, Member
from skvae.exporting.steps import Chain, ElementwiseStep, NetworkStep, ScalerStep, VariationalStep
from skvae.nn.likelihoods import LIKELIHOODS
from skvae.outlier import AutoencoderOutlierDetector
from skvae.outlier.members import USUAL, draw_in, draw_out

__all__ = ["first_line", "step_of"]

ANSWERS = ("transform", "inverse_transform", "reconstruct", "reconstruction_error", "score_samples")
BOUNDS = ("encode", "decode", "code", "elbo", "elbo_function")


def step_of(estimator, dtype, place):
    """Return a step that computes in torch what a fitted estimator does.

    Parameters
    ----------
    estimator : estimator
        One of this package, a scaler, or a Pipeline of these.
    dtype : torch.dtype
        The dtype of the rows.
    place : str
        The name of the estimator in error messages.

    Returns
    -------
    Step

    Raises
    ------
    NotFittedError
        If the estimator, or a part of it, is not fitted.
    TypeError
        If there is no step for its class.
    ValueError
        If there is no step for its parameters or content.
    """
    if isinstance(estimator, Pipeline):
        return _chain(estimator, dtype, place)
    if isinstance(estimator, FrozenEstimator):
        return step_of(estimator.estimator, dtype, place)
    if hasattr(estimator, "best_estimator_"):
        return step_of(estimator.best_estimator_, dtype, place)
    if isinstance(estimator, BaseAutoencoderTransformer):
        return _network_step(estimator, dtype, place)
    if isinstance(estimator, AutoencoderOutlierDetector):
        return _detector_step(estimator, dtype, place)
    if type(estimator) in SCALERS:
        check_is_fitted(estimator)
        return SCALERS[type(estimator)](estimator, dtype, place)
    raise TypeError(
        f"An export takes this package's estimators, scikit-learn's StandardScaler, MinMaxScaler, "
        f"MaxAbsScaler, RobustScaler and FunctionTransformer, and Pipelines of these. Got {place}, "
        f"of class {type(estimator).__name__}, instead. Leave it out, or keep the estimator by "
        f"skvae.save."
    )


def _chain(pipeline, dtype, place):
    steps = [
        step_of(step, dtype, f"{place}.{name}")
        for name, step in pipeline.steps
        if step not in (None, "passthrough")
    ]
    bare = [name for name, step in pipeline.steps if step in (None, "passthrough")]
    if not steps:
        raise TypeError(
            f"An export takes a Pipeline that computes something. Got {place}, whose steps "
            f"{', '.join(bare)} are 'passthrough', instead. Give the estimator alone."
        )
    return Chain(steps)


def _network_step(estimator, dtype, place):
    """Return the step of a transformer of this package: a copy of its network."""
    check_is_fitted(estimator)
    state = snapshot(estimator)
    _check_own(type(state), ANSWERS, place)
    _check_plain(state._fitted_params_, place)
    network = state._modules_[np.dtype(str(dtype).removeprefix("torch."))]
    _check_own(type(network), BOUNDS, f"{place}.net_.module_")
    network = _copied(network, place)
    if not isinstance(state, ProbabilityMixin):
        return NetworkStep(network, state.n_features_in_)
    support = LIKELIHOODS[state._fitted_params_["likelihood"]].support
    scale = state._fitted_params_["input_scale"]
    return VariationalStep(network, state.n_features_in_, support, scale)


def _check_plain(parameters, place):
    """Raise an error for models of missing values, of mixed column likelihoods, and of counts."""
    if parameters.get("missing") is not None:
        got, remedy = f"missing={parameters['missing']!r}", "missing=None"
    elif "_parts_" in parameters:
        got, remedy = f"likelihood={parameters['likelihood']!r}", "one of these for all columns"
    else:
        return
    raise ValueError(
        f"An export takes models of rows without holes, of one likelihood of "
        f"{', '.join(LIKELIHOODS)}. Got {place} with {got} instead. Fit it with {remedy}, or keep "
        f"it by skvae.save."
    )


def _check_own(cls, names, place):
    """Raise an error for a subclass that overrides one of the exported methods."""
    for name in names:
        method = getattr(cls, name, None)
        if method is not None and not method.__module__.startswith("skvae."):
            raise ValueError(
                f"An export computes what this package's methods do. Got {place}, of "
                f"class {cls.__name__}, with {name} of its own instead. Give an estimator that has "
                f"this package's, or keep it by skvae.save."
            )


def _copied(network, place):
    try:
        copied = deepcopy(network).cpu().requires_grad_(False)
    except Exception as error:  # a user's module may raise anything
        raise ValueError(
            f"An export needs networks that copy.deepcopy can copy. Got {type(error).__name__} "
            f"from that of {place} instead: {first_line(error)}. Hold plain tensors and modules in "
            f"the encoder and the decoder."
        ) from error
    # torch.export.save warns about other memory layouts, such as those of convolution weights.
    return copied.to(memory_format=torch.contiguous_format)


def first_line(error):
    """Return the first line of an error's text, without a period.

    Examples
    --------
    >>> from skvae.exporting.conversion import first_line
    >>> first_line(ValueError("No such thing.\\nIn line 7."))
    'No such thing'
    """
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")


def _standard(scaler, dtype, place):
    # In the dtype of the rows, as in scikit-learn since 1.7.
    operations = []
    if scaler.with_mean:
        operations.append(("sub", torch.tensor(scaler.mean_, dtype=dtype)))
    if scaler.with_std:
        operations.append(("div", torch.tensor(scaler.scale_, dtype=dtype)))
    return ScalerStep(operations, scaler.n_features_in_)


def _min_max(scaler, dtype, place):
    operations = [("mul", _float64(scaler.scale_)), ("add", _float64(scaler.min_))]
    limits = scaler.feature_range if scaler.clip else None
    return ScalerStep(operations, scaler.n_features_in_, limits)


def _max_abs(scaler, dtype, place):
    limits = (-1.0, 1.0) if getattr(scaler, "clip", False) else None  # absent in old releases
    return ScalerStep([("div", _float64(scaler.scale_))], scaler.n_features_in_, limits)


def _robust(scaler, dtype, place):
    operations = [("sub", _float64(scaler.center_))] if scaler.with_centering else []
    operations += [("div", _float64(scaler.scale_))] if scaler.with_scaling else []
    return ScalerStep(operations, scaler.n_features_in_)


def _float64(constants):
    return torch.tensor(constants, dtype=torch.float64)


def _identity(x):
    return x


def _draw_in(x):
    """Return w asinh(x / w), written without asinh, which ONNX runtimes have only for float32."""
    size = x.abs() / USUAL
    return x.sign() * USUAL * torch.log(size + torch.sqrt(size.square() + 1))


def _draw_out(x):
    return USUAL * (torch.exp(x / USUAL) - torch.exp(-x / USUAL)) / 2


FUNCTIONS = {
    None: _identity,
    draw_in: _draw_in,
    draw_out: _draw_out,
    np.exp: torch.exp,
    np.expm1: torch.expm1,
    np.log: torch.log,
    np.log1p: torch.log1p,
    np.sqrt: torch.sqrt,
    np.square: torch.square,
}


def _function(transformer, dtype, place):
    check_is_fitted(transformer, "n_features_in_")  # without the name it always counts as fitted
    for name in ("func", "inverse_func"):
        function = getattr(transformer, name)
        arguments = transformer.kw_args if name == "func" else transformer.inv_kw_args
        if function not in FUNCTIONS or arguments:
            raise ValueError(
                f"An export knows the functions exp, expm1, log, log1p, sqrt and square of NumPy, "
                f"and those of AutoencoderOutlierDetector. Got {place} with {name}={function!r} "
                f"instead. Apply it to rows before, or keep the estimator by skvae.save."
            )
    both = FUNCTIONS[transformer.func], FUNCTIONS[transformer.inverse_func]
    return ElementwiseStep(*both, transformer.n_features_in_)


SCALERS = {
    FunctionTransformer: _function,
    MaxAbsScaler: _max_abs,
    MinMaxScaler: _min_max,
    RobustScaler: _robust,
    StandardScaler: _standard,
}


def _detector_step(detector, dtype, place):
    """Return the step of a detector: its models, threshold and calibration scores."""
    check_is_fitted(detector)
    state = snapshot(detector)
    _check_own(type(state), ("score_samples", "decision_function", "predict", "p_value"), place)
    if callable(state._anomaly_score_):
        raise ValueError(
            f"An export knows the anomaly scores 'likelihood', 'reconstruction' and 'latent'. Got "
            f"{place} with {state._anomaly_score_!r} instead. Fit it with one of these."
        )
    if state._mixed_:
        raise ValueError(
            f"An export takes rows of numbers. Got {place}, fitted to a table with other columns, "
            f"instead. Keep it by skvae.save."
        )
    members = [
        _member(member, dtype, f"{place}.estimators_[{number}]", state.n_features_in_)
        for number, member in enumerate(state._members_)
    ]
    limits = (_float64(state._ranges_.low), _float64(state._ranges_.high))
    calibration = [
        (_float64(models / models.sum()), _float64(scores))
        for models, scores in state._calibration_.by_models
    ]
    sizes = (state.offset_, calibration, float(state._score_scale_))
    return DetectorStep(members, state.n_features_in_, limits, *sizes)


def _member(member, dtype, place, n_features):
    """Return a model of a detector."""
    step = step_of(member.transformer, dtype, place)
    codes, constants = None, None
    if member.kind == "latent":
        distribution = member.code_distribution
        codes = (_float64(distribution.location_), _float64(distribution.get_precision()))
    if member.seen is not None:
        constants = torch.full((n_features,), torch.nan, dtype=torch.float64)
        constants[torch.tensor(member.seen.constant)] = _float64(member.seen.constants)
    return Member(step, member.kind, codes, constants, float(member.step))
