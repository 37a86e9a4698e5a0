/* Distributions and intervals behind health, alerts and ROI: how sure a ratio of so many cases is,
 * and how odd a count. Pure; double precision, relative error below 1e-9 against the goldens in
 * tests/golden/stat. Arguments outside a function's domain give NaN. */
#ifndef TA_STAT_H
#define TA_STAT_H

#include <stdint.h>

/* A ratio and the interval that holds it. */
struct stat_interval {
	double lo, hi;
};

/* x with P(Z <= x) = p for a standard normal Z; 0 < p < 1. */
double stat_normal_quantile(double p);
/* Regularised incomplete beta function I_x(a, b), a and b > 0: the beta distribution's P(X <= x).
 */
double stat_beta_cdf(double a, double b, double x);
/* x with I_x(a, b) = p. */
double stat_beta_quantile(double a, double b, double p);
/* P(X <= k) for a Poisson variable of that mean. */
double stat_poisson_cdf(double mean, int64_t k);
/* P(X <= k) for a negative binomial variable with this mean and variance mean + mean^2 / size. */
double stat_negbinom_cdf(double mean, double size, int64_t k);

/* Two-sided 1 - alpha intervals of k successes in n trials, 0 <= k <= n, n > 0. Wilson's score
 * interval (1927); Jeffreys' is the equal-tailed posterior under Beta(1/2, 1/2); Clopper and
 * Pearson's is the exact one. */
struct stat_interval stat_wilson(int64_t k, int64_t n, double alpha);
struct stat_interval stat_jeffreys(int64_t k, int64_t n, double alpha);
struct stat_interval stat_clopper_pearson(int64_t k, int64_t n, double alpha);

/* Two-sided 1 - alpha interval of the mean behind a Poisson count, exact after Garwood (1936). The
 * count may be a fraction, as shared conversions are. */
struct stat_interval stat_poisson(double count, double alpha);

#endif
