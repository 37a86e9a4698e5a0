#include "src/attrib.h"

#include "src/attr.h"
#include "src/clock.h"
#include "src/err.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct {
	const char *word, *meaning;
	enum attrib_kind kind;
} models[] = {
#define MODEL(name, word, kind, meaning) {word, meaning, ATTRIB_##kind},
#include "src/attrib_models.def"
#undef MODEL
};

const struct attrib_rules attrib_defaults = {30 * US_PER_DAY, US_PER_DAY, 7 * US_PER_DAY};

const char *attrib_word(int model)
{
	return model >= 0 && model < ATTRIB_COUNT ? models[model].word : "?";
}

const char *attrib_meaning(int model)
{
	return model >= 0 && model < ATTRIB_COUNT ? models[model].meaning : "?";
}

enum attrib_kind attrib_kind_of(enum attrib_model m)
{
	return models[m].kind;
}

int attrib_of(const char *word)
{
	for (int i = 0; i < ATTRIB_COUNT; i++)
		if (strcmp(word, models[i].word) == 0)
			return i;
	return -1;
}

size_t attrib_eligible(const struct attrib_rules *r, struct touch *touches, size_t n)
{
	size_t kept = 0;
	for (size_t i = 0; i < n; i++) {
		int64_t most = touches[i].view ? r->view_lookback_us : r->click_lookback_us;
		if (touches[i].before_us >= 0 && touches[i].before_us <= most)
			touches[kept++] = touches[i];
	}
	return kept;
}

static bool any(const struct touch *t)
{
	(void)t;
	return true;
}

static bool click(const struct touch *t)
{
	return !t->view;
}

static bool non_direct_click(const struct touch *t)
{
	return !t->view && !t->direct;
}

static bool non_direct_view(const struct touch *t)
{
	return t->view && !t->direct;
}

static bool paid(const struct touch *t)
{
	return t->paid;
}

typedef bool (*touch_is)(const struct touch *t);

/* The last touch of the first kind that there is; kinds end with NULL. */
static bool last_of(const struct touch *t, size_t n, const touch_is *kinds, double *w)
{
	for (; *kinds; kinds++)
		for (size_t i = n; i-- > 0;)
			if ((*kinds)(&t[i])) {
				w[i] = 1;
				return true;
			}
	return false;
}

/* Equal shares to the touches of a kind. */
static bool linear_of(const struct touch *t, size_t n, touch_is kind, double *w)
{
	size_t of = 0;
	for (size_t i = 0; i < n; i++)
		of += kind(&t[i]);
	for (size_t i = 0; i < n; i++)
		w[i] = kind(&t[i]) ? 1 / (double)of : 0;
	return of > 0;
}

static bool position(size_t n, double *w)
{
	for (size_t i = 1; i + 1 < n; i++)
		w[i] = 0.2 / (double)(n - 2);
	w[0] = w[n - 1] = n == 1 ? 1 : n == 2 ? 0.5 : 0.4;
	return true;
}

/* Relative to the latest touch, so that nothing underflows however old they all are. */
static bool time_decay(const struct touch *t, size_t n, int64_t half_life_us, double *w)
{
	double sum = 0;
	for (size_t i = 0; i < n; i++) {
		double age = (double)(t[i].before_us - t[n - 1].before_us);
		w[i] = exp2(-age / (double)half_life_us);
		sum += w[i];
	}
	for (size_t i = 0; i < n; i++)
		w[i] /= sum;
	return true;
}

bool attrib_weights(enum attrib_model m, const struct attrib_rules *r, const struct touch *t,
	size_t n, double *w)
{
	static const touch_is touches[] = {any, NULL}, clicks[] = {click, any, NULL},
			      non_direct[] = {non_direct_click, non_direct_view, any, NULL};
	memset(w, 0, n * sizeof(*w));
	if (n == 0)
		return false;
	switch (m) {
	case ATTRIB_LAST_TOUCH:
		return last_of(t, n, touches, w);
	case ATTRIB_FIRST_TOUCH:
		w[0] = 1;
		return true;
	case ATTRIB_LAST_CLICK:
		return last_of(t, n, clicks, w);
	case ATTRIB_LAST_NON_DIRECT:
		return last_of(t, n, non_direct, w);
	case ATTRIB_LINEAR:
		return linear_of(t, n, any, w);
	case ATTRIB_LINEAR_PAID:
		return linear_of(t, n, paid, w) || linear_of(t, n, any, w);
	case ATTRIB_POSITION:
		return position(n, w);
	case ATTRIB_TIME_DECAY:
		return time_decay(t, n, r->half_life_us, w);
	case ATTRIB_CLICKS_ONLY:
		return linear_of(t, n, click, w);
	case ATTRIB_MARKOV:
	case ATTRIB_SHAPLEY:
	case ATTRIB_SHAPLEY_RATE:
	case ATTRIB_COUNT:
		break;
	}
	ta_die("attribution model %d is none of one order", (int)m);
}

/* The part of amount * weight behind the point, before rounding down. */
struct rest {
	double part;
	size_t at;
};

static int larger_then_later(const void *a, const void *b)
{
	const struct rest *x = a, *y = b;
	if (x->part > y->part || x->part < y->part)
		return x->part > y->part ? -1 : 1;
	return x->at > y->at ? -1 : 1;
}

void attrib_split(int64_t amount, const double *weights, size_t n, int64_t *shares)
{
	struct rest few[64], *rests = n <= TA_COUNT(few) ? few : ta_alloc(n * sizeof(*rests));
	int64_t sign = amount < 0 ? -1 : 1, left = amount;
	size_t of = 0;
	for (size_t i = 0; i < n; i++) {
		double exact = (double)(sign * amount) * weights[i], whole = floor(exact);
		shares[i] = sign * (int64_t)whole;
		left -= shares[i];
		if (weights[i] > 0)
			rests[of++] = (struct rest){exact - whole, i};
	}
	qsort(rests, of, sizeof(*rests), larger_then_later);
	for (size_t k = 0; of > 0 && left * sign > 0; k = (k + 1) % of, left -= sign)
		shares[rests[k].at] += sign;
	for (size_t k = of; of > 0 && left * sign < 0; left += sign) {
		k = k ? k - 1 : of - 1;
		shares[rests[k].at] -= sign;
	}
	if (rests != few)
		free(rests);
}
