/* A data source without a database: a shop morning as the console would have read it. */
#ifndef TEST_UI_FAKE_H
#define TEST_UI_FAKE_H

#include "src/clock.h"
#include "src/tally.h"
#include "fake_ops.h"
#include "fake_rows.h"
#include "ui/app.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Line i of the stream, newest first: four lines of every six go well. */
static struct view_row fake_row(int i)
{
	static const int16_t names[] = {EV_PURCHASE, EV_INITIATE_CHECKOUT, EV_ADD_TO_CART,
		EV_PAGE_VIEW, EV_CUSTOM, EV_VIEW_CONTENT};
	static const int16_t states[] = {DISP_REJECTED, DISP_DELIVERED, DISP_RETRYING,
		DISP_DELIVERED, DISP_QUEUED, DISP_FILTERED};
	int k = i % 6;
	struct view_row v = {
		.id = (FAKE_NOW / 1000 - i * 1700) << 21 | (i + 1),
		.at_us = FAKE_NOW - i * 1700000 - 400000,
		.received_us = FAKE_NOW - i * 1700000,
		.store_id = 1 + i % 3,
		.pixel_id = 1 + i % 4,
		.name = names[k],
		.source = k == 0 ? SOURCE_SHOPIFY : SOURCE_BROWSER,
		.state = states[k],
		.run = 1,
		.tries = 1,
		.order_id = k == 0 ? "7001" : "",
		.label = k == 0   ? "#10442"
			 : k == 4 ? "newsletter ✉"
				  : "",
		.code = k == 0 ? "4170" : "",
		.message = k == 0 ? "user_data.em has wrong format" : "",
	};
	v.done_us = k == 4 ? 0 : v.received_us + 1900000;
	v.due_us = k == 2 ? FAKE_NOW + 12 * US_PER_S : 0;
	v.reason = k == 0   ? REASON_PLATFORM
		   : k == 5 ? REASON_UNMAPPED
		   : k == 2 ? REASON_BACKOFF
			    : REASON_OK;
	if (k < 3) {
		v.amount = v.store_id == 3 ? 12000 : 8473 + i * 100;
		memcpy(v.currency, fake_stores[v.store_id - 1].currency, 4);
	}
	return v;
}

TA_UNUSED static void fake_feed(struct feed *f, const struct data *d, int n)
{
	struct view_row *rows = ta_alloc((size_t)n * sizeof(*rows));
	for (int i = 0; i < n; i++)
		rows[i] = fake_row(i);
	struct feed_page p = {.rows = rows, .n = (size_t)n, .limit = n + 1, .data = d};
	feed_take_older(f, &p);
	free(rows);
}

static void fake_counts(struct data *d)
{
	int64_t minute = FAKE_NOW / (60 * US_PER_S);
	data_minute(d, minute);
	static struct view_count v[MINUTES * 10];
	size_t n = 0;
	for (int i = 0; i < MINUTES; i++) {
		int64_t at = minute - i, many = 40 + (i * 7) % 23;
		v[n++] = (struct view_count){.minute = at, .n = many * 4, .item = TALLY_EVENT};
		for (int px = 1; px <= 4; px++) {
			int64_t bad = px == 1 && i < 11 ? many / 2 : 0;
			v[n++] = (struct view_count){
				.minute = at, .n = many, .pixel_id = px, .item = TALLY_ROUTED};
			v[n++] = (struct view_count){.minute = at,
				.n = many - bad,
				.pixel_id = px,
				.item = DISP_DELIVERED};
			if (bad)
				v[n++] = (struct view_count){.minute = at,
					.n = bad,
					.pixel_id = px,
					.item = DISP_REJECTED};
		}
	}
	data_counts(d, v, n, minute - MINUTES + 1);
	struct view_count l[] = {{.pixel_id = 1, .n = 90, .item = TALLY_LATENCY, .bin = 300},
		{.pixel_id = 1, .n = 10, .item = TALLY_LATENCY, .bin = 380},
		{.pixel_id = 3, .n = 100, .item = TALLY_LATENCY, .bin = 280}};
	data_latency(d, l, TA_COUNT(l));
	struct view_count open[] = {{.pixel_id = 2, .item = DISP_QUEUED, .n = 1312},
		{.pixel_id = 3, .item = DISP_RETRYING, .n = 3}};
	data_ledger(d, open, TA_COUNT(open));
}

static void fake_money(struct data *d)
{
	int64_t hour = FAKE_NOW / (3600 * US_PER_S);
	struct view_money v[40];
	size_t n = 0;
	for (int i = 0; i < 9; i++) {
		v[n++] = (struct view_money){.hour = hour - i,
			.n = 20 - i,
			.amount = 200000 - i * 18000,
			.store_id = 1,
			.item = TALLY_ORDERS,
			.currency = "EUR"};
		v[n++] = (struct view_money){.hour = hour - 24 - i,
			.n = 18,
			.amount = 170000 - i * 18000,
			.store_id = 1,
			.item = TALLY_ORDERS,
			.currency = "EUR"};
	}
	v[n++] = (struct view_money){.hour = hour,
		.n = 2,
		.amount = 12400,
		.store_id = 3,
		.item = TALLY_ORDERS,
		.currency = "JPY"};
	v[n++] = (struct view_money){.hour = hour,
		.n = 1,
		.amount = 4999,
		.store_id = 1,
		.item = TALLY_REFUNDS,
		.currency = "EUR"};
	data_money(d, v, n);
}

/* The inspector as if line 0 had been read. */
static struct view_row fake_routes[2];
static struct view_verdict fake_verdicts[] = {{.pixel_id = 1,
	.run = 1,
	.attempt = 1,
	.before = DISP_QUEUED,
	.after = DISP_REJECTED,
	.reason = REASON_PLATFORM,
	.at_us = FAKE_NOW + 1900000,
	.attempt_id = 1,
	.code = "4170",
	.message = "user_data.em has wrong format"}};
static struct view_attempt fake_attempts[] = {{.id = 1,
	.at_us = FAKE_NOW + 1900000,
	.pixel_id = 1,
	.ms = 1900,
	.http = 400,
	.n = 1,
	.class = "per_event",
	.error = "code 4170",
	.request = fake_request,
	.response = fake_response,
	.nrequest = sizeof(fake_request) - 1,
	.nresponse = sizeof(fake_response) - 1,
	.own = fake_own,
	.nown = sizeof(fake_own) - 1,
	.settings = "{\"content_id\":\"auto\",\"content_ids\":\"41 = LAMP\"}"}};

static struct good fake_goods[] = {{.pixel_id = 1,
	.event_id = (FAKE_NOW / 1000 - 655000) << 21,
	.at_us = FAKE_NOW - 654 * US_PER_S,
	.label = "#10440",
	.own = fake_good,
	.nown = sizeof(fake_good) - 1}};

TA_UNUSED static void fake_inspect(struct inspect *in)
{
	fake_routes[0] = fake_row(0);
	fake_routes[1] = fake_row(0);
	fake_routes[1].pixel_id = 2;
	fake_routes[1].state = DISP_QUEUED;
	fake_routes[1].rule_id = 12;
	fake_routes[1].rule_version = 3;
	fake_routes[1].code = fake_routes[1].message = "";
	fake_routes[1].reason = 0;
	fake_routes[1].done_us = 0;
	in->id = in->asked = fake_routes[0].id;
	in->pixel_id = fake_routes[0].pixel_id;
	in->ev = (struct view_event){.id = in->id,
		.at_us = FAKE_NOW - 400000,
		.received_us = FAKE_NOW,
		.receipt = 4711,
		.amount = 8473,
		.store_id = 1,
		.name = EV_PURCHASE,
		.source = SOURCE_SHOPIFY,
		.currency = "EUR",
		.wire_id = "ev-1",
		.order_id = "7001",
		.label = "#10442",
		.doc = fake_doc,
		.ndoc = sizeof(fake_doc) - 1,
		.topic = "orders/create",
		.remote = "127.0.0.1",
		.webhook_id = "b54557e4",
		.reports = 1};
	in->routes = fake_routes;
	in->nroutes = 2;
	in->verdicts = fake_verdicts;
	in->nverdicts = TA_COUNT(fake_verdicts);
	in->rules = fake_rules;
	in->nrules = TA_COUNT(fake_rules);
	in->attempts = fake_attempts;
	in->nattempts = TA_COUNT(fake_attempts);
	in->goods = fake_goods;
	in->ngoods = TA_COUNT(fake_goods);
	in->good_id = in->id;
	in->dirty = true;
}

TA_UNUSED static void fake_app(struct app *app)
{
	struct data *d = &app->data;
	app_init(app);
	d->now_us = FAKE_NOW;
	app->mono_us = app->fresh_us = 1000 * US_PER_S;
	app->link = LINK_LIVE;
	snprintf(app->place, sizeof(app->place), "prod");
	d->stores = fake_stores;
	d->nstores = TA_COUNT(fake_stores);
	d->pixels = fake_pixels;
	d->npixels = TA_COUNT(fake_pixels);
	d->beats = fake_beats;
	d->nbeats = TA_COUNT(fake_beats);
	d->faults = fake_faults;
	d->nfaults = TA_COUNT(fake_faults);
	d->last = fake_last;
	d->nlast = TA_COUNT(fake_last);
	d->has_catalogue = d->has_beats = d->has_faults = d->has_last = true;
	fake_ops(app);
	fake_counts(d);
	fake_money(d);
	fake_feed(&app->feed, d, 240);
	fake_feed(&app->orders, d, 40);
	fake_inspect(&app->inspect);
}

#endif
