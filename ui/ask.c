#include "ui/ask.h"

#include "db/command.h"
#include "src/clock.h"
#include "ui/app.h"
#include "ui/format.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Sends an order about a pixel to the dispatcher. */
static void order(struct app *app, int64_t pixel_id, const char *kind, const char *args)
{
	struct work *w = work_new(WORK_ORDER, table_get("pixel"));
	w->edit.id = pixel_id;
	w->order = kind;
	w->args = arena_strdup(&w->mem, args);
	editor_post(app, w);
}

static bool busy(struct app *app)
{
	if (app->edit.running)
		app_toast(app, false, "the change before this one is still being made");
	return app->edit.running;
}

static void ask(struct app *app, enum asking what, int64_t id)
{
	app->asked.what = what;
	app->asked.id = id;
	app_prompt(app, PROMPT_ASK, "");
}

void ask_toggle(struct app *app, int32_t pixel_id)
{
	const struct view_pixel *px = data_pixel(&app->data, pixel_id);
	char args[80];
	if (!px || busy(app))
		return;
	if (!px->held) {
		snprintf(args, sizeof(args), "{\"pixel\":%d,\"reason\":\"operator\"}",
			(int)pixel_id);
		order(app, pixel_id, COMMAND_PIXEL_HOLD, args);
		return;
	}
	snprintf(app->asked.label, sizeof(app->asked.label),
		" release %.40s at events/s (empty: no limit): ", px->name);
	ask(app, ASKING_RATE, pixel_id);
}

void ask_circuit(struct app *app, int32_t pixel_id)
{
	const struct view_pixel *px = data_pixel(&app->data, pixel_id);
	const struct view_circuit *c = data_circuit(&app->data, pixel_id);
	char args[80];
	if (!px || busy(app))
		return;
	if (c && circuit_state(&c->circuit, app->data.now_us) != CIRCUIT_CLOSED) {
		snprintf(args, sizeof(args), "{\"pixel\":%d,\"do\":\"close\"}", (int)pixel_id);
		order(app, pixel_id, COMMAND_PIXEL_CIRCUIT, args);
		return;
	}
	snprintf(app->asked.label, sizeof(app->asked.label),
		" open the circuit of %.40s for 30m, 2h (empty: for good): ", px->name);
	ask(app, ASKING_CIRCUIT, pixel_id);
}

static void alert_work(struct app *app, enum work_kind kind, int64_t id, int64_t until_us)
{
	struct work *w = work_new(kind, NULL);
	w->edit.id = id;
	w->until_us = until_us;
	editor_post(app, w);
}

static const struct view_alert *alert_of(const struct app *app, int64_t id)
{
	for (size_t i = 0; i < app->data.nalerts; i++)
		if (app->data.alerts[i].id == id)
			return &app->data.alerts[i];
	return NULL;
}

void ask_acknowledge(struct app *app, int64_t alert_id)
{
	const struct view_alert *a = alert_of(app, alert_id);
	if (!a || a->cleared_us)
		app_toast(app, false, "this alert is over: nothing to acknowledge");
	else if (a->acked_us)
		app_toast(app, false, "acknowledged already, by %.60s", a->acked_by);
	else
		alert_work(app, WORK_ALERT_ACK, alert_id, 0);
}

void ask_mute(struct app *app, int64_t alert_id)
{
	const struct view_alert *a = alert_of(app, alert_id);
	if (!a || a->cleared_us) {
		app_toast(app, false, "this alert is over: nothing to mute");
	} else if (a->muted_us > app->data.now_us) {
		alert_work(app, WORK_ALERT_MUTE, alert_id, 0);
	} else {
		snprintf(app->asked.label, sizeof(app->asked.label),
			" mute this cause for 30m, 2h, 1d (empty: 1h): ");
		ask(app, ASKING_MUTE, alert_id);
	}
}

/* "30m" in microseconds; 0: it is no such thing. */
static int64_t span_of(const char *text)
{
	static const struct {
		char unit;
		int64_t s;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
	char *end;
	long long n = strtoll(text, &end, 10);
	for (size_t i = 0; i < TA_COUNT(units); i++)
		if (end > text && *end == units[i].unit && !end[1] && n > 0 && n < 100000)
			return n * units[i].s * US_PER_S;
	return 0;
}

/* A whole number of events a second, -1: it is none. */
static int64_t rate_of(const char *text)
{
	char *end;
	long long n = strtoll(text, &end, 10);
	end += strspn(end, " ");
	if (strcmp(end, "/s") == 0)
		end += 2;
	return end > text && !*end && n > 0 && n <= PIXEL_RATE_MAX ? n : -1;
}

static void release(struct app *app, const char *text)
{
	char args[80];
	int64_t rate = *text ? rate_of(text) : 0;
	if (rate < 0) {
		app_toast(app, true,
			"events a second: 1 to %d, not \"%.20s\"; nothing was released",
			PIXEL_RATE_MAX, text);
		return;
	}
	snprintf(args, sizeof(args), "{\"pixel\":%lld,\"rate\":%lld}", (long long)app->asked.id,
		(long long)rate);
	order(app, app->asked.id, COMMAND_PIXEL_RELEASE, args);
}

void ask_answer(struct app *app, const char *text)
{
	char args[100];
	text += strspn(text, " ");
	int64_t span = *text ? span_of(text) : 0;
	bool wrong = *text && !span && app->asked.what != ASKING_RATE;
	if (wrong)
		app_toast(app, true, "30m, 2h or 1d, not \"%.20s\"; nothing was done", text);
	else if (app->asked.what == ASKING_RATE)
		release(app, text);
	else if (app->asked.what == ASKING_MUTE)
		alert_work(app, WORK_ALERT_MUTE, app->asked.id,
			app->data.now_us + (span ? span : 3600 * US_PER_S));
	else if (app->asked.what == ASKING_CIRCUIT) {
		snprintf(args, sizeof(args), "{\"pixel\":%lld,\"do\":\"open\",\"until_us\":%lld}",
			(long long)app->asked.id, (long long)(span ? app->data.now_us + span : 0));
		order(app, app->asked.id, COMMAND_PIXEL_CIRCUIT, args);
	}
	app->asked.what = ASKING_NOTHING;
}

void ask_done(struct app *app, struct work *w)
{
	char when[32];
	format_when(w->until_us, app->data.now_us, when);
	if (w->err.rc)
		app_toast(app, true, "%s", w->err.msg);
	else if (w->kind == WORK_ALERT_ACK)
		app_toast(app, false, "alert %lld acknowledged", (long long)w->edit.id);
	else if (w->until_us)
		app_toast(app, false, "alert %lld is silent until %s; m again: heard again",
			(long long)w->edit.id, when);
	else
		app_toast(app, false, "alert %lld is heard again", (long long)w->edit.id);
	work_free(w);
}
