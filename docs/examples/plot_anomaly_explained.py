"""
An anomaly explained
====================

Why is this row an anomaly? A detector that is fitted to normal rows scores new ones. This example
fits one to benign tumours of scikit-learn's breast cancer data, 30 measurements with names, tells
how surprising the malignant ones are, and which measurements of one of them are to blame.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from skvae import ReconstructionOutlierDetector, VAETransformer

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

order = np.argsort(score[is_malignant])
row = rows[is_malignant].iloc[[order[len(order) // 2]]]
explained = detector.explain(row, n_features=8)
print(f"Row {row.index[0]}: score {detector.score_samples(row)[0]:.1f} nats, ", end="")
print(f"p-value {detector.p_value(row)[0]:.3f}, divergence {explained.kl[0]:.1f} nats")
print(f"{'column':26}{'value':>10}{'benign mean':>13}{'contribution':>14}{'typical':>9}")
names = explained.feature_names[0]
contributions, typical = explained.contributions[0], explained.typical[0]
for name, contribution, usual in zip(names, contributions, typical, strict=True):
    print(
        f"{name:26}{X.loc[row.index[0], name]:10.4g}{train[name].mean():13.4g}"
        f"{contribution:14.1f}{usual:9.1f}"
    )

# %%
# The first column's value is not far from the mean of benign tumours. It is improbable beside the
# other columns: the decoder expects another value in a tumour of this size. A look at one column
# at a time would not find it.

figure, axes = plt.subplots(figsize=(7, 3.6), layout="constrained")
axes.barh(names, typical - contributions)
axes.invert_yaxis()
axes.set_xlabel("nats below what is typical of the column")
axes.set_title(f"What makes row {row.index[0]} improbable among benign tumours")
axes.spines[["top", "right"]].set_visible(False)
