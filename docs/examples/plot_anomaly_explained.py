"""
An anomaly explained
====================

Why is this row an anomaly? A detector that is fitted to normal rows scores new ones. This example
fits one to benign tumours of scikit-learn's breast cancer data, 30 measurements with names, tells
how surprising the malignant ones are, and which measurements of one of them are to blame.
"""

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from skvae import ReconstructionOutlierDetector, VAETransformer
from skvae.plotting import ReconstructionErrorDisplay

X, y = load_breast_cancer(return_X_y=True, as_frame=True)
benign, malignant = X[y == 1], X[y == 0]
train, test = train_test_split(benign, random_state=0)

# %%
# The columns differ in their units, so they are scaled first. ``set_output`` keeps their names.
# The detector holds some of the training rows out, which p-values need.

scaler = StandardScaler().set_output(transform="pandas").fit(train)
detector = ReconstructionOutlierDetector(
    VAETransformer(5, noise_variance="per-feature", random_state=0),
    calibration_fraction=0.3,
    random_state=0,
).fit(scaler.transform(train))

# %%
# Scores and p-values
# -------------------
#
# A score is a lower bound of the log-density, in nats. A p-value is the share of rows held out
# that score no higher, so its level is the share of normal rows flagged by mistake.

rows = scaler.transform(X.loc[[*test.index, *malignant.index]])
is_malignant = y[rows.index] == 0
score, p_value = detector.score_samples(rows), detector.p_value(rows)
print(f"ROC AUC of malignant against new benign rows: {roc_auc_score(is_malignant, -score):.3f}")
for level in (0.05, 0.1):
    flagged = p_value <= level
    print(
        f"p-value at most {level}: {flagged[~is_malignant].mean():.2f} of the new benign rows, "
        f"{flagged[is_malignant].mean():.2f} of the malignant ones"
    )

# %%
# One row explained
# -----------------
#
# ``explain`` splits the score into what each column contributes. A noisy column contributes less in
# every row, so a contribution is compared with what is typical of its column. The row is the
# malignant one whose score is the median.

order = np.flatnonzero(is_malignant)[np.argsort(score[is_malignant])]
place = order[len(order) // 2]
row = rows.iloc[[place]]
explained = detector.explain(row, n_features=8)
print(f"Row {place}: score {score[place]:.1f} nats, p-value {p_value[place]:.3f}, ", end="")
print(f"divergence {explained.kl[0]:.1f} nats")
print(f"{'column':26}{'value':>10}{'benign mean':>13}{'contribution':>14}{'typical':>9}")
for name, contribution, typical in zip(
    explained.feature_names[0], explained.contributions[0], explained.typical[0], strict=True
):
    print(
        f"{name:26}{X.loc[row.index[0], name]:10.4g}{train[name].mean():13.4g}"
        f"{contribution:14.1f}{typical:9.1f}"
    )

# %%
# The first column's value is not far from the mean of benign tumours. It is improbable beside the
# other columns: the decoder expects another value in a tumour of this size. A look at one column
# at a time would not find it.
#
# The display takes the detector: the anomaly score is minus ``score_samples``, the threshold that
# of ``predict``, and a contribution what a column's is below the typical one. The histogram ends at
# 600 nats.

kind = np.where(is_malignant, "malignant", "benign")
display = ReconstructionErrorDisplay.from_estimator(
    detector, rows, kind, row=int(place), bins=range(0, 601, 10)
)
display.axes_[0].set_xlabel("anomaly score, nats")
display.axes_[1].set_xlabel("nats below what is typical")
print(f"Malignant rows beyond 600 nats: {np.sum(display.errors[is_malignant] > 600)}")
