#include "ui/at.h"

#include "src/clock.h"
#include "ui/format.h"
#include "ui/pane.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define MINUTE_US (60 * US_PER_S)

void at_look(struct app *app, int64_t us)
{
	us = us / US_PER_S * US_PER_S;
	if (us == app->data.at_us)
		return;
	app->data.at_us = us;
	app->data.now_us = us ? us : app->real_us;
	data_forget(&app->data);
	feed_reset(&app->feed);
	feed_reset(&app->orders);
	app->inspect.state_key = -1;
	if (app->paused)
		app_request(app, REQ_PAUSE);
	app->todo |= TODO_REFRESH;
}

/* Seconds that the operator's own clock is before UTC. */
static int offset_s(int64_t us)
{
	time_t t = (time_t)(us / US_PER_S);
	struct tm tm;
	localtime_r(&t, &tm);
	return (int)tm.tm_gmtoff;
}

void at_command(struct app *app, const char *text)
{
	struct ta_err err = {0};
	int64_t us = 0;
	if (!*text) {
		app_toast(app, true, "at T: 10:31, yesterday 22:00, -2h, or now");
		return;
	}
	if (strcmp(text, "now") == 0) {
		at_look(app, 0);
		return;
	}
	if (clock_parse_when_at(text, offset_s(app->real_us), &us, &err))
		app_toast(app, true, "at: %s", err.msg);
	else if (us >= app->real_us)
		app_toast(app, true, "%.60s has not come yet; yesterday %.20s?", text, text);
	else
		at_look(app, us);
}

void at_step(struct app *app, int step)
{
	int64_t at = app->data.at_us;
	if (!at && step > 0) {
		app_toast(app, false, "this is now; < goes back in time");
		return;
	}
	int64_t to = at ? at + step * MINUTE_US : app->real_us / MINUTE_US * MINUTE_US;
	at_look(app, to < app->real_us ? to : 0);
}

/* "2h 11m", "44s". */
static void span(int64_t us, char out[24])
{
	long long s = us / US_PER_S, m = s / 60, h = m / 60;
	if (h >= 48)
		snprintf(out, 24, "%lldd %lldh", h / 24, h % 24);
	else if (h)
		snprintf(out, 24, "%lldh %lldm", h, m % 60);
	else if (m)
		snprintf(out, 24, "%lldm", m);
	else
		snprintf(out, 24, "%llds", s);
}

/* Stores, pixels and rules are edited as they are now, also from the past. */
static bool edits(const struct app *app)
{
	return (pane_get(app->pane)->context & K_TABLES) != 0;
}

void at_badge(const struct app *app, int w, char out[64])
{
	char when[32], ago[24];
	time_t t = (time_t)(app->data.at_us / US_PER_S);
	struct tm tm, today;
	time_t now = (time_t)(app->real_us / US_PER_S);
	localtime_r(&t, &tm);
	localtime_r(&now, &today);
	bool same = tm.tm_yday == today.tm_yday && tm.tm_year == today.tm_year;
	strftime(when, sizeof(when), same ? "%H:%M:%S" : "%m-%d %H:%M:%S", &tm);
	span(app->real_us - app->data.at_us, ago);
	if (w < 72)
		snprintf(out, 64, " AT %s ", when);
	else if (edits(app))
		snprintf(out, 64, " AT %.15s; this list: now ", when);
	else
		snprintf(
			out, 64, " AT %.15s, %.16s ago%s ", when, ago, w < 80 ? "" : "  (:at now)");
}

bool at_refuses(struct app *app)
{
	if (!app->data.at_us)
		return false;
	app_toast(app, true, "this is the past; :at now goes back to where something can be done");
	return true;
}
