#include "src/stat.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>

#define LN_SQRT_2PI 0.91893853320467274178

/* ln(n!) minus Stirling's formula, which large terms would cancel in: the asymptotic series where
 * it is exact to the last bit, the definition below. (C. Loader, Fast and Accurate Computation of
 * Binomial Probabilities, 2000.) */
static double stirling_rest(double n)
{
	if (n <= 0)
		return (double)INFINITY;
	if (n < 16)
		return lgamma(n + 1) - (n + 0.5) * log(n) + n - LN_SQRT_2PI;
	double q = 1 / (n * n);
	return (1 / 12.0 - q * (1 / 360.0 - q * (1 / 1260.0 - q * (1 / 1680.0 - q / 1188.0)))) / n;
}

/* x ln(x/m) + m - x, the deviance of x where m was expected; by its series where they are close. */
static double deviance(double x, double m)
{
	double v = (x - m) / (x + m);
	if (fabs(v) > 0.1)
		return x * log(x / m) + m - x;
	double sum = (x - m) * v, term = 2 * x * v;
	for (int i = 1; i < 200; i++) {
		term *= v * v;
		sum += term / (2 * i + 1);
		if (fabs(term) < fabs(sum) * DBL_EPSILON)
			break;
	}
	return sum;
}

/* x^a (1-x)^b / B(a, b), without the cancellation of the textbook's form. */
static double beta_front(double a, double b, double x)
{
	double n = a + b;
	double ln = stirling_rest(n) - stirling_rest(a) - stirling_rest(b) - deviance(a, n * x) -
		    deviance(b, n * (1 - x));
	return sqrt(a / n * b / (2 * acos(-1.0))) * exp(ln);
}

static double off_zero(double v)
{
	return fabs(v) < DBL_MIN ? DBL_MIN : v;
}

/* The continued fraction of I_x(a, b) by Lentz' method (DLMF 8.17.22); converges fast for
 * x < (a+1)/(a+b+2). */
static double beta_fraction(double a, double b, double x)
{
	double c = 1, d = 1 / off_zero(1 - (a + b) * x / (a + 1)), f = d;
	int most = 1000 + (int)(10 * sqrt(fmax(a, b)));
	for (int m = 1; m < most; m++) {
		double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
		double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
		d = 1 / off_zero(1 + even * d);
		c = off_zero(1 + even / c);
		f *= c * d;
		d = 1 / off_zero(1 + odd * d);
		c = off_zero(1 + odd / c);
		double step = c * d;
		f *= step;
		if (fabs(step - 1) < DBL_EPSILON)
			break;
	}
	return f;
}

double stat_beta_cdf(double a, double b, double x)
{
	if (!(a > 0) || !(b > 0) || isnan(x))
		return (double)NAN;
	if (x <= 0 || x >= 1)
		return x > 0;
	double front = beta_front(a, b, x);
	if (x < (a + 1) / (a + b + 2))
		return front * beta_fraction(a, b, x) / a;
	return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

/* Newton's steps in ln x, kept inside a bracket that halves when a step leaves it. Small x keep
 * their relative precision, and the tail near 1 is the mirror's small x. */
static double beta_root(double a, double b, double p)
{
	double lo = -745, hi = 0, t = log(a / (a + b));
	for (int i = 0; i < 200; i++) {
		double x = exp(t), f = stat_beta_cdf(a, b, x) - p;
		if (f > 0)
			hi = t;
		else
			lo = t;
		/* d/dt I(e^t) = e^t times the density = front / (1 - x) */
		double slope = beta_front(a, b, x) / (1 - x), next = t - f / slope;
		if (!(next > lo && next < hi))
			next = (lo + hi) / 2;
		if (fabs(next - t) <= DBL_EPSILON * fmax(1, fabs(t)) || hi - lo < DBL_EPSILON)
			return exp(next);
		t = next;
	}
	return exp(t);
}

double stat_beta_quantile(double a, double b, double p)
{
	if (!(a > 0) || !(b > 0) || !(p >= 0 && p <= 1))
		return (double)NAN;
	if (p <= 0 || p >= 1)
		return p > 0;
	return stat_beta_cdf(a, b, 0.5) > p ? beta_root(a, b, p) : 1 - beta_root(b, a, 1 - p);
}

double stat_normal_quantile(double p)
{
	if (!(p > 0 && p < 1))
		return (double)NAN;
	/* The lower half; a first guess from the tail's leading term (Abramowitz and Stegun
	 * 26.2.23), then Newton's steps on ln of the distribution, which is concave. */
	double q = fmin(p, 1 - p), u = sqrt(-2 * log(q));
	double z = -(u - (2.515517 + u * (0.802853 + u * 0.010328)) /
				 (1 + u * (1.432788 + u * (0.189269 + u * 0.001308))));
	for (int i = 0; i < 4; i++) {
		double cdf = erfc(-z / sqrt(2.0)) / 2;
		double pdf = exp(-z * z / 2 - LN_SQRT_2PI);
		z -= cdf / pdf * log(cdf / q);
	}
	return p > 0.5 ? -z : z;
}

/* Regularised lower incomplete gamma function P(a, x): series below the mean, continued fraction
 * of Q above it (DLMF 8.11.4, 8.9.2). */
static double gamma_cdf(double a, double x)
{
	if (x <= 0)
		return 0;
	double front = sqrt(a / (2 * acos(-1.0))) * exp(-stirling_rest(a) - deviance(a, x));
	if (x < a + 1) {
		double term = 1 / a, sum = term;
		for (double k = a + 1; term > sum * DBL_EPSILON / 4; k++) {
			term *= x / k;
			sum += term;
		}
		return front * sum;
	}
	double b = x + 1 - a, c = 1 / DBL_MIN, d = 1 / b, f = d;
	for (int i = 1; i < 1000000; i++) {
		double an = -i * (i - a);
		b += 2;
		d = 1 / off_zero(an * d + b);
		c = off_zero(b + an / c);
		f *= c * d;
		if (fabs(c * d - 1) < DBL_EPSILON)
			break;
	}
	return 1 - front * f;
}

double stat_poisson_cdf(double mean, int64_t k)
{
	if (!(mean >= 0))
		return (double)NAN;
	if (k < 0)
		return 0;
	double a = (double)k + 1;
	if (mean < a)
		return 1 - gamma_cdf(a, mean);
	/* the upper tail of the gamma distribution, summed from its largest term down */
	double term = exp(-stirling_rest((double)k) - deviance((double)k, mean)) /
		      sqrt(2 * acos(-1.0) * (double)k),
	       sum = 0;
	if (k == 0)
		return exp(-mean);
	for (double i = (double)k; i >= 0 && term > sum * DBL_EPSILON / 4; i--) {
		sum += term;
		term *= i / mean;
	}
	return sum;
}

/* x with P(a, x) = p, a bracket halved: doubling from the mean finds its upper end. */
static double gamma_quantile(double a, double p)
{
	double lo = 0, hi = a + 1;
	while (gamma_cdf(a, hi) < p)
		hi *= 2;
	for (int i = 0; i < 200 && hi - lo > DBL_EPSILON * hi; i++) {
		double middle = (lo + hi) / 2;
		if (gamma_cdf(a, middle) < p)
			lo = middle;
		else
			hi = middle;
	}
	return (lo + hi) / 2;
}

struct stat_interval stat_poisson(double count, double alpha)
{
	if (!(count >= 0) || !(alpha > 0 && alpha < 1))
		return (struct stat_interval){(double)NAN, (double)NAN};
	return (struct stat_interval){count > 0 ? gamma_quantile(count, alpha / 2) : 0,
		gamma_quantile(count + 1, 1 - alpha / 2)};
}

double stat_negbinom_cdf(double mean, double size, int64_t k)
{
	if (!(mean >= 0) || !(size > 0))
		return (double)NAN;
	if (k < 0)
		return 0;
	return stat_beta_cdf(size, (double)k + 1, size / (size + mean));
}

static const struct stat_interval nothing = {(double)NAN, (double)NAN};

static bool sane(int64_t k, int64_t n, double alpha)
{
	return n > 0 && k >= 0 && k <= n && alpha > 0 && alpha < 1;
}

struct stat_interval stat_wilson(int64_t k, int64_t n, double alpha)
{
	if (!sane(k, n, alpha))
		return nothing;
	double z = -stat_normal_quantile(alpha / 2), m = (double)n, p = (double)k / m;
	double middle = p + z * z / (2 * m), share = 1 + z * z / m;
	double half = z * sqrt(p * (1 - p) / m + z * z / (4 * m * m));
	return (struct stat_interval){
		k == 0 ? 0 : (middle - half) / share, k == n ? 1 : (middle + half) / share};
}

struct stat_interval stat_jeffreys(int64_t k, int64_t n, double alpha)
{
	if (!sane(k, n, alpha))
		return nothing;
	double a = (double)k + 0.5, b = (double)(n - k) + 0.5;
	return (struct stat_interval){
		stat_beta_quantile(a, b, alpha / 2), stat_beta_quantile(a, b, 1 - alpha / 2)};
}

struct stat_interval stat_clopper_pearson(int64_t k, int64_t n, double alpha)
{
	if (!sane(k, n, alpha))
		return nothing;
	double a = (double)k, b = (double)(n - k);
	return (struct stat_interval){k == 0 ? 0 : stat_beta_quantile(a, b + 1, alpha / 2),
		k == n ? 1 : stat_beta_quantile(a + 1, b, 1 - alpha / 2)};
}
