#include "src/backtest.h"

#include <string.h>

static bool same(const struct route_decision *x, const struct route_decision *y)
{
	return x->to == y->to && x->reason == y->reason;
}

static void count_move(
	struct backtest *b, const struct route_decision *x, const struct route_decision *y)
{
	size_t i = 0;
	while (i < b->nmoves &&
		(b->moves[i].before != (int)x->to || b->moves[i].before_reason != (int)x->reason ||
			b->moves[i].after != (int)y->to ||
			b->moves[i].after_reason != (int)y->reason))
		i++;
	if (i == BACKTEST_MOVES)
		return;
	if (i == b->nmoves)
		b->moves[b->nmoves++] = (struct backtest_move){.before = (int)x->to,
			.before_reason = (int)x->reason,
			.after = (int)y->to,
			.after_reason = (int)y->reason};
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

void backtest_add(struct backtest *b, const struct backtest_event *e, struct arena *scratch)
{
	bool changed = false;
	b->events++;
	for (size_t i = e->first; i < e->first + e->n; i++) {
		struct route_case now = {e->ev, e->store, &b->now[i], e->received_us};
		struct route_case draft = {e->ev, e->store, &b->draft[i], e->received_us};
		if (e->id <= b->now[i].since_id)
			continue;
		struct route_decision x = route_decide(&now, scratch);
		struct route_decision y = route_decide(&draft, scratch);
		b->deliveries++;
		b->before[x.to]++;
		b->after[y.to]++;
		if (same(&x, &y))
			continue;
		changed = true;
		b->changed_deliveries++;
		count_move(b, &x, &y);
		keep_change(b, e, &b->now[i], &x, &y);
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
