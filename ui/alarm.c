#include "ui/alarm.h"

#include "src/alert.h"
#include "ui/app.h"

#include <stdio.h>

void alarm_object(const struct data *d, const struct view_alert *a, char out[120])
{
	const struct view_pixel *px = a->scope == ALERT_PIXEL ? data_pixel(d, a->object) : NULL;
	const struct view_store *st = px ? data_store(d, px->store_id) : NULL;
	if (px)
		snprintf(out, 120, "%.50s/%.50s", st ? st->name : "?", px->name);
	else if (a->scope == ALERT_PLATFORM)
		snprintf(out, 120, "%s", platform_word(a->object));
	else if (a->scope == ALERT_PIXEL)
		snprintf(out, 120, "pixel %d, deleted", (int)a->object);
	else
		snprintf(out, 120, "network");
}

static bool unheard(const struct view_alert *a)
{
	return !a->cleared_us && !a->acked_us && !a->muted_us;
}

const struct view_alert *alarm_worst(const struct data *d, size_t *n)
{
	const struct view_alert *worst = NULL;
	*n = 0;
	for (size_t i = 0; i < d->nalerts; i++) {
		const struct view_alert *a = &d->alerts[i];
		if (!unheard(a))
			continue;
		++*n;
		if (!worst || a->level > worst->level ||
			(a->level == worst->level && a->raised_us > worst->raised_us))
			worst = a;
	}
	return worst;
}

void alarm_look(struct app *app)
{
	const struct data *d = &app->data;
	int64_t newest = app->alarm_id;
	bool first = !app->alarm_known;
	if (d->at_us)
		return;
	for (size_t i = 0; i < d->nalerts; i++)
		if (d->alerts[i].id > newest && unheard(&d->alerts[i]))
			newest = d->alerts[i].id;
	if (newest > app->alarm_id && !first && app->bell)
		app->todo |= TODO_BELL;
	app->alarm_id = newest;
	app->alarm_known = true;
}
