#include "ui/fetch.h"

#include "db/asof.h"
#include "db/good.h"
#include "db/log_id.h"
#include "db/retention.h"
#include "src/clock.h"
#include "ui/alarm.h"

#include <stdio.h>
#include <string.h>

#define LULL_MS     8
#define PAGE        200
#define PAGE_DOCS   120
#define NEWER       300
#define MOVED       150
#define WINDOW      US_PER_DAY
#define FULL_US     (30 * US_PER_S)
#define HALF_MINUTE (30 * US_PER_S)

/* How often a set is read, in seconds at the normal pace; 0: by other rules. */
static const int period[SET_COUNT] = {
	[SET_STORES] = 10,
	[SET_PIXELS] = 5,
	[SET_BEATS] = 2,
	[SET_COUNTS] = 2,
	[SET_LATENCY] = 5,
	[SET_LEDGER] = 2,
	[SET_MONEY] = 10,
	[SET_FAULTS] = 5,
	[SET_HEALTH] = 5,
	[SET_ALERTS] = 2,
	[SET_CIRCUITS] = 2,
	[SET_BOOK] = 2,
	[SET_UNBALANCED] = 5,
	[SET_LAST] = 5,
	[SET_NEWER] = 1,
	[SET_MOVED] = 1,
	[SET_ORDERS_NEWER] = 2,
	[SET_ORDERS_MOVED] = 2,
};

void fetch_init(struct fetch *f)
{
	*f = (struct fetch){.sql = BUF_INIT(1 << 20)};
}

void fetch_release(struct fetch *f)
{
	buf_release(&f->sql);
}

void fetch_catalogue(struct fetch *f)
{
	f->due_us[SET_STORES] = f->due_us[SET_PIXELS] = 0;
}

void fetch_lost(struct fetch *f)
{
	memset(f->due_us, 0, sizeof(f->due_us));
	f->counts_full_us = 0;
	f->inspect_due = true;
}

/* Statements ---------------------------------------------------------------------------------- */

static void sql_counts(struct fetch *f, struct app *app)
{
	int64_t minute = app->data.now_us / (60 * US_PER_S);
	/* Now and then the whole hour: verdicts move counts of minutes long past. */
	f->counts_from = minute - 2;
	if (app->mono_us >= f->counts_full_us) {
		f->counts_from = minute - MINUTES + 1;
		f->counts_full_us = app->mono_us + FULL_US;
	}
	if (app->data.at_us) /* all of it: it is read once */
		f->counts_from = minute - MINUTES + 1;
	data_minute(&app->data, minute);
	if (app->data.at_us)
		asof_sql_counts(&f->sql, app->data.at_us, f->counts_from);
	else
		view_sql_counts(&f->sql, f->counts_from);
}

static void sql_page(struct fetch *f, const struct app *app, int set, const struct feed *feed)
{
	int64_t now = app->data.now_us, at = app->data.at_us;
	bool newer = set == SET_NEWER || set == SET_ORDERS_NEWER;
	f->with_docs[set] = feed->need_docs;
	f->limit[set] = newer ? NEWER : feed->need_docs ? PAGE_DOCS : PAGE;
	struct view_page p = {
		/* Ids of the coming minute may exist already: clocks differ a little. */
		.below = newer || !feed->oldest ? log_id_at(at ? at : now + HALF_MINUTE * 4)
						: feed->oldest,
		.from = newer ? feed->newest + 1 : log_id_at(now - WINDOW),
		.limit = f->limit[set],
		.docs = feed->need_docs,
		.orders = feed->orders,
		.at_us = at,
	};
	f->back_to = 0;
	if (feed->narrowed && !newer) {
		int64_t from_us = feed->oldest ? log_id_us(feed->oldest) : now;
		int64_t least_us = now - KEEP_EVENTS_DAYS * US_PER_DAY;
		p.from = log_id_at(TA_MAX(from_us - feed->window_us, least_us));
		f->back_to = from_us - feed->window_us > least_us ? p.from : 0;
		p.narrowed = true;
		p.pixel = feed->only_pixel;
		p.state = feed->only_state;
	}
	view_sql_page(&f->sql, &p);
}

static bool sql_moved(struct fetch *f, const struct app *app, const struct feed *feed)
{
	int64_t ids[MOVED];
	size_t n = feed_open_ids(feed, &app->data, ids, MOVED);
	/* With a filter that needs documents the lines' marks would be lost: see them again whole.
	 */
	if (!n || feed->need_docs)
		return false;
	view_sql_rows(&f->sql, ids, n);
	return true;
}

/* The same of a moment of the past; false when it is asked as if it were now. */
static bool sql_asof(struct fetch *f, const struct app *app, int set)
{
	int64_t at = app->data.at_us, hour = 3600 * US_PER_S;
	switch (set) {
	case SET_STORES:
		asof_sql_stores(&f->sql, at, !f->no_zones);
		return true;
	case SET_PIXELS:
		asof_sql_pixels(&f->sql, at);
		return true;
	case SET_LATENCY:
		asof_sql_latency(&f->sql, at, at / (60 * US_PER_S) - MINUTES + 1);
		return true;
	case SET_LEDGER:
		asof_sql_ledger(&f->sql, at);
		return true;
	case SET_MONEY:
		asof_sql_money(&f->sql, at, at / hour - 9 * 24, !f->no_zones);
		return true;
	case SET_FAULTS:
		asof_sql_faults(&f->sql, at, at - hour);
		return true;
	case SET_ALERTS:
		asof_sql_alerts(&f->sql, at);
		return true;
	case SET_BOOK:
		asof_sql_book(&f->sql, at);
		return true;
	case SET_LAST:
		asof_sql_last(&f->sql, at, at - WINDOW);
		return true;
	default:
		return false;
	}
}

/* Appends the statement of a set; false when there is nothing to ask. */
static bool sql_of(struct fetch *f, struct app *app, int set)
{
	int64_t now = app->data.now_us, minute = now / (60 * US_PER_S);
	int64_t id = f->inspecting, at = app->data.at_us;
	if (at && sql_asof(f, app, set))
		return true;
	switch ((enum fetch_set)set) {
	case SET_SCHEMA:
		view_sql_schema(&f->sql);
		return true;
	case SET_STORES:
		view_sql_stores(&f->sql, now, !f->no_zones);
		return true;
	case SET_PIXELS:
		view_sql_pixels(&f->sql);
		return true;
	case SET_BEATS:
		view_sql_beats(&f->sql);
		return true;
	case SET_COUNTS:
		sql_counts(f, app);
		return true;
	case SET_LATENCY:
		view_sql_latency(&f->sql, minute - MINUTES + 1);
		return true;
	case SET_LEDGER:
		view_sql_ledger(&f->sql);
		return true;
	case SET_MONEY:
		view_sql_money(&f->sql, now / (3600 * US_PER_S) - 9 * 24);
		return true;
	case SET_FAULTS:
		view_sql_faults(&f->sql, now - 3600 * US_PER_S);
		return true;
	case SET_HEALTH:
		view_sql_health(&f->sql);
		return true;
	case SET_ALERTS:
		view_sql_alerts(&f->sql, now, app->pane == PANE_ALERTS && app->alerts_over);
		return true;
	case SET_CIRCUITS:
		view_sql_circuits(&f->sql);
		return true;
	case SET_BOOK:
		view_sql_book(&f->sql);
		return true;
	case SET_UNBALANCED:
		view_sql_unbalanced(&f->sql);
		return true;
	case SET_LAST:
		view_sql_last(&f->sql, now - WINDOW);
		return true;
	case SET_NEWER:
	case SET_OLDER:
		sql_page(f, app, set, &app->feed);
		return true;
	case SET_ORDERS_NEWER:
	case SET_ORDERS_OLDER:
		sql_page(f, app, set, &app->orders);
		return true;
	case SET_MOVED:
		return sql_moved(f, app, &app->feed);
	case SET_ORDERS_MOVED:
		return sql_moved(f, app, &app->orders);
	case SET_EVENT:
		view_sql_event(&f->sql, id, at);
		return true;
	case SET_ROUTES:
		view_sql_routes(&f->sql, id, at);
		return true;
	case SET_VERDICTS:
		view_sql_verdicts(&f->sql, id, at);
		return true;
	case SET_RULES:
		view_sql_rules(&f->sql, id);
		return true;
	case SET_ATTEMPTS:
		view_sql_attempts(&f->sql, id, at);
		return true;
	case SET_GOOD:
		good_sql(&f->sql, id);
		return true;
	case SET_COUNT:
		break;
	}
	return false;
}

static void ask(struct fetch *f, struct app *app, struct adb *db, int set)
{
	buf_clear(&f->sql);
	if (!sql_of(f, app, set))
		return;
	adb_add(db, set, buf_str(&f->sql));
	/* A little early counts as due: the timer is not exact. */
	f->due_us[set] = app->mono_us + period[set] * app->interval_s * US_PER_S - US_PER_S / 2;
}

static bool wanted(const struct app *app, int set)
{
	bool orders = app->pane == PANE_REVENUE;
	/* The past does not move, and what the stages said then was not kept. */
	if (app->data.at_us &&
		(set == SET_BEATS || set == SET_HEALTH || set == SET_CIRCUITS ||
			set == SET_UNBALANCED || (set >= SET_NEWER && set <= SET_MOVED) ||
			set == SET_ORDERS_NEWER || set == SET_ORDERS_MOVED))
		return false;
	switch (set) {
	case SET_LAST:
		return app->pane == PANE_HEALTH;
	case SET_CIRCUITS:
		return app->pane == PANE_HEALTH || app->pane == PANE_PIXELS;
	case SET_BOOK:
	case SET_UNBALANCED:
		return app->pane == PANE_LEDGER;
	case SET_NEWER: /* a narrowed stream shows what was there when it was asked for */
		return app->feed.loaded && !app->feed.narrowed &&
		       (app->pane == PANE_OVERVIEW || app->pane == PANE_EVENTS);
	case SET_MOVED:
		return app->feed.loaded && (app->pane == PANE_OVERVIEW || app->pane == PANE_EVENTS);
	case SET_ORDERS_NEWER:
	case SET_ORDERS_MOVED:
		return orders && app->orders.loaded;
	default:
		return true;
	}
}

static void ask_inspector(struct fetch *f, struct app *app, struct adb *db)
{
	if (app->pane != PANE_EVENTS)
		return;
	const struct inspect *in = &app->inspect;
	if (inspect_select(&app->inspect, in->pinned ? &in->pin : feed_selected(&app->feed)))
		f->inspect_due = true;
	bool diff = in->tab == TAB_DIFF && in->asked && in->good_id != in->asked;
	if (!in->asked || (!f->inspect_due && !diff))
		return;
	f->inspecting = in->asked;
	for (int set = SET_EVENT; set <= SET_ATTEMPTS && f->inspect_due; set++)
		ask(f, app, db, set);
	/* Last in its batch: it is the one that may take too long. */
	if (in->tab == TAB_DIFF)
		ask(f, app, db, SET_GOOD);
	f->inspect_due = false;
}

static void ask_pages(struct fetch *f, struct app *app, struct adb *db)
{
	bool events = app->pane == PANE_OVERVIEW || app->pane == PANE_EVENTS;
	/* A condition being typed is counted over all that the stream can hold. */
	bool count = app->edit.match.prog && !app->feed.end;
	if (count || (events && feed_wants_older(&app->feed)))
		ask(f, app, db, SET_OLDER);
	if (app->pane == PANE_REVENUE && feed_wants_older(&app->orders))
		ask(f, app, db, SET_ORDERS_OLDER);
}

/* The sets that are read again and again, each at its own pace; a paused screen only counts. */
static void ask_rounds(struct fetch *f, struct app *app, struct adb *db, bool refresh)
{
	for (int set = SET_STORES; set <= SET_LAST; set++) {
		bool due = refresh && !app->paused && !app->data.at_us &&
			   app->mono_us >= f->due_us[set];
		if (wanted(app, set) && (due || !f->due_us[set]))
			ask(f, app, db, set);
	}
	for (int set = SET_NEWER; set <= SET_ORDERS_MOVED && refresh; set++) {
		bool moves = set == SET_MOVED || set == SET_ORDERS_MOVED;
		if (period[set] && wanted(app, set) && app->mono_us >= f->due_us[set] &&
			!(app->paused && moves))
			ask(f, app, db, set);
	}
}

void fetch_plan(struct fetch *f, struct app *app, struct adb *db, bool refresh)
{
	if (!adb_idle(db))
		return;
	if (f->at_us != app->data.at_us) {
		f->at_us = app->data.at_us;
		fetch_lost(f);
	}
	bool known = app->link == LINK_LIVE || app->link == LINK_STALE;
	if (known) {
		ask_rounds(f, app, db, refresh);
		ask_pages(f, app, db);
		ask_inspector(f, app, db);
	} else if (app->link != LINK_NO_SCHEMA || refresh) {
		ask(f, app, db, SET_SCHEMA);
	}
	adb_send(db, f->keyed || !app->fresh_us ? 0 : LULL_MS);
}

/* Results ---------------------------------------------------------------------------------------
 */

struct docs {
	const PGresult *r;
	struct arena a;
};

static const char *doc_of(void *ctx, size_t i, size_t *len)
{
	struct docs *d = ctx;
	arena_clear(&d->a);
	return view_take_doc(&d->a, d->r, (int)i, len);
}

static void take_page(struct fetch *f, struct app *app, int set, const PGresult *r)
{
	struct arena rows = ARENA_INIT;
	struct docs docs = {.r = r, .a = ARENA_INIT};
	bool orders = set == SET_ORDERS_NEWER || set == SET_ORDERS_OLDER || set == SET_ORDERS_MOVED;
	struct feed *feed = orders ? &app->orders : &app->feed;
	struct feed_page p = {.limit = f->limit[set], .data = &app->data, .ctx = &docs};
	p.n = view_take_rows(&rows, r, &p.rows);
	if (set == SET_OLDER)
		p.from = f->back_to;
	if (f->with_docs[set])
		p.doc = doc_of;
	/* The filter asks for documents since this page was sent: it comes again with them. */
	bool stale = feed->need_docs && !f->with_docs[set];
	if (!stale && (set == SET_OLDER || set == SET_ORDERS_OLDER))
		feed_take_older(feed, &p);
	else if (!stale && (set == SET_NEWER || set == SET_ORDERS_NEWER))
		feed_take_newer(feed, &p);
	else if (!stale)
		feed_take_moved(feed, &p);
	arena_release(&docs.a);
	arena_release(&rows);
}

static void take_inspect(struct fetch *f, struct app *app, int set, const PGresult *r)
{
	struct inspect *in = &app->inspect;
	if (set == SET_EVENT) {
		struct arena *a = twin_next(&in->mem);
		in->missing = !view_take_event(a, r, &in->ev);
		in->id = f->inspecting;
		in->routes = NULL;
		in->verdicts = NULL;
		in->attempts = NULL;
		in->rules = NULL;
		in->goods = NULL;
		in->good_id = 0;
		in->nroutes = in->nverdicts = in->nattempts = in->nrules = in->ngoods = 0;
	}
	struct arena *a = &in->mem.a[in->mem.cur];
	if (set == SET_ROUTES)
		in->nroutes = view_take_rows(a, r, &in->routes);
	else if (set == SET_VERDICTS)
		in->nverdicts = view_take_verdicts(a, r, &in->verdicts);
	else if (set == SET_RULES)
		in->nrules = view_take_rules(a, r, &in->rules);
	else if (set == SET_ATTEMPTS)
		in->nattempts = view_take_attempts(a, r, &in->attempts);
	else if (set == SET_GOOD) {
		in->ngoods = good_take(a, r, &in->goods);
		in->good_id = f->inspecting;
		in->good_failed = false;
	}
	in->dirty = true;
}

static void take_counts(struct fetch *f, struct data *d, int set, const PGresult *r)
{
	struct arena a = ARENA_INIT;
	struct view_count *v;
	size_t n = view_take_counts(&a, r, &v);
	if (set == SET_COUNTS)
		data_counts(d, v, n, f->counts_from);
	else if (set == SET_LATENCY)
		data_latency(d, v, n);
	else
		data_ledger(d, v, n);
	arena_release(&a);
}

static bool take_ops(struct data *d, int set, const PGresult *r)
{
	switch (set) {
	case SET_HEALTH:
		d->nhealth = view_take_health(twin_next(&d->health_mem), r, &d->health);
		return d->has_health = true;
	case SET_ALERTS:
		d->nalerts = view_take_alerts(twin_next(&d->alerts_mem), r, &d->alerts);
		return d->has_alerts = true;
	case SET_CIRCUITS:
		d->ncircuits = view_take_circuits(twin_next(&d->circuits_mem), r, &d->circuits);
		return true;
	case SET_BOOK:
		d->nbook = view_take_book(twin_next(&d->book_mem), r, &d->book);
		return d->has_book = true;
	case SET_UNBALANCED:
		d->nunbalanced =
			view_take_unbalanced(twin_next(&d->unbalanced_mem), r, &d->unbalanced);
		return d->has_unbalanced = true;
	default:
		return false;
	}
}

static void take_data(struct data *d, int set, const PGresult *r)
{
	struct arena a = ARENA_INIT;
	struct view_money *money;
	size_t n;
	switch (set) {
	case SET_STORES:
		d->nstores = view_take_stores(twin_next(&d->stores_mem), r, &d->stores);
		break;
	case SET_PIXELS:
		d->npixels = view_take_pixels(twin_next(&d->pixels_mem), r, &d->pixels);
		d->has_catalogue = true;
		break;
	case SET_BEATS:
		d->nbeats = view_take_beats(twin_next(&d->beats_mem), r, &d->beats);
		d->has_beats = true;
		break;
	case SET_FAULTS:
		d->nfaults = view_take_faults(twin_next(&d->faults_mem), r, &d->faults);
		d->has_faults = true;
		break;
	case SET_LAST:
		d->nlast = view_take_last(twin_next(&d->last_mem), r, &d->last);
		d->has_last = true;
		break;
	case SET_MONEY:
		n = view_take_money(&a, r, &money);
		data_money(d, money, n);
		break;
	default:
		break;
	}
	arena_release(&a);
}

static void take_schema(struct app *app, const PGresult *r)
{
	if (db_bool(r, 0, 0)) {
		app->link = LINK_LIVE;
		app->todo |= TODO_REFRESH;
		return;
	}
	app->link = LINK_NO_SCHEMA;
	snprintf(app->link_error, sizeof(app->link_error),
		"this database has no Track AI tables yet: run `trackai migrate`, or `trackai up`");
}

static void take_failure(struct fetch *f, struct app *app, int tag, const struct ta_err *err)
{
	/* A store with a time zone that the server does not know must not hide the rest. */
	if (tag == SET_STORES && strcmp(err->sqlstate, "22023") == 0)
		f->no_zones = true;
	f->due_us[tag] = app->mono_us + US_PER_S;
	if (app->data.at_us && (tag == SET_COUNTS || tag == SET_LEDGER || tag == SET_MONEY))
		app->data.slow = true;
	if (tag == SET_GOOD) {
		app->inspect.good_id = f->inspecting;
		app->inspect.good_failed = app->inspect.dirty = true;
	} else if (tag >= SET_EVENT) {
		app->inspect.state_key = -1;
	}
}

void fetch_take(
	struct fetch *f, struct app *app, int tag, const PGresult *r, const struct ta_err *err)
{
	if (tag < 0 || tag >= SET_COUNT)
		return;
	if (f->at_us != app->data.at_us && tag != SET_SCHEMA)
		return; /* of another moment than is looked at by now */
	if (!r) {
		take_failure(f, app, tag, err);
		return;
	}
	if (tag == SET_SCHEMA) {
		take_schema(app, r);
		return;
	}
	app->fresh_us = app->mono_us;
	if (tag >= SET_EVENT)
		take_inspect(f, app, tag, r);
	else if (tag >= SET_NEWER)
		take_page(f, app, tag, r);
	else if (tag == SET_COUNTS || tag == SET_LATENCY || tag == SET_LEDGER)
		take_counts(f, &app->data, tag, r);
	else if (!take_ops(&app->data, tag, r))
		take_data(&app->data, tag, r);
	if (tag == SET_ALERTS)
		alarm_look(app);
}
