/* "matches N of the last M events" while a condition is being typed: over the stream's lines, and
 * over the documents, which the worker reads in parts; its answers are made by hand here. */
#include "fake.h"
#include "ui/pane.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void type(struct app *app, const char *keys)
{
	for (; *keys; keys++)
		app_key(app, (unsigned char)*keys);
}

/* Documents of all the stream's events in the part, newest first: every fourth came by Pinterest. A
 * part holds at most `most`; 0: the database is gone. */
static size_t documents = 2000;

static void give_documents(struct app *app, struct work *w)
{
	struct sample_part *p = w->part;
	w->err.rc = documents ? TA_OK : TA_DB;
	p->ids = arena_alloc(&p->mem, (documents + 1) * sizeof(*p->ids));
	p->events = arena_alloc(&p->mem, (documents + 1) * sizeof(*p->events));
	for (int i = 0; i < app->feed.n && documents; i++) {
		int64_t id = app->feed.rows[i].v.id;
		if (id < p->from || id >= p->below || (p->n && p->ids[p->n - 1] == id))
			continue;
		if (p->n == documents) {
			p->from = p->ids[p->n - 1];
			break;
		}
		p->ids[p->n] = id;
		const struct view_row *v = &app->feed.rows[i].v;
		struct event *ev = &p->events[p->n++];
		ev->name = (enum event_name)v->name;
		ev->utm.source = id % 4 ? "google" : "pinterest";
		ev->user.country = id % 3 ? "US" : "DE";
		ev->has_value = *v->currency != '\0';
		ev->value.minor = v->amount;
		memcpy(ev->value.currency, v->currency, 4);
		ev->currency = *v->currency ? v->currency : NULL;
	}
	editor_take(app, w);
}

static void serve(struct app *app)
{
	struct work *w;
	while ((w = editor_next(&app->edit))) {
		if (w->kind == WORK_SAMPLE)
			give_documents(app, w);
		else if (w->kind == WORK_SEEN)
			app_seen(app, w);
		else
			editor_take(app, w);
	}
}

/* A new rule, the cursor in its condition. */
static struct app *new_rule(void)
{
	struct app *app = ta_alloc(sizeof(*app));
	fake_app(app);
	type(app, "8");
	serve(app);
	type(app, "a");
	struct form *f = &app->edit.form;
	int at = field_index(f->table->fields, f->table->nfields, "expr");
	for (int i = 0; i < 40 && f->sel != at; i++)
		app_key(app, '\t');
	serve(app);
	return app;
}

static void done(struct app *app)
{
	app_release(app);
	free(app);
}

static void count_all(struct app *app)
{
	for (int i = 0; i < 10000 && match_wants(&app->edit.match, &app->feed); i++)
		match_slice(&app->edit.match, &app->feed, &app->data, 0);
}

static void a_condition_is_counted(void **state)
{
	(void)state;
	documents = 0;
	struct app *app = new_rule();
	type(app, "name = purchase");
	assert_string_equal(app->edit.match.text, "");
	assert_true(match_wants(&app->edit.match, &app->feed));
	assert_false(match_slice(&app->edit.match, &app->feed, &app->data, 0)); /* a slice only */
	count_all(app);
	assert_string_equal(app->edit.match.text, "matches 40 of the last 240 events");
	type(app, " and (");
	count_all(app);
	assert_string_equal(app->edit.match.text, "");
	app_key(app, 21);
	type(app, "utm.source = pinterest");
	count_all(app);
	assert_string_equal(app->edit.match.text, "looks into the events' documents: reading them");
	done(app);
}

/* The documents come in parts; each key counts over those that are there. */
static void documents_are_counted(void **state)
{
	(void)state;
	documents = 50;
	struct app *app = new_rule();
	assert_int_equal(app->edit.match.sample.events, 240);
	type(app, "utm.source = pinterest");
	count_all(app);
	assert_string_equal(app->edit.match.text, "matches 60 of the last 240 events");
	type(app, " or name = purchase and some(items, price > 5)");
	count_all(app);
	assert_string_equal(app->edit.match.text, "matches 60 of the last 240 events");
	app_key(app, 27);
	app_key(app, 'y');
	serve(app);
	assert_false(app->edit.form.open);
	assert_int_equal(app->edit.match.sample.events, 0);
	documents = 2000;
	done(app);
}

/* New lines come: their documents are asked for, those below stay. */
static void newer_documents_follow(void **state)
{
	(void)state;
	struct app *app = new_rule();
	int64_t newest = app->feed.newest;
	assert_int_equal(app->edit.match.sample.events, 240);
	app->feed.newest += 5; /* as if a page had come */
	app->feed.rows[0].v.id += 5;
	editor_tick(app, false);
	struct work *w = editor_next(&app->edit);
	assert_non_null(w);
	assert_int_equal(w->kind, WORK_SAMPLE);
	assert_int_equal(w->part->from, newest + 1);
	assert_int_equal(w->part->below, newest + 6);
	give_documents(app, w);
	assert_int_equal(app->edit.match.sample.events, 241);
	assert_non_null(sample_event(&app->edit.match.sample, newest + 5));
	assert_non_null(sample_event(&app->edit.match.sample, app->feed.oldest));
	assert_null(sample_event(&app->edit.match.sample, newest + 6));
	done(app);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_condition_is_counted),
		cmocka_unit_test(documents_are_counted),
		cmocka_unit_test(newer_documents_follow),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
