"""Standard errors that hold if errors differ in size (HC1, HC3) or depend on each other (clusters).

With a of a term in orthonormal coordinates its variance is a · W · a. W is the sum over the rows of
e² z zᵀ (HC1: times n / (n − k)), of r² z zᵀ with r = e / (1 − leverage) (HC3), or over the clusters
of s sᵀ, with s the sum of e z (times G / (G − 1) · (n − 1) / (n − k)). MacKinnon and White, *Some
heteroskedasticity-consistent covariance matrix estimators with improved finite sample properties*,
Journal of Econometrics 29, 1985; Liang and Zeger, *Longitudinal data analysis using generalized
linear models*, Biometrika 73, 1986.
"""

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from flint import arb_mat
from numpy.typing import NDArray

from pipeline.exact.cluster_sums import ClusterSums
from pipeline.exact.gram import Gram
from pipeline.exact.gram_sums import gram_matrix
from pipeline.exact.least_squares import Fit
from pipeline.exact.rounding import enclose, precision
from pipeline.exact.row_sums import Diagnosed, RowSums

Floats = NDArray[np.float64]

BITS = 128

SMALLEST_SHARE = 1e-9
"""A term has nothing to do with a row if no more than this of its length is along the row."""


def hc1(fit: Fit, diagnosed: Diagnosed, sums: RowSums) -> Floats:
    """Return the HC1 standard error of each term: [targets, terms]; NaN as of `Fit.std_error`."""
    factor = Fraction(diagnosed.rows, diagnosed.degrees_of_freedom)
    grams = [target.products for target in sums.targets]
    products = [_products(gram, diagnosed.coordinates) for gram in grams]
    return _of_terms(fit, diagnosed, products, factor)


def hc3(fit: Fit, diagnosed: Diagnosed, sums: RowSums) -> Floats:
    """Return the HC3 standard error of each term: [targets, terms].

    NaN also for a term that a row of leverage 1 determines: without the row there is no such term.
    """
    grams = [target.outside for target in sums.targets]
    products = [_products(gram, diagnosed.coordinates) for gram in grams]
    errors = _of_terms(fit, diagnosed, products, Fraction(1))
    rows, terms = sums.alone.coordinates, diagnosed.basis.terms
    shares = np.abs((terms[:, None, :] * rows).sum(axis=2))
    lengths = np.sqrt((terms * terms).sum(axis=1))[:, None]
    errors[:, _places(fit)[(shares > SMALLEST_SHARE * lengths).any(axis=1)]] = math.nan
    return errors


def clustered(fit: Fit, diagnosed: Diagnosed, clusters: Sequence[ClusterSums]) -> Floats:
    """Return the standard error of each term by at least two clusters: [targets, terms]."""
    rows, free = diagnosed.rows, diagnosed.degrees_of_freedom
    number = len(clusters[0].sums)
    factor = Fraction(number, number - 1) * Fraction(rows - 1, free)
    places = range(1, 1 + diagnosed.coordinates)
    grams = (gram_matrix(each.in_residuals()).chosen(places) for each in clusters)
    products = [_products(gram, diagnosed.coordinates) for gram in grams]
    return _of_terms(fit, diagnosed, products, factor)


def _products(gram: Gram, coordinates: int) -> list[list[Fraction]]:
    """Return the products of the coordinates with each other. gram: of [e·z …]."""
    places = range(coordinates)
    return [[gram.inner_product(i, j) for j in places] for i in places]


def _of_terms(
    fit: Fit,
    diagnosed: Diagnosed,
    products: Sequence[Sequence[Sequence[Fraction]]],
    factor: Fraction,
) -> Floats:
    """Return the roots of factor · a · W · a at the places of the terms: [targets, terms]."""
    errors = np.full((len(fit.targets), len(fit.features) + fit.intercept), math.nan)
    places = _places(fit)
    if not len(places):
        return errors
    with precision(BITS):
        terms = arb_mat(diagnosed.basis.terms.tolist())
        for target, matrix in enumerate(products):
            product = terms * arb_mat([[enclose(entry) for entry in row] for row in matrix])
            size = range(len(places))
            variances = [
                sum((product[i, j] * terms[i, j] for j in size), enclose(Fraction(0)))
                * enclose(factor)
                for i in size
            ]
            roots = [float(v.mid().sqrt()) if v.mid() > 0 else 0.0 for v in variances]
            errors[target, places] = np.ldexp(roots, diagnosed.units[target])
    return errors


def _places(fit: Fit) -> NDArray[np.int64]:
    """Return the place of each independent term among all: the intercept is the last of them."""
    width = len(fit.features)
    places = [column - 1 if column else width for column in fit.equations.columns]
    return np.array(places, np.int64)
