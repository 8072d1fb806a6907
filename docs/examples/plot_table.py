"""
A table as it is
================

A single estimator handles a table of numbers, categories, a date and missing values. It explains an
anomaly, fills the missing values, and draws new rows that look like the table. The table is made
here, so that the missing values are known.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.impute import SimpleImputer

from skvae import AutoencoderOutlierDetector, VAETransformer
from skvae.plotting import SampleDisplay
from skvae.tabular import TableTransformer

rng = np.random.RandomState(0)
n = 1_500
age = rng.gamma(9, 5, n)
kind = np.where(rng.uniform(size=n) < 1 / (1 + np.exp((age - 45) / 5)), "sports car", "estate")
kind[rng.uniform(size=n) < 0.2] = "van"
opened = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.randint(0, 1500, n), "D")
whole = pd.DataFrame(
    {
        "age": age.round().astype(int),
        "car": pd.Categorical(kind),
        "power": (np.where(kind == "sports car", 220, 110) + rng.normal(0, 15, n)).round(),
        "claims": rng.poisson(np.where(kind == "sports car", 2.0, 0.3)),
        "premium": np.exp(5 + (kind == "sports car") - age / 80 + 0.2 * rng.standard_normal(n)),
        "region": rng.choice(["north", "east", "south", "west"], n, p=[0.4, 0.3, 0.2, 0.1]),
        "opened": opened,
    }
).convert_dtypes()
holes = whole.mask(rng.uniform(size=whole.shape) < 0.15)
print(holes.head())

# %%
# One estimator
# -------------

vae = VAETransformer(
    4, missing="mask", noise_variance="per-feature", max_epochs=100, random_state=0
)
table = TableTransformer(vae).fit(holes)

# %%
# An anomaly, explained
# ---------------------
#
# This van has the power of a sports car. Each value alone is usual, but the combination is not.

detector = AutoencoderOutlierDetector(
    TableTransformer(vae.set_params(max_epochs=30)), contamination=0.01, random_state=0
).fit(holes)
strange = whole[whole["car"] == "van"][:1].assign(power=225)
print("an outlier" if detector.predict(strange)[0] == -1 else "normal")
print(detector.explain(strange, n_features=3))

# %%
# Missing values, filled
# ----------------------
#
# The first columns show the error of the filled values, in standard deviations of the column. The
# last line shows how many categories are right. The second method fills in the mean, or the most
# frequent category.

filled = table.impute(holes)
missing = holes.isna()
print(f"{'':10}{'model':>10}{'simple':>10}")
for name in ["age", "power", "premium"]:
    truth = whole.loc[missing[name], name]
    errors = [filled.loc[missing[name], name] - truth, holes[name].mean() - truth]
    shown = [float(np.sqrt((error**2).mean()) / whole[name].std()) for error in errors]
    print(f"{name:10}{shown[0]:10.2f}{shown[1]:10.2f}")
usual = SimpleImputer(strategy="most_frequent").fit_transform(holes[["car"]].astype(object))[:, 0]
lost = missing["car"].to_numpy()
right = [np.mean(np.asarray(one)[lost] == whole["car"][lost]) for one in (filled["car"], usual)]
print(f"{'car':10}{right[0]:10.0%}{right[1]:10.0%}")

# %%
# New rows
# --------
#
# The panels compare the distribution of each column in 1,000 drawn rows and in the data. The number
# next to a name says how much they differ, from 0 to 1.

print(table.sample(3, random_state=0))
SampleDisplay.from_estimator(table, holes, random_state=0)
plt.show()
