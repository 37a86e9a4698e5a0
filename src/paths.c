#include "src/paths.h"

#include <string.h>

void paths_init(struct path_set *s, struct arena *a)
{
	*s = (struct path_set){.a = a, .by_name = MAP_INIT(a), .rules = attrib_defaults};
}

/* Room for one more in an array of the arena. */
static void *grown(struct arena *a, void *p, size_t n, size_t *size, size_t each)
{
	if (n < *size)
		return p;
	*size = *size ? 2 * *size : 64;
	void *more = arena_alloc(a, *size * each);
	if (n)
		memcpy(more, p, n * each);
	return more;
}

int32_t paths_channel(struct path_set *s, const char *name)
{
	size_t len = strlen(name);
	const char **known = map_get(&s->by_name, name, len);
	if (known)
		return (int32_t)(uintptr_t)known - 1;
	s->channels =
		grown(s->a, s->channels, s->nchannels, &s->channels_size, sizeof(*s->channels));
	s->channels[s->nchannels++] = arena_strdup(s->a, name);
	map_put(&s->by_name, name, len, (void *)(uintptr_t)s->nchannels); /* index + 1 */
	return (int32_t)s->nchannels - 1;
}

struct path *paths_add(struct path_set *s)
{
	s->paths = grown(s->a, s->paths, s->n, &s->size, sizeof(*s->paths));
	s->paths[s->n] = (struct path){0};
	return &s->paths[s->n++];
}

static void add(struct credit *c, const struct path *p, double weight, int64_t minor)
{
	c->conversions += p->conversions * weight;
	c->value += p->value * weight;
	c->minor += minor;
}

static void by_rule(const struct path_set *s, enum attrib_model m, struct attribution *out)
{
	double w[PATHS_MAX_TOUCHES];
	int64_t minor[PATHS_MAX_TOUCHES];
	for (size_t i = 0; i < s->n; i++) {
		const struct path *p = &s->paths[i];
		if (!attrib_weights(m, &s->rules, p->touches, p->n, w)) {
			add(&out->unattributed, p, 1, p->minor);
			continue;
		}
		attrib_split(p->minor, w, p->n, minor);
		for (size_t k = 0; k < p->n; k++)
			add(&out->credits[p->touches[k].channel], p, w[k], minor[k]);
	}
}

/* Shares of one path over its distinct channels, the later ones first in ties of rounding. */
static void by_set(const struct path_set *s, struct attribution *out)
{
	struct touch distinct[PATHS_MAX_TOUCHES];
	double w[PATHS_MAX_TOUCHES];
	int64_t minor[PATHS_MAX_TOUCHES];
	size_t *seen_in = arena_alloc(s->a, (s->nchannels + 1) * sizeof(*seen_in));
	for (size_t i = 0; i < s->n; i++) {
		const struct path *p = &s->paths[i];
		size_t n = 0;
		for (size_t k = 0; k < p->n; k++) {
			size_t *seen = &seen_in[p->touches[k].channel];
			if (*seen != i + 1)
				distinct[n++] = p->touches[k];
			*seen = i + 1;
		}
		if (!attrib_weights(ATTRIB_LINEAR, &s->rules, distinct, n, w)) {
			add(&out->unattributed, p, 1, p->minor);
			continue;
		}
		attrib_split(p->minor, w, n, minor);
		for (size_t k = 0; k < n; k++)
			add(&out->credits[distinct[k].channel], p, w[k], minor[k]);
	}
}

/* What the paths without a touch made belongs to nobody; the rest is shared by a whole-set model
 * whose conversions are set: value and minor units follow them. */
static void share_totals(const struct path_set *s, struct attribution *out)
{
	struct credit all = {0};
	double *w = arena_alloc(s->a, (s->nchannels + 1) * sizeof(*w));
	int64_t *minor = arena_alloc(s->a, (s->nchannels + 1) * sizeof(*minor));
	for (size_t i = 0; i < s->n; i++)
		add(s->paths[i].n ? &all : &out->unattributed, &s->paths[i], 1, s->paths[i].minor);
	for (size_t c = 0; c < s->nchannels; c++) {
		w[c] = all.conversions > 0 ? out->credits[c].conversions / all.conversions : 0;
		out->credits[c].value = w[c] * all.value;
	}
	attrib_split(all.minor, w, s->nchannels, minor);
	for (size_t c = 0; c < s->nchannels; c++)
		out->credits[c].minor = minor[c];
}

enum ta_rc paths_attribute(const struct path_set *s, enum attrib_model m, int order,
	struct attribution *out, struct ta_err *err)
{
	*out = (struct attribution){.model = m};
	out->credits = arena_alloc(s->a, (s->nchannels + 1) * sizeof(*out->credits));
	for (size_t i = 0; i < s->n; i++)
		for (size_t k = 0; k < s->paths[i].n; k++)
			out->credits[s->paths[i].touches[k].channel].seen = true;
	if (attrib_kind_of(m) == ATTRIB_RULE) {
		by_rule(s, m, out);
		return TA_OK;
	}
	if (m == ATTRIB_SHAPLEY) {
		by_set(s, out);
		return TA_OK;
	}
	if (m == ATTRIB_SHAPLEY_RATE && s->nchannels > PATHS_RATE_CHANNELS)
		return ta_fail(err, TA_LIMIT,
			"shapley_rate looks at every set of channels and takes at most %d of them; "
			"here are %zu: use shapley, or fewer channels",
			PATHS_RATE_CHANNELS, s->nchannels);
	enum ta_rc rc = TA_OK;
	if (m == ATTRIB_MARKOV)
		rc = paths_markov(s, order, out, err);
	else
		paths_shapley_rate(s, out);
	share_totals(s, out);
	return rc;
}
