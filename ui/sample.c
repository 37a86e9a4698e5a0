#include "ui/sample.h"

#include "db/docs.h"
#include "ui/feed.h"

#include <stdlib.h>

#define PART_MAX 2000

struct sample_part *sample_part_new(int64_t from, int64_t below)
{
	struct sample_part *p = ta_alloc(sizeof(*p));
	p->from = from;
	p->below = below;
	return p;
}

void sample_part_free(struct sample_part *p)
{
	if (!p)
		return;
	arena_release(&p->mem);
	free(p);
}

static void keep(void *arg, const struct docs_event *e, struct arena *scratch)
{
	struct sample_part *p = arg;
	(void)scratch;
	p->ids[p->n] = e->id;
	event_copy(&p->mem, &e->ev, &p->events[p->n++]);
}

enum ta_rc sample_read(struct db *db, struct sample_part *p, struct ta_err *err)
{
	struct docs_query q = {.each = keep, .arg = p};
	int64_t reached = p->from;
	p->ids = arena_alloc(&p->mem, PART_MAX * sizeof(*p->ids));
	p->events = arena_alloc(&p->mem, PART_MAX * sizeof(*p->events));
	enum ta_rc rc = docs_newest(db, &q, &reached, p->below, PART_MAX, err);
	p->from = reached;
	return rc;
}

static const struct sample_part *lowest(const struct sample *s)
{
	const struct sample_part *p = s->first;
	while (p && p->next)
		p = p->next;
	return p;
}

struct sample_part *sample_wants(const struct sample *s, const struct feed *f)
{
	const struct sample_part *low = lowest(s);
	if (!f->n)
		return NULL;
	if (!low)
		return sample_part_new(f->oldest, f->newest + 1);
	if (f->newest >= s->first->below)
		return sample_part_new(s->first->below, f->newest + 1);
	return f->oldest < low->from ? sample_part_new(f->oldest, low->from) : NULL;
}

void sample_take(struct sample *s, struct sample_part *p, const struct feed *f)
{
	struct sample_part **at = &s->first;
	if (s->first && p->below > s->first->below && p->from > s->first->below)
		sample_release(s); /* more came than one part takes: begun anew from the newest */
	if (s->first && p->from == s->first->below) {
		p->next = s->first;
		s->first = p;
	} else {
		while (*at && (*at)->from != p->below)
			at = &(*at)->next;
		if (!*at && s->first) {
			sample_part_free(p);
			return;
		}
		if (*at)
			at = &(*at)->next;
		p->next = *at;
		*at = p;
	}
	s->events += p->n;
	for (at = &s->first; *at && (*at)->below > f->oldest;)
		at = &(*at)->next;
	while (*at) {
		struct sample_part *old = *at;
		*at = old->next;
		s->events -= old->n;
		sample_part_free(old);
	}
}

const struct event *sample_event(const struct sample *s, int64_t id)
{
	const struct sample_part *p = s->first;
	while (p && id < p->from)
		p = p->next;
	size_t lo = 0, hi = p ? p->n : 0;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (p->ids[mid] > id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return p && lo < p->n && p->ids[lo] == id ? &p->events[lo] : NULL;
}

void sample_release(struct sample *s)
{
	while (s->first) {
		struct sample_part *p = s->first;
		s->first = p->next;
		sample_part_free(p);
	}
	s->events = 0;
}
