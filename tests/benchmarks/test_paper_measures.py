"""The one entry of the measures: what it has of which images."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from _paper_errors import N_GROUPS
from _paper_factors import features_of
from _paper_judge import Judge
from _paper_measures import Reference, measure
from _paper_probes import halves
from _paper_rare import rare_and_common
from _paper_readings import chance
from made_up_images import quarters

import skvae
from skvae.metrics import mutual_information_gap

SETTING = SimpleNamespace(seed=0, noise_variance=0.5)
OF_IMAGES = {"test_mse", "sharpness", "trustworthiness", "varied"}
ALL = OF_IMAGES | {"active", "collapsed", "samples", "without"}
VARIATIONAL = {"elbo", "test_kl", "kl", "total_correlation", "gaussian_tc", "linear"}
OF_FACTORS = {"mig", "n_found", "named", "probe_auc"}
OF_ATTRIBUTES = {"reconstruction_auc", "mean_auc"}
OF_JUDGE = {"legible", "legible_features", "reconstruction_frechet", "interventions"}
OF_FEATURES = {"frechet", "feature_precision", "feature_coverage"}


@pytest.fixture(scope="module")
def images():
    return quarters()


@pytest.fixture(scope="module")
def plain(images):
    """The same images, of which nothing is known."""
    unknown = dict.fromkeys(("attributes_train", "attributes_test", "factors_train"))
    return replace(images, attribute_names=[], factor_names=(), factor_levels=(), **unknown)


@pytest.fixture(scope="module")
def reference(images):
    return Reference(images, 4, Judge.trained(images, n_epochs=6))


@pytest.fixture(scope="module")
def vae(images):
    vae = skvae.VAETransformer(4, input_scale=1 / 255, max_epochs=30, random_state=0)
    return vae.fit(images.train)


def measured(name, estimator, images, reference):
    model = SimpleNamespace(name=name, n_components=4, beta=None if name == "AE" else 1.0)
    return measure(model, estimator, images, reference, SETTING)


def test_images_with_factors_have_all_measures(vae, images, reference):
    row = measured("VAE", vae, images, reference)
    assert row.keys() >= ALL | VARIATIONAL | OF_FACTORS | OF_JUDGE | OF_ATTRIBUTES
    assert row["samples"]["prior"].keys() >= OF_FEATURES
    names = {"hair", "grey"}
    assert row["legible"].keys() == names
    assert row["mig"] == pytest.approx(np.mean([row["named"][name]["gap"] for name in names]))
    assert row["named"].keys() == row["interventions"].keys() == names | {"baldness"}
    assert row["probe_auc"].keys() == row["legible_features"].keys() == {"baldness"}
    for name, told in row["named"].items():
        assert row["interventions"][name]["dimension"] == told["dimension"]
    assert json.loads(json.dumps(row)) == row


def test_the_halves_of_the_attributes_have_the_mean_of_their_areas(vae, images, reference):
    row = measured("VAE", vae, images, reference)
    assert len(row["reconstruction_auc"]) == len(images.attribute_names) == 1
    assert row["mean_auc"].keys() == {"means", "draws", "reconstructions"}
    (area,) = row["reconstruction_auc"]
    assert row["mean_auc"]["reconstructions"] == {"all": area, "rarer": area, "commoner": None}


def test_the_rarer_half_is_that_far_from_a_half():
    prevalence = np.array([0.5, 0.99, 0.4, 0.02])
    read = halves([0.6, 0.7, 0.8, None], prevalence)
    assert read == pytest.approx({"all": 0.7, "rarer": 0.7, "commoner": 0.7})
    read = halves([0.5, 1.0, 0.7, 0.8], prevalence)
    assert read == pytest.approx({"all": 0.75, "rarer": 0.9, "commoner": 0.6})


def test_an_autoencoder_has_them_too(images, reference):
    autoencoder = skvae.AutoencoderTransformer(4, input_scale=1 / 255, max_epochs=5, random_state=0)
    row = measured("AE", autoencoder.fit(images.train), images, reference)
    assert row.keys() >= ALL | OF_FACTORS | OF_JUDGE
    assert all(samples.keys() >= OF_FEATURES for samples in row["samples"].values())


def test_images_of_which_nothing_is_known_have_the_others(vae, plain):
    reference = Reference(plain, 4)
    row = measured("VAE", vae, plain, reference)
    assert row.keys() >= ALL | VARIATIONAL
    assert not row.keys() & (OF_FACTORS | OF_JUDGE | OF_ATTRIBUTES)
    assert not row["samples"]["prior"].keys() & OF_FEATURES


def test_factors_need_no_judge(vae, images):
    row = measured("VAE", vae, images, Reference(images, 4))
    assert row.keys() >= OF_FACTORS
    assert not row.keys() & OF_JUDGE


def test_the_judge_of_all_images_reads_those_of_rare_features(vae, images, reference):
    rare, _ = rare_and_common(images, features_of(images).values())
    row = measured("VAE", vae, rare, Reference(rare, 4, reference.judge))
    before = measured("VAE", vae, images, reference)
    assert row["legible_features"]["baldness"] == before["legible_features"]["baldness"]


def test_what_the_judge_reads_off_real_images_bounds_the_table(images, reference):
    read = reference.of_judge(images)
    assert read["accuracy"] == reference.judge.accuracy
    counts = [(images.factors_test[:, 0] == level).sum() for level in range(4)]
    expected = {"auc": 1, "chance": chance(counts[0], sum(counts[1:])), "recall": 1, "false": 0}
    assert read["features"] == {"baldness": expected}
    assert read["frechet_floor"] > 0
    trivial = reference.of_trivial_samples(images)
    assert trivial["training images"]["frechet"] < trivial["their mean"]["frechet"]


def test_a_pca_has_what_needs_no_estimator(images, plain, reference):
    row = reference.of_pca(images)
    without = {"active", "collapsed", "samples", "without", "interventions"}
    assert row.keys() == (ALL | OF_FACTORS | OF_JUDGE | OF_ATTRIBUTES) - without
    codes = reference.pca.transform(images.train / np.float32(255))
    expected = mutual_information_gap(images.factors_train, codes, strategy="quantile")
    assert row["mig"] == pytest.approx(expected)
    assert Reference(plain, 4).of_pca(plain).keys() == OF_IMAGES


def test_a_row_without_a_group_has_what_the_other_images_give(vae, images, reference):
    row = measured("VAE", vae, images, reference)
    assert len(row["without"]) == N_GROUPS
    kept = {
        part: np.arange(len(getattr(images, part))) % N_GROUPS != 4 for part in ("train", "test")
    }
    fewer = replace(
        images,
        test=images.test[kept["test"]],
        factors_test=images.factors_test[kept["test"]],
        attributes_test=images.attributes_test[kept["test"]],
    )
    part = row["without"][4]
    expected = measured("VAE", vae, fewer, Reference(fewer, 4, reference.judge))
    for key in ("test_mse", "sharpness", "trustworthiness"):
        assert part[key] == pytest.approx(expected[key], rel=1e-4)
        assert part[key] != pytest.approx(row[key], rel=1e-6)
    auc = [row["legible_features"]["baldness"]["auc"] for row in (part, expected)]
    assert auc[0] == pytest.approx(auc[1], rel=1e-4)
    fewer = replace(images, train=images.train[kept["train"]])
    fewer = replace(fewer, factors_train=images.factors_train[kept["train"]])
    fewer = replace(fewer, attributes_train=images.attributes_train[kept["train"]])
    expected = measured("VAE", vae, fewer, reference)
    for key in ("mig", "gaussian_tc"):
        assert part[key] == pytest.approx(expected[key], rel=1e-4)


def test_every_claimed_measure_has_an_error(vae, images, reference):
    row = measured("VAE", vae, images, reference)
    part = row["without"][0]
    expected = {"gaussian_tc", "mig", "legible_features"}
    assert part.keys() >= (OF_IMAGES | expected) - {"varied"}
    assert part["samples"].keys() == row["samples"].keys()
    assert part["samples"]["prior"].keys() == row["samples"]["prior"].keys() - {
        "precision",
        "feature_precision",
    }
    assert part["interventions"].keys() == {"baldness"}
    assert part["interventions"]["baldness"].keys() == {"alone"}
    assert isinstance(part["others_that_change"], float)
    assert part["mean_auc"].keys() == {"reconstructions"}
    assert "reconstruction_auc" not in part


def test_a_model_that_shows_the_mean_image_has_collapsed(images, plain, vae):
    reference = Reference(plain, 4)

    class Mean:
        def __init__(self, rest):
            self.rest = rest

        def transform(self, X):
            return self.rest * X[:, :4].astype(float)

        def inverse_transform(self, codes):
            return np.full((len(codes), 256), 80.0) + codes[:, :1]

        def sample(self, n_samples, *, latent, random_state):
            return self.inverse_transform(np.zeros((n_samples, 4)))

    assert measured("AE", Mean(0.0), plain, reference)["collapsed"]
    assert measured("AE", Mean(0.01), plain, reference)["collapsed"]
    assert not measured("AE", Mean(1.0), plain, reference)["collapsed"]
    assert not measured("VAE", vae, plain, reference)["collapsed"]


def test_pixels_are_the_same_with_a_judge_and_without(images, reference):
    rng = np.random.default_rng(0)
    samples = rng.random((100, images.train.shape[1]), dtype=np.float32)
    row, plain = (each.of_samples(samples) for each in (reference, Reference(images, 4)))
    assert {name: row[name] for name in plain} == plain
    assert row.keys() - plain.keys() == OF_FEATURES
