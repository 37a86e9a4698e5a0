#include "ui/seen.h"

#include "src/rule_field.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 60 /* bytes: what is longer is no word that somebody completes */

/* Where an event holds them. */
static const struct {
	const char *field;
	size_t offset;
} texts[] = {{"country", offsetof(struct event, user.country)},
	{"currency", offsetof(struct event, currency)}, {"topic", offsetof(struct event, topic)},
	{"event.custom_name", offsetof(struct event, custom_name)},
	{"event.language", offsetof(struct event, language)},
	{"utm.source", offsetof(struct event, utm.source)},
	{"utm.medium", offsetof(struct event, utm.medium)},
	{"utm.campaign", offsetof(struct event, utm.campaign)},
	{"utm.term", offsetof(struct event, utm.term)},
	{"utm.content", offsetof(struct event, utm.content)},
	{"utm.id", offsetof(struct event, utm.id)},
	{"order.financial_status", offsetof(struct event, order.financial_status)},
	{"order.source_name", offsetof(struct event, order.source_name)}};

static const struct {
	const char *field;
	size_t offset;
} of_items[] = {{"items.sku", offsetof(struct event_item, sku)},
	{"items.product_id", offsetof(struct event_item, product_id)},
	{"items.name", offsetof(struct event_item, name)},
	{"items.brand", offsetof(struct event_item, brand)},
	{"items.category", offsetof(struct event_item, category)}};

/* Fields of the same meaning share what was seen. */
static const struct {
	const char *other, *field;
} twins[] = {{"user.country", "country"}, {"event.currency", "currency"}, {"event.topic", "topic"}};

void seen_release(struct seen *s)
{
	arena_release(&s->mem);
	*s = (struct seen){0};
}

static struct seen_field *slot(struct seen *s, int field)
{
	for (int i = 0; i < s->nfields; i++)
		if (s->fields[i].field == field)
			return &s->fields[i];
	if (s->nfields == SEEN_FIELDS)
		return NULL;
	struct seen_field *f = &s->fields[s->nfields++];
	f->field = field;
	f->values = arena_alloc(&s->mem, SEEN_VALUES * sizeof(*f->values));
	return f;
}

static void count(struct seen *s, const char *name, const char *text)
{
	if (!text || !*text || strlen(text) > TEXT_MAX)
		return;
	struct seen_field *f = slot(s, rule_field_of(name));
	for (int i = 0; f && i < f->n; i++)
		if (strcmp(f->values[i].text, text) == 0) {
			f->values[i].n++;
			return;
		}
	if (f && f->n < SEEN_VALUES)
		f->values[f->n++] = (struct seen_value){arena_strdup(&s->mem, text), 1};
}

static const char *text_at(const void *base, size_t offset)
{
	const char *p;
	memcpy(&p, (const char *)base + offset, sizeof(const char *));
	return p;
}

void seen_event(struct seen *s, const struct event *ev)
{
	for (size_t i = 0; i < TA_COUNT(texts); i++)
		count(s, texts[i].field, text_at(ev, texts[i].offset));
	for (size_t k = 0; k < ev->nitems; k++)
		for (size_t i = 0; i < TA_COUNT(of_items); i++)
			count(s, of_items[i].field, text_at(&ev->items[k], of_items[i].offset));
}

static int more_first(const void *a, const void *b)
{
	const struct seen_value *x = a, *y = b;
	return x->n != y->n ? y->n - x->n : strcmp(x->text, y->text);
}

void seen_sort(struct seen *s)
{
	for (int i = 0; i < s->nfields; i++)
		qsort(s->fields[i].values, (size_t)s->fields[i].n, sizeof(struct seen_value),
			more_first);
}

const struct seen_field *seen_of(const struct seen *s, int field)
{
	for (size_t i = 0; i < TA_COUNT(twins); i++)
		if (rule_field_of(twins[i].other) == field)
			field = rule_field_of(twins[i].field);
	for (int i = 0; i < s->nfields; i++)
		if (s->fields[i].field == field)
			return &s->fields[i];
	return NULL;
}
