#include "net/conn.h"

#include "net/writer.h"
#include "src/attr.h"
#include "src/clock.h"

int64_t conn_limit_us(enum conn_phase phase)
{
	static const int64_t limits[PHASE_COUNT] = {
		[PHASE_HEADERS] = 10 * US_PER_S,
		[PHASE_BODY] = 30 * US_PER_S,
		[PHASE_STORE] = STORE_WAIT_US,
		[PHASE_ANSWER] = 10 * US_PER_S,
		[PHASE_IDLE] = 60 * US_PER_S,
	};
	return limits[phase];
}

static void link_in(struct conns *all, struct conn *c, int64_t now_us)
{
	enum conn_phase p = c->phase;
	c->deadline_us = now_us + conn_limit_us(p);
	c->next = NULL;
	c->prev = all->tail[p];
	*(c->prev ? &c->prev->next : &all->head[p]) = c;
	all->tail[p] = c;
}

static void link_out(struct conns *all, struct conn *c)
{
	enum conn_phase p = c->phase;
	*(c->prev ? &c->prev->next : &all->head[p]) = c->next;
	*(c->next ? &c->next->prev : &all->tail[p]) = c->prev;
}

void conns_add(struct conns *all, struct conn *c, int64_t now_us)
{
	c->phase = PHASE_HEADERS;
	link_in(all, c, now_us);
	all->n++;
}

void conns_remove(struct conns *all, struct conn *c)
{
	link_out(all, c);
	all->n--;
}

void conns_phase(struct conns *all, struct conn *c, enum conn_phase phase, int64_t now_us)
{
	link_out(all, c);
	c->phase = phase;
	link_in(all, c, now_us);
}

struct conn *conns_late(const struct conns *all, int64_t now_us)
{
	for (int p = 0; p < PHASE_COUNT; p++)
		if (all->head[p] && all->head[p]->deadline_us <= now_us)
			return all->head[p];
	return NULL;
}

int conns_wait_ms(const struct conns *all, int64_t now_us)
{
	int64_t first = INT64_MAX;
	for (int p = 0; p < PHASE_COUNT; p++)
		if (all->head[p])
			first = TA_MIN(first, all->head[p]->deadline_us);
	if (first == INT64_MAX)
		return -1;
	int64_t ms = first > now_us ? (first - now_us + 999) / 1000 : 0;
	return (int)TA_MIN(ms, 3600000);
}
