import dataclasses
import inspect

import pytest

from skvae import (
    AutoencoderTransformer,
    BetaTCVAETransformer,
    BetaVAETransformer,
    VAETransformer,
)

every_estimator = pytest.mark.parametrize(
    "Estimator",
    [AutoencoderTransformer, VAETransformer, BetaVAETransformer, BetaTCVAETransformer],
)


@every_estimator
def test_every_field_is_a_parameter_with_a_constraint_and_a_default(Estimator):
    names = {field.name for field in dataclasses.fields(Estimator)}
    assert names == set(Estimator().get_params())
    assert names == set(Estimator._parameter_constraints)


@every_estimator
def test_n_components_alone_is_positional(Estimator):
    parameters = inspect.signature(Estimator).parameters
    positional = [name for name, p in parameters.items() if p.kind is not p.KEYWORD_ONLY]
    assert positional == ["n_components"]


@every_estimator
def test_every_parameter_is_documented_in_the_order_of_the_signature(Estimator):
    doc = inspect.getdoc(Estimator)
    section = doc[doc.index("Parameters\n") : doc.index("Attributes\n")]
    documented = [line.split(" : ")[0] for line in section.splitlines() if " : " in line[:40]]
    assert documented == list(inspect.signature(Estimator).parameters)
    assert "%(" not in doc
    assert "{" not in section.replace('{"', "")


def test_the_documented_default_is_the_class_default():
    for Estimator in (VAETransformer, BetaVAETransformer):
        default = f'or float, default="{Estimator().noise_variance}"'
        assert default in Estimator.__doc__


def test_a_subclass_has_the_names_of_its_own_constructor():
    class Fewer(VAETransformer):
        def __init__(self, n_components=3):
            super().__init__(n_components)

    assert "lr" in VAETransformer().get_params()
    assert list(Fewer().get_params()) == ["n_components"]
