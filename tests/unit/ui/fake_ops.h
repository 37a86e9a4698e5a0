/* Operations of the fake data source: health as the folder judged it, causes, alerts, a circuit,
 * the books. */
#ifndef TEST_UI_FAKE_OPS_H
#define TEST_UI_FAKE_OPS_H

#include "fake_rows.h"
#include "src/alert.h"
#include "ui/app.h"

#include <stdlib.h>
#include <string.h>

#define FAKE_PART(s, n_, v, l, h, w)                                                               \
	{                                                                                          \
		.status = HEALTH_##s, .n = (n_), .value = (v), .lo = (l), .hi = (h), .why = w      \
	}

static struct view_health fake_health[] = {
	{.pixel_id = 1,
		.at_us = FAKE_NOW - 3 * US_PER_S,
		.health = {.worst = HEALTH_CRIT,
			.cause = HEALTH_DELIVERY,
			.part = {[HEALTH_STATE] = FAKE_PART(OK, 0, 0, 0, 0, "sends"),
				[HEALTH_DELIVERY] = FAKE_PART(CRIT, 3060, 0.911, 0.901, 0.921,
					"271 of 3,060 failed in 1 h"),
				[HEALTH_FIRST_TRY] = FAKE_PART(OK, 2789, 0.998, 0.995, 0.999,
					"6 of 2789 needed more than one attempt in 1 h"),
				[HEALTH_LATENCY] = FAKE_PART(OK, 2789, 1900, 400, 2600,
					"half within 0.4 s, 95 % within 1.9 s"),
				[HEALTH_QUEUE] = FAKE_PART(OK, 0, 0, 0, 0, "nothing waits"),
				[HEALTH_FRESHNESS] = FAKE_PART(OK, 12, 0.2, 0.2, 0.2,
					"quiet for 0 min; less than two weeks are known"),
				[HEALTH_VOLUME] = FAKE_PART(
					UNKNOWN, 40, 0, 0, 0, "less than two weeks are known"),
				[HEALTH_LEDGER] = FAKE_PART(
					OK, 3060, 0, 0, 0, "3060 events, each accounted for")}}},
	{.pixel_id = 2,
		.at_us = FAKE_NOW - 3 * US_PER_S,
		.health = {.worst = HEALTH_CRIT,
			.cause = HEALTH_STATE,
			.part = {[HEALTH_STATE] = FAKE_PART(CRIT, 0, 0, 0, 0, "held: auth"),
				[HEALTH_QUEUE] = FAKE_PART(WARN, 1312, 1500, 1500, 1500,
					"1312 wait, the oldest for 25 min")}}},
	{.pixel_id = 3,
		.at_us = FAKE_NOW - 3 * US_PER_S,
		.health = {.worst = HEALTH_WARN,
			.cause = HEALTH_LEDGER,
			.part = {[HEALTH_STATE] = FAKE_PART(OK, 0, 0, 0, 0, "sends"),
				[HEALTH_DELIVERY] = FAKE_PART(
					OK, 2790, 1, 0.999, 1, "0 of 2,790 failed in 1 h"),
				[HEALTH_LEDGER] = FAKE_PART(WARN, 2790, 1, 1, 1,
					"the rows say retrying: nothing will try it again")}}},
};

static struct view_alert fake_alerts[] = {
	{.id = 12,
		.raised_us = FAKE_NOW - 11 * 60 * US_PER_S,
		.changed_us = FAKE_NOW - 9 * 60 * US_PER_S,
		.object = 1,
		.scope = ALERT_PIXEL,
		.part = HEALTH_DELIVERY,
		.level = HEALTH_CRIT,
		.why = "271 of 3,060 failed in 1 h",
		.acked_by = "",
		.muted_by = ""},
	{.id = 11,
		.raised_us = FAKE_NOW - 25 * 60 * US_PER_S,
		.changed_us = FAKE_NOW - 25 * 60 * US_PER_S,
		.acked_us = FAKE_NOW - 20 * 60 * US_PER_S,
		.object = 2,
		.scope = ALERT_PIXEL,
		.part = HEALTH_STATE,
		.level = HEALTH_CRIT,
		.why = "held: auth",
		.acked_by = "anna",
		.muted_by = ""},
	{.id = 10,
		.raised_us = FAKE_NOW - 90 * 60 * US_PER_S,
		.changed_us = FAKE_NOW - 90 * 60 * US_PER_S,
		.muted_us = FAKE_NOW + 30 * 60 * US_PER_S,
		.object = 3,
		.scope = ALERT_PIXEL,
		.part = HEALTH_LEDGER,
		.level = HEALTH_WARN,
		.why = "the rows say retrying: nothing will try it again",
		.acked_by = "",
		.muted_by = "ben"},
	{.id = 7,
		.raised_us = FAKE_NOW - 300 * 60 * US_PER_S,
		.changed_us = FAKE_NOW - 240 * 60 * US_PER_S,
		.cleared_us = FAKE_NOW - 240 * 60 * US_PER_S,
		.object = PLATFORM_META,
		.scope = ALERT_PLATFORM,
		.part = HEALTH_DELIVERY,
		.level = HEALTH_CRIT,
		.why = "4 of its 5 pixels fail",
		.acked_by = "",
		.muted_by = ""},
};

static struct view_circuit fake_circuits[] = {{.pixel_id = 1,
	.circuit = {.failures = 7, .opened = 2, .until_us = FAKE_NOW + 40 * US_PER_S},
	.since_us = FAKE_NOW - 20 * US_PER_S,
	.error = "HTTP 503 service unavailable",
	.forced_by = ""}};

static struct view_book fake_book[] = {
	{1, {.events = 18240,
		    .n = {[DISP_DELIVERED] = 17210,
			    [DISP_DELIVERED_WARNING] = 31,
			    [DISP_FILTERED] = 702,
			    [DISP_REJECTED] = 271,
			    [DISP_DEAD] = 26}}},
	{2, {.events = 12020, .n = {[DISP_QUEUED] = 1312, [DISP_DELIVERED] = 10708}}},
	{3, {.events = 9901,
		    .n = {[DISP_RETRYING] = 3,
			    [DISP_DELIVERED] = 9640,
			    [DISP_DUPLICATE] = 250,
			    [DISP_NO_CONSENT] = 8}}},
	{4, {.events = 2790, .n = {[DISP_HELD] = 2, [DISP_DELIVERED] = 2788}}},
};

static struct ledger_fault fake_unbalanced[] = {{.event_id = INT64_C(3765109260430606343),
	.found_us = FAKE_NOW - 90 * US_PER_S,
	.pixel_id = 3,
	.kind = LEDGER_IDLE,
	.rows = DISP_RETRYING,
	.book = -1,
	.detail = "the rows say retrying: nothing will try it again"}};

static struct cause_found fake_causes[] = {
	{.cause = CAUSE_BAD_EVENT,
		.by = CAUSE_NONE,
		.score = 71,
		.level = HEALTH_CRIT,
		.k = 271,
		.n = 3060,
		.events = {INT64_C(3765109260430606343)},
		.nevents = 1,
		.evidence =
			"271 of 3,060 events (7.9 to 9.9 %) since 10:31: user_data.em has wrong "
			"format"},
	{.cause = CAUSE_PLATFORM_DOWN,
		.by = CAUSE_BAD_EVENT,
		.score = 22,
		.level = HEALTH_WARN,
		.k = 6,
		.n = 3060,
		.evidence = "6 of 3,060 events: HTTP 503"},
};

TA_UNUSED static void fake_ops(struct app *app)
{
	struct data *d = &app->data;
	d->health = fake_health;
	d->nhealth = TA_COUNT(fake_health);
	d->alerts = fake_alerts;
	d->nalerts = TA_COUNT(fake_alerts);
	d->circuits = fake_circuits;
	d->ncircuits = TA_COUNT(fake_circuits);
	d->book = fake_book;
	d->nbook = TA_COUNT(fake_book);
	d->unbalanced = fake_unbalanced;
	d->nunbalanced = TA_COUNT(fake_unbalanced);
	d->has_health = d->has_alerts = d->has_book = d->has_unbalanced = true;
}

/* As if the worker had found them. */
TA_UNUSED static void fake_why(struct app *app, int32_t pixel_id)
{
	struct why *w = &app->why;
	w->found = ta_alloc(sizeof(fake_causes));
	w->nfound = TA_COUNT(fake_causes);
	memcpy(w->found, fake_causes, sizeof(fake_causes));
	for (size_t i = 0; i < w->nfound; i++) {
		w->found[i].meaning = cause_row(w->found[i].cause)->meaning;
		w->found[i].next = cause_row(w->found[i].cause)->next;
	}
	w->of = pixel_id;
}

#endif
