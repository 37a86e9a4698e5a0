#include "src/alert.h"

#include "src/attr.h"
#include "src/err.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLATFORM_MIN 3 /* pixels; fewer are no platform */

/* A key is known while something is or was lately wrong with it. */
struct alert_state {
	struct alert_key key;
	enum health_status level; /* as raised, UNKNOWN: not raised */
	enum health_status seen;  /* in this look */
	int bad, better;          /* looks in a row: bad at all; better than the level */
	char why[120];            /* of the last bad look */
};

const char *alert_scope_word(int scope)
{
	static const char *const words[] = {"network", "platform", "pixel"};
	return scope >= 0 && scope < (int)TA_COUNT(words) ? words[scope] : "?";
}

void alerts_release(struct alerts *a)
{
	free(a->states);
	free(a->changes);
	*a = (struct alerts){0};
}

static bool same(struct alert_key a, struct alert_key b)
{
	return a.scope == b.scope && a.object == b.object && a.part == b.part;
}

static struct alert_state *state_of(struct alerts *a, struct alert_key key)
{
	for (size_t i = 0; i < a->n; i++)
		if (same(a->states[i].key, key))
			return &a->states[i];
	if (a->n == a->size) {
		a->size = a->size ? 2 * a->size : 16;
		a->states = ta_realloc(a->states, a->size * sizeof(*a->states));
	}
	a->states[a->n] = (struct alert_state){.key = key};
	return &a->states[a->n++];
}

void alerts_resume(struct alerts *a, struct alert_key key, enum health_status level)
{
	struct alert_state *s = state_of(a, key);
	s->level = level;
	s->bad = ALERT_RAISE;
}

static void see(struct alerts *a, struct alert_key key, enum health_status level, const char *why)
{
	struct alert_state *s = state_of(a, key);
	s->seen = level;
	snprintf(s->why, sizeof(s->why), "%s", why);
}

/* Does this pixel fail in a way that its platform would explain? Its token or account would not. */
static bool fails(const struct health *h)
{
	return h->part[HEALTH_DELIVERY].status == HEALTH_CRIT ||
	       (h->part[HEALTH_QUEUE].status == HEALTH_CRIT &&
		       h->part[HEALTH_STATE].status == HEALTH_OK);
}

struct platforms {
	int pixels[PLATFORM_COUNT], failing[PLATFORM_COUNT];
	bool down[PLATFORM_COUNT];
	int with_pixels, ndown;
	bool network;
};

/* A platform is down when more than half of its pixels fail, three at least; the network when all
 * platforms are, two at least. */
static void judge_platforms(struct platforms *p, const struct alert_look *looks, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		p->pixels[looks[i].platform]++;
		p->failing[looks[i].platform] += fails(looks[i].health);
	}
	for (int k = 0; k < PLATFORM_COUNT; k++) {
		p->down[k] = p->failing[k] >= PLATFORM_MIN && 2 * p->failing[k] > p->pixels[k];
		p->with_pixels += p->pixels[k] >= PLATFORM_MIN;
		p->ndown += p->down[k];
	}
	p->network = p->ndown >= 2 && p->ndown == p->with_pixels;
}

static void see_platforms(struct alerts *a, const struct platforms *p)
{
	char why[120];
	if (p->network) {
		snprintf(why, sizeof(why), "%d platforms fail at once", p->ndown);
		see(a, (struct alert_key){ALERT_NETWORK, 0, HEALTH_DELIVERY}, HEALTH_CRIT, why);
		return;
	}
	for (int k = 0; k < PLATFORM_COUNT; k++) {
		if (!p->down[k])
			continue;
		snprintf(why, sizeof(why), "%d of its %d pixels fail", p->failing[k], p->pixels[k]);
		see(a, (struct alert_key){ALERT_PLATFORM, k, HEALTH_DELIVERY}, HEALTH_CRIT, why);
	}
}

static void see_pixel(struct alerts *a, const struct alert_look *l, bool explained)
{
	for (int i = 0; i < HEALTH_PARTS; i++) {
		const struct health_judged *p = &l->health->part[i];
		bool child = explained && (i == HEALTH_DELIVERY || i == HEALTH_QUEUE ||
						  i == HEALTH_LATENCY || i == HEALTH_FIRST_TRY);
		if (p->status >= HEALTH_WARN && !child)
			see(a, (struct alert_key){ALERT_PIXEL, l->pixel_id, (enum health_part)i},
				p->status, p->why);
	}
}

/* What the hysteresis makes of this look: the level from now on. */
static enum health_status settled(struct alert_state *s)
{
	bool bad = s->seen >= HEALTH_WARN;
	s->bad = bad ? s->bad + 1 : 0;
	s->better = s->seen < s->level ? s->better + 1 : 0;
	if (!s->level)
		return s->bad >= ALERT_RAISE ? s->seen : HEALTH_UNKNOWN;
	if (s->seen < s->level && s->better < ALERT_CLEAR)
		return s->level;
	return bad ? s->seen : HEALTH_UNKNOWN;
}

static bool step(struct alert_state *s, struct alert_change *out)
{
	enum health_status before = s->level;
	s->level = settled(s);
	if (s->level == before)
		return false;
	s->better = 0;
	*out = (struct alert_change){.key = s->key,
		.turn = !before             ? ALERT_RAISED
			: !s->level         ? ALERT_CLEARED
			: s->level > before ? ALERT_WORSE
					    : ALERT_BETTER,
		.level = s->level ? s->level : before};
	memcpy(out->why, s->why, sizeof(out->why));
	return true;
}

size_t alerts_look(struct alerts *a, const struct alert_look *looks, size_t n,
	const struct alert_change **changes)
{
	struct platforms p = {0};
	size_t changed = 0, kept = 0;
	for (size_t i = 0; i < a->n; i++)
		a->states[i].seen = HEALTH_UNKNOWN;
	judge_platforms(&p, looks, n);
	see_platforms(a, &p);
	for (size_t i = 0; i < n; i++)
		see_pixel(a, &looks[i], p.network || p.down[looks[i].platform]);
	a->changes = ta_realloc(a->changes, (a->n + 1) * sizeof(*a->changes));
	for (size_t i = 0; i < a->n; i++) {
		changed += step(&a->states[i], &a->changes[changed]);
		if (a->states[i].level || a->states[i].bad)
			a->states[kept++] = a->states[i];
	}
	a->n = kept;
	*changes = a->changes;
	return changed;
}
