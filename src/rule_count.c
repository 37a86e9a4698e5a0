#include "src/rule_count.h"

#include "src/arena.h"

#include <stddef.h>
#include <string.h>

#define HOUR_US INT64_C(3600000000)
#define KEY_LEN offsetof(struct rule_count, n)

_Static_assert(KEY_LEN == 24, "a key without padding");

static struct rule_count *row_of(struct rule_counts *t, const struct rule_count *key)
{
	struct rule_count *row = map_get(&t->map, key, KEY_LEN);
	if (row)
		return row;
	if (t->n == t->size) {
		t->size = t->size ? 2 * t->size : 32;
		struct rule_count **rows = arena_alloc(t->a, t->size * sizeof(*rows));
		if (t->n)
			memcpy(rows, t->rows, t->n * sizeof(*rows));
		t->rows = rows;
	}
	row = arena_alloc(t->a, sizeof(*row));
	*row = *key;
	map_put(&t->map, key, KEY_LEN, row);
	t->rows[t->n++] = row;
	return row;
}

static void count(
	struct rule_counts *t, const struct route_note *note, int64_t hour, int item, int bin)
{
	const struct rule_count key = {.hour = hour,
		.rule_id = note->rule->id,
		.version = note->rule->version,
		.item = (int16_t)item,
		.bin = (int16_t)bin};
	row_of(t, &key)->n++;
}

bool rule_count_revenue(const struct event *ev)
{
	return ev->name == EV_PURCHASE && ev->has_value && ev->source != SOURCE_BROWSER;
}

/* An event counts once, at however many pixels the shadow would have changed it. */
static void touch(
	struct rule_counts *t, const struct route_note *note, int64_t hour, const struct money *m)
{
	struct rule_count key = {.hour = hour,
		.rule_id = note->rule->id,
		.version = note->rule->version,
		.item = RULE_COUNT_TOUCHED};
	memcpy(key.currency, m->currency, sizeof(key.currency));
	struct rule_count *row = row_of(t, &key);
	if (row->last == t->events)
		return;
	row->last = t->events;
	row->n++;
	row->amount += m->minor;
}

void rule_counts_add(struct rule_counts *t, const struct route_notes *notes, const struct event *ev,
	int64_t received_us)
{
	int64_t hour = received_us / HOUR_US;
	t->events++;
	for (size_t i = 0; i < notes->n; i++) {
		const struct route_note *note = &notes->v[i];
		switch (note->kind) {
		case NOTE_MATCHED:
			count(t, note, hour, RULE_COUNT_MATCHED, (int)note->to);
			break;
		case NOTE_FAILED:
			count(t, note, hour, RULE_COUNT_FAILED, (int)note->fault);
			break;
		case NOTE_SHADOW:
			count(t, note, hour, RULE_COUNT_SHADOW, (int)note->to);
			if (!note->differs)
				break;
			count(t, note, hour, RULE_COUNT_DIFFERS, 0);
			if (rule_count_revenue(ev))
				touch(t, note, hour, &ev->value);
			break;
		}
	}
}
