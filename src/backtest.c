#include "src/backtest.h"

#include <string.h>

enum rule_action backtest_change_of(const struct route_decision *d)
{
	enum rule_action kind = d->rule && d->to == DISP_QUEUED ? d->rule->act.kind : ACTION_SEND;
	return rule_action_sends(kind) ? kind : ACTION_SEND;
}

static bool same(const struct route_decision *x, const struct route_decision *y)
{
	if (x->to != y->to || x->reason != y->reason ||
		backtest_change_of(x) != backtest_change_of(y))
		return false;
	if (x->reason == REASON_REROUTED)
		return x->other_pixel == y->other_pixel;
	return backtest_change_of(x) == ACTION_SEND ||
	       strcmp(x->rule->act.with, y->rule->act.with) == 0;
}

static bool same_move(const struct backtest_move *x, const struct backtest_move *y)
{
	return x->before == y->before && x->before_reason == y->before_reason &&
	       x->before_action == y->before_action && x->after == y->after &&
	       x->after_reason == y->after_reason && x->after_action == y->after_action;
}

static void count_move(
	struct backtest *b, const struct route_decision *x, const struct route_decision *y)
{
	size_t i = 0;
	const struct backtest_move m = {.before = (int)x->to,
		.before_reason = (int)x->reason,
		.before_action = backtest_change_of(x),
		.after = (int)y->to,
		.after_reason = (int)y->reason,
		.after_action = backtest_change_of(y)};
	while (i < b->nmoves && !same_move(&b->moves[i], &m))
		i++;
	if (i == BACKTEST_MOVES)
		return;
	if (i == b->nmoves)
		b->moves[b->nmoves++] = m;
	b->moves[i].n++;
}

static void add_money(struct backtest *b, struct money m)
{
	size_t i = 0;
	while (i < b->ntouched && strcmp(b->touched[i].currency, m.currency) != 0)
		i++;
	if (i == BACKTEST_CURRENCIES)
		return;
	if (i == b->ntouched)
		memcpy(b->touched[b->ntouched++].currency, m.currency, sizeof(m.currency));
	b->touched[i].minor += m.minor;
}

static void keep_change(struct backtest *b, const struct backtest_event *e,
	const struct route_pixel *pixel, const struct route_decision *x,
	const struct route_decision *y)
{
	if (b->nchanges == b->max_changes)
		return;
	if (!b->changes)
		b->changes = arena_alloc(&b->keep, b->max_changes * sizeof(*b->changes));
	const struct event *ev = e->ev;
	b->changes[b->nchanges++] = (struct backtest_change){.event_id = e->id,
		.received_us = e->received_us,
		.store = e->store,
		.pixel = pixel,
		.name = ev->name,
		.order = ev->order.name ? arena_strdup(&b->keep, ev->order.name) : NULL,
		.has_value = ev->has_value,
		.value = ev->value,
		.before = *x,
		.after = *y};
}

/* As the books count it: what a browser says is no revenue. */
static bool revenue(const struct event *ev)
{
	return ev->name == EV_PURCHASE && ev->has_value && ev->source != SOURCE_BROWSER;
}

/* What both rule sets say, for all pixels of the event's store. */
static struct route_decision *decide(
	const struct backtest_event *e, const struct route_pixel *pixels, struct arena *scratch)
{
	struct route_decision *out = arena_alloc(scratch, e->n * sizeof(*out));
	struct route_case c = {e->ev, e->store, pixels, e->received_us, e->id};
	if (e->n > 0 && pixels->siblings)
		route_decide_all(&c, out, NULL, scratch);
	for (size_t i = 0; i < e->n && !pixels->siblings; i++) {
		c.pixel = &pixels[i];
		out[i] = route_decide(&c, scratch);
	}
	return out;
}

void backtest_add(struct backtest *b, const struct backtest_event *e, struct arena *scratch)
{
	bool changed = false;
	const struct route_pixel *pixels = &b->now[e->first];
	const struct route_decision *x = decide(e, pixels, scratch);
	const struct route_decision *y = decide(e, &b->draft[e->first], scratch);
	b->events++;
	for (size_t i = 0; i < e->n; i++) {
		if (e->id <= pixels[i].since_id)
			continue;
		b->deliveries++;
		b->before[x[i].to]++;
		b->after[y[i].to]++;
		if (same(&x[i], &y[i]))
			continue;
		changed = true;
		b->changed_deliveries++;
		count_move(b, &x[i], &y[i]);
		keep_change(b, e, &pixels[i], &x[i], &y[i]);
	}
	if (!changed)
		return;
	b->changed_events++;
	if (revenue(e->ev))
		add_money(b, e->ev->value);
}

void backtest_release(struct backtest *b)
{
	arena_release(&b->keep);
}
