#include "src/roi.h"

#include <math.h>

#define ALPHA 0.05

static const struct roi_figure none = {(double)NAN, {(double)NAN, (double)NAN}};

/* a value and interval times `by` plus `more`; by >= 0 */
static struct roi_figure scaled(struct roi_figure f, double by, double more)
{
	return (struct roi_figure){f.value * by + more, {f.in.lo * by + more, f.in.hi * by + more}};
}

static struct roi_figure revenue_of(const struct roi_sum *s)
{
	double z = -stat_normal_quantile(ALPHA / 2), half = z * sqrt(s->squares);
	double value = (double)s->revenue;
	return (struct roi_figure){value, {value - half, value + half}};
}

void roi_of(const struct roi_sum *s, struct roi *out)
{
	double spend = (double)s->spend;
	bool spent = s->spend > 0, margin = s->margin >= 0 && s->margin <= 1;
	struct roi_figure revenue = revenue_of(s);
	struct stat_interval n = stat_poisson(fmax(s->conversions, 0), ALPHA);
	*out = (struct roi){
		.few = s->conversions < ROI_FEW,
		.conversions = {s->conversions, n},
		.roas = spent ? scaled(revenue, 1 / spend, 0) : none,
		.roi = spent && margin ? scaled(revenue, s->margin / spend, -1) : none,
		.cpa = none,
		.break_even_roas = s->margin > 0 && margin ? 1 / s->margin : (double)NAN,
		.profit = margin ? (double)s->revenue * s->margin - spend : (double)NAN,
	};
	if (s->conversions > 0)
		out->cpa = (struct roi_figure){spend / s->conversions,
			{spend / n.hi, n.lo > 0 ? spend / n.lo : (double)INFINITY}};
}

static double ratio(double a, double b)
{
	return b > 0 || b < 0 ? a / b : (double)NAN;
}

double roi_mer(int64_t revenue, int64_t spend)
{
	return spend > 0 ? ratio((double)revenue, (double)spend) : (double)NAN;
}

double roi_marginal(int64_t revenue0, int64_t spend0, int64_t revenue1, int64_t spend1)
{
	return ratio((double)(revenue1 - revenue0), (double)(spend1 - spend0));
}

double roi_over_claim(double claimed, double orders)
{
	return orders > 0 ? ratio(claimed, orders) : (double)NAN;
}
