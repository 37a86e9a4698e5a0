/* New rows that begin with something: a copy for another store, a rule from an event. */
#include "src/clock.h"
#include "src/event.h"
#include "ui/distinct.h"
#include "ui/editor.h"
#include "ui/format.h"
#include "ui/pane.h"

#include <stdio.h>
#include <string.h>

#define DAY_US      (24 * 3600 * US_PER_S)
#define EVENTS_READ 4000 /* of all stores, to find DISTINCT_EVENTS of one */

static const char *value(const struct table *t, const struct table_row *row, const char *name)
{
	int i = field_index(t->fields, t->nfields, name);
	return i >= 0 && row->v[i] ? row->v[i] : "";
}

/* Copies ------------------------------------------------------------------------------------------
 */

void editor_copy(struct app *app, enum grid_id id, const struct table_row *row)
{
	const struct table *t = editor_table(id);
	struct form *f = &app->edit.form;
	const char *name = value(t, row, "name");
	char title[120];
	if (!editor_open(app, id, NULL))
		return;
	for (size_t i = 0; i < t->nfields; i++)
		if (!(t->fields[i].flags & (FIELD_SECRET | FIELD_READONLY | FIELD_TWIN)))
			form_preset(f, t->fields[i].name, row->v[i] ? row->v[i] : "");
	snprintf(title, sizeof(title), "Copy of %s %.60s", t->word, name);
	form_title(f, title);
	if (id == GRID_PIXELS) {
		form_preset(f, "store", "");
		form_hint(
			f, "Choose the store that the copy is for, and type its token: the one of");
		form_hint(f, "%s is sealed to it and cannot be read here.", name);
	} else {
		form_preset(f, "name", arena_fmt(&f->mem, "%.50s copy", name));
		form_hint(f, "Choose where the copy applies; without a store it applies to all.");
	}
	form_start(f, "store");
	editor_typed(app);
}

/* From an event ---------------------------------------------------------------------------------
 */

/* About when the newest EVENTS_READ events began, by the pace of those that the stream holds. */
static int64_t since(const struct feed *f, int64_t now_us)
{
	int64_t at = now_us, last = 0;
	int n = 0;
	for (int i = 0; i < f->n && n < EVENTS_READ; i++) {
		n += f->rows[i].v.id != last;
		last = f->rows[i].v.id;
		at = f->rows[i].v.received_us;
	}
	int64_t span = (now_us - at) / TA_MAX(n, 1) * EVENTS_READ;
	return now_us - TA_MIN(span, DAY_US);
}

static struct work *begin(struct app *app, const struct view_row *row)
{
	const struct inspect *in = &app->inspect;
	struct work *w = work_new(WORK_DISTINCT, editor_table(GRID_RULES));
	struct distinct *d = arena_alloc(&w->mem, sizeof(*d));
	struct event ev;
	struct ta_err ignored = {0};
	if (event_read(&w->mem, in->ev.doc, in->ev.ndoc, &ev, &ignored)) {
		work_free(w);
		return NULL;
	}
	d->store_id = row->store_id;
	d->pixel_id = row->pixel_id;
	d->event_id = row->id;
	int64_t now = TA_MAX(app->data.now_us, row->received_us);
	d->from_us = TA_MIN(since(&app->feed, now), row->received_us);
	d->to_us = now + 60 * US_PER_S;
	distinct_begin(d, &w->mem, &ev, NULL);
	w->distinct = d;
	return w;
}

void editor_from_event(struct app *app)
{
	const struct view_row *row = feed_selected(&app->feed);
	const struct inspect *in = &app->inspect;
	struct work *w = NULL;
	if (!row)
		app_toast(app, false, "no event is selected");
	else if (in->id != row->id)
		app_toast(app, false, "the event is still being read");
	else if (in->missing || !in->ev.doc || !(w = begin(app, row)))
		app_toast(app, true, "the event's document is gone: there is nothing to compare");
	else
		editor_post(app, w);
}

static void scope(struct app *app, const struct distinct *d)
{
	struct form *f = &app->edit.form;
	const struct view_store *st = data_store(&app->data, d->store_id);
	const struct view_pixel *px = data_pixel(&app->data, d->pixel_id);
	if (st)
		form_preset(f, "store", st->name);
	if (st && px)
		form_preset(f, "pixel", arena_fmt(&f->mem, "%s/%s", st->name, px->name));
}

/* The predicates, rarest first. */
static void explain(struct app *app, const struct distinct *d)
{
	struct form *f = &app->edit.form;
	const struct view_store *st = data_store(&app->data, d->store_id);
	int order[DISTINCT_MAX];
	char of[32], n[32];
	for (int i = 0; i < d->n; i++) {
		int at = i;
		for (; at > 0 && d->count[order[at - 1]] > d->count[i]; at--)
			order[at] = order[at - 1];
		order[at] = i;
	}
	format_count(d->events, of);
	format_count(d->matched, n);
	form_hint(f, "In shadow it only counts: false in Shadow makes it drop what it matches.");
	form_hint(f, "What the event says, by how many of the last %s of %s say it too:", of,
		st ? st->name : "its store");
	for (int i = 0; i < d->n; i++) {
		format_count(d->count[order[i]], n);
		form_hint(f, "%s %7s  %s", d->chosen >> order[i] & 1 ? theme_glyph(GL_OK) : " ", n,
			d->expr[order[i]]);
	}
}

/* The counts are there; whoever went elsewhere meanwhile gets no form. */
void editor_distinct(struct app *app, const struct work *w)
{
	const struct distinct *d = w->distinct;
	struct form *f = &app->edit.form;
	if (w->err.rc) {
		app_toast(app, true, "%s", w->err.msg);
		return;
	}
	if (app->pane != PANE_EVENTS || app->help || app->prompt.active ||
		app->edit.ask.kind != ASK_NOTHING || app->inspect.asked != d->event_id)
		return;
	app_go(app, PANE_RULES);
	if (!editor_open(app, GRID_RULES, NULL))
		return;
	form_title(f, "New rule from an event");
	scope(app, d);
	form_preset(f, "expr", distinct_condition(d, &f->mem));
	form_preset(f, "action", "drop");
	form_preset(f, "shadow", "true");
	form_preset(f, "note",
		arena_fmt(&f->mem, "made from event %llx", (unsigned long long)d->event_id));
	explain(app, d);
	form_start(f, "expr");
	editor_typed(app);
}
