#include "ui/distinct.h"

#include "src/buf.h"
#include "src/err.h"
#include "src/rule.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 200 /* bytes of a value that may stand in a condition */
#define PICKS    4

/* In the order in which they stand in a condition. */
static const char *const fields[] = {"name", "event.custom_name", "source", "topic",
	"order.source_name", "order.financial_status", "country", "currency", "event.language",
	"event.search", "utm.source", "utm.medium", "utm.campaign", "utm.content", "utm.term",
	"consent"};
static const char *const lists[] = {"items.category", "items.brand", "items.product_id"};
static const char *const clicks[] = {"click.epik", "click.fbc", "click.ttclid", "click.gclid"};

static void add(struct distinct *d, struct arena *a, const char *expr)
{
	struct ta_err ignored = {0};
	if (d->n < DISTINCT_MAX &&
		rule_compile_event(a, expr, &d->prog[d->n], NULL, &ignored) == TA_OK)
		d->expr[d->n++] = expr;
}

/* A text as the grammar writes it. */
static const char *quoted(struct arena *a, const char *text)
{
	json_t *j = strlen(text) <= TEXT_MAX ? json_string(text) : NULL;
	char *s = j ? json_dumps(j, JSON_ENCODE_ANY) : NULL;
	const char *copy = s ? arena_strdup(a, s) : NULL;
	free(s);
	json_decref(j);
	return copy;
}

static void add_text(struct distinct *d, struct arena *a, const struct rule_source *src,
	const char *name, const char *how)
{
	struct rule_value v = {0};
	if (!src->get(src->data, name, a, &v))
		return;
	if (v.type == RULE_LIST && v.nlist)
		v = v.list[0];
	const char *text = v.type == RULE_STRING && *v.s ? quoted(a, v.s) : NULL;
	if (text)
		add(d, a, arena_fmt(a, "%s %s %s", name, how, text));
}

/* The page without what differs from visit to visit. */
static void add_page(struct distinct *d, struct arena *a, const char *url)
{
	const char *host = url ? strstr(url, "://") : NULL,
		   *path = host ? strchr(host + 3, '/') : NULL;
	size_t n = path ? strcspn(path, "?#") : 0;
	const char *text = n > 1 ? quoted(a, arena_strndup(a, path, n)) : NULL;
	if (text)
		add(d, a, arena_fmt(a, "url contains %s", text));
}

static void add_value(struct distinct *d, struct arena *a, const struct event *ev)
{
	struct buf amount = BUF_INIT(64);
	if (ev->has_value) {
		money_format(&amount, ev->value);
		add(d, a, arena_fmt(a, "value >= %s %s", buf_str(&amount), ev->value.currency));
	}
	buf_release(&amount);
}

void distinct_begin(
	struct distinct *d, struct arena *a, const struct event *ev, const struct rule_store *store)
{
	struct rule_event e = {.ev = ev, .store = store, .disposition = -1, .latency_us = -1};
	struct rule_source src = rule_source_event(&e);
	if (ev->test)
		add(d, a, "test");
	for (size_t i = 0; i < TA_COUNT(fields); i++)
		if (strcmp(fields[i], "consent") != 0 || ev->consent)
			add_text(d, a, &src, fields[i], "==");
	add_value(d, a, ev);
	for (size_t i = 0; i < TA_COUNT(lists); i++)
		add_text(d, a, &src, lists[i], "contains");
	for (size_t i = 0; i < TA_COUNT(clicks); i++) {
		struct rule_value v;
		if (src.get(src.data, clicks[i], a, &v))
			add(d, a, arena_fmt(a, "%s exists", clicks[i]));
	}
	add_page(d, a, ev->url);
	d->seen = arena_alloc(a, DISTINCT_EVENTS * sizeof(*d->seen));
}

void distinct_see(struct distinct *d, const struct rule_event *e, struct arena *scratch)
{
	struct rule_source src = rule_source_event(e);
	uint32_t seen = 0;
	if (d->events >= DISTINCT_EVENTS)
		return;
	for (int i = 0; i < d->n; i++)
		if (rule_match(d->prog[i], &src, scratch, NULL)) {
			seen |= UINT32_C(1) << i;
			d->count[i]++;
		}
	d->seen[d->events++] = seen;
}

/* Events that all of these predicates match. */
static int matched(const struct distinct *d, uint32_t bits)
{
	int n = 0;
	for (int i = 0; i < d->events; i++)
		n += (d->seen[i] & bits) == bits;
	return n;
}

static int narrowest(const struct distinct *d, int *left)
{
	int found = -1;
	*left = d->matched;
	for (int i = 0; i < d->n; i++) {
		uint32_t bit = UINT32_C(1) << i;
		int n = d->chosen & bit ? d->events : matched(d, d->chosen | bit);
		if (n < *left) {
			*left = n;
			found = i;
		}
	}
	return found;
}

void distinct_choose(struct distinct *d)
{
	int left;
	d->chosen = 0;
	/* The name is what a rule is about; without another one it says all. */
	for (int i = 0; i < d->n && !d->chosen; i++)
		if (strncmp(d->expr[i], "name ", 5) == 0)
			d->chosen = UINT32_C(1) << i;
	d->matched = matched(d, d->chosen);
	for (int k = 0; k < PICKS - 1 && d->matched * 20 > d->events; k++) {
		int i = narrowest(d, &left);
		if (i < 0 || left * 10 > d->matched * 9)
			return;
		d->chosen |= UINT32_C(1) << i;
		d->matched = left;
	}
}

const char *distinct_condition(const struct distinct *d, struct arena *a)
{
	const char *text = "";
	for (int i = 0; i < d->n; i++)
		if (d->chosen >> i & 1)
			text = arena_fmt(a, "%s%s%s", text, *text ? " and " : "", d->expr[i]);
	return text;
}
