/* Attribution by removal effect in an absorbing Markov chain (Anderl et al. 2016): states are the
 * last `order` channels of a journey; removing a channel sends every state that holds it to "no
 * order", and what is lost of the probability of an order is its effect. */
#include "src/paths.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct edge {
	int32_t from, to;
	double weight; /* then: probability */
};

struct state {
	int32_t channels[PATHS_MAX_ORDER]; /* -1 fills */
	double converts; /* weight, then probability, of an order right behind it */
	double leaves;   /* weight of a journey's end without an order */
};

struct chain {
	const struct path_set *set;
	int order;
	struct map by_state;
	struct state *states; /* 0 is the start */
	size_t nstates, states_size;
	struct edge *edges; /* by from, once merged */
	size_t nedges, edges_size;
	size_t *first; /* of each state's edges; nstates + 1 */
	double *value; /* probability of an order from each state on */
};

#define START     0
#define SWEEPS    100000
#define MOST_WORK 50000000 /* edges times channels: some 40 s */

static void *more(void *p, size_t n, size_t *size, size_t each)
{
	if (n < *size)
		return p;
	*size = *size ? 2 * *size : 256;
	return ta_realloc(p, *size * each);
}

static int32_t state_of(struct chain *c, const int32_t channels[PATHS_MAX_ORDER])
{
	void *known = map_get(&c->by_state, channels, PATHS_MAX_ORDER * sizeof(*channels));
	if (known)
		return (int32_t)((uintptr_t)known - 1);
	c->states = more(c->states, c->nstates, &c->states_size, sizeof(*c->states));
	struct state *s = &c->states[c->nstates++];
	*s = (struct state){.converts = 0};
	memcpy(s->channels, channels, sizeof(s->channels));
	map_put(&c->by_state, channels, PATHS_MAX_ORDER * sizeof(*channels),
		(void *)(uintptr_t)c->nstates);
	return (int32_t)c->nstates - 1;
}

static void add_edge(struct chain *c, int32_t from, int32_t to, double weight)
{
	c->edges = more(c->edges, c->nedges, &c->edges_size, sizeof(*c->edges));
	c->edges[c->nedges++] = (struct edge){from, to, weight};
}

/* A path shorter than the order is one state of its own length. */
static void add_path(struct chain *c, const struct path *p)
{
	double weight = p->conversions + p->nulls;
	size_t k = (size_t)c->order < p->n ? (size_t)c->order : p->n;
	int32_t at = START, channels[PATHS_MAX_ORDER];
	if (p->n == 0 || !(weight > 0))
		return;
	memset(channels, 0xff, sizeof(channels));
	for (size_t i = 0; i + k <= p->n; i++) {
		for (size_t j = 0; j < k; j++)
			channels[j] = p->touches[i + j].channel;
		int32_t next = state_of(c, channels);
		if (next != at)
			add_edge(c, at, next, weight);
		at = next;
	}
	TA_ASSERT(c->states);
	c->states[at].converts += p->conversions;
	c->states[at].leaves += p->nulls;
}

static int by_ends(const void *a, const void *b)
{
	const struct edge *x = a, *y = b;
	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	return x->to == y->to ? 0 : x->to < y->to ? -1 : 1;
}

/* Equal edges become one, weights become probabilities. */
static void settle(struct chain *c)
{
	size_t n = 0;
	if (c->nedges)
		qsort(c->edges, c->nedges, sizeof(*c->edges), by_ends);
	for (size_t i = 0; i < c->nedges; i++)
		if (n && by_ends(&c->edges[n - 1], &c->edges[i]) == 0)
			c->edges[n - 1].weight += c->edges[i].weight;
		else
			c->edges[n++] = c->edges[i];
	c->nedges = n;
	c->first = ta_alloc((c->nstates + 1) * sizeof(*c->first));
	for (size_t s = 0, e = 0; s < c->nstates; s++) {
		double out = c->states[s].converts + c->states[s].leaves;
		c->first[s] = e;
		while (e < n && (size_t)c->edges[e].from == s)
			out += c->edges[e++].weight;
		out = out > 0 ? out : 1; /* the start of a set without journeys */
		for (size_t i = c->first[s]; i < e; i++)
			c->edges[i].weight /= out;
		c->states[s].converts /= out;
		c->first[s + 1] = e;
	}
}

static bool holds(const struct chain *c, size_t state, int32_t channel)
{
	for (int i = 0; i < c->order; i++)
		if (c->states[state].channels[i] == channel)
			return true;
	return false;
}

/* The probability of an order from the start, with one channel removed (-1: none): Gauss and
 * Seidel's sweeps from the last state back, which raise the values towards the solution, until
 * they stand still to the last bits. */
static double solve(struct chain *c, int32_t removed)
{
	memset(c->value, 0, c->nstates * sizeof(*c->value));
	for (int sweep = 0; sweep < SWEEPS; sweep++) {
		double most = 0;
		for (size_t s = c->nstates; s-- > 0;) {
			double v = c->states[s].converts;
			if (removed >= 0 && holds(c, s, removed))
				continue;
			for (size_t e = c->first[s]; e < c->first[s + 1]; e++)
				v += c->edges[e].weight * c->value[c->edges[e].to];
			most = fmax(most, v - c->value[s]);
			c->value[s] = v;
		}
		if (most < 1e-15 * c->value[START] || !(most > 0))
			break;
	}
	return c->value[START];
}

static void give(struct chain *c, struct attribution *out)
{
	const struct path_set *s = c->set;
	double conversions = 0, effects = 0;
	for (size_t i = 0; i < s->n; i++)
		conversions += s->paths[i].n ? s->paths[i].conversions : 0;
	out->p_conversion = solve(c, -1);
	out->states = c->nstates;
	for (size_t ch = 0; ch < s->nchannels; ch++) {
		struct credit *cr = &out->credits[ch];
		if (cr->seen && out->p_conversion > 0)
			cr->removal = 1 - solve(c, (int32_t)ch) / out->p_conversion;
		effects += cr->removal;
	}
	for (size_t ch = 0; ch < s->nchannels && effects > 0; ch++)
		out->credits[ch].conversions = conversions * out->credits[ch].removal / effects;
}

enum ta_rc paths_markov(
	const struct path_set *s, int order, struct attribution *out, struct ta_err *err)
{
	enum ta_rc rc = TA_OK;
	struct arena a = ARENA_INIT;
	struct chain c = {.set = s, .order = order, .by_state = MAP_INIT(&a)};
	int32_t start[PATHS_MAX_ORDER];
	TA_ASSERT(order >= 1 && order <= PATHS_MAX_ORDER);
	memset(start, 0xff, sizeof(start));
	(void)state_of(&c, start);
	for (size_t i = 0; i < s->n; i++)
		add_path(&c, &s->paths[i]);
	settle(&c);
	c.value = ta_alloc(c.nstates * sizeof(*c.value));
	if (c.nedges * s->nchannels > MOST_WORK)
		rc = ta_fail(err, TA_LIMIT,
			"a chain of order %d over %zu channels has %zu states, too many to remove each "
			"channel in turn; use --order 1, or fewer channels",
			order, s->nchannels, c.nstates);
	else
		give(&c, out);
	free(c.states);
	free(c.edges);
	free(c.first);
	free(c.value);
	arena_release(&a);
	return rc;
}
