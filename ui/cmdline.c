/* The `:` line: a view by name with a filter, or one of a few words. */
#include "ui/app.h"
#include "ui/export.h"
#include "ui/pane.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *word;
	enum req r;
} words[] = {
	{"q", REQ_QUIT_ALL},
	{"quit", REQ_QUIT_ALL},
	{"help", REQ_HELP},
	{"pause", REQ_PAUSE},
	{"follow", REQ_FOLLOW},
	{"refresh", REQ_REFRESH},
	{"next-error", REQ_NEXT_PROBLEM},
	{"prev-error", REQ_PREV_PROBLEM},
};

/* `export csv` or `export json`, then a file name or nothing. */
static void export_to(struct app *app, const char *rest)
{
	struct ta_err err = {0};
	size_t n = strcspn(rest, " ");
	bool csv = n == 3 && memcmp(rest, "csv", 3) == 0;
	bool json = n == 4 && memcmp(rest, "json", 4) == 0;
	const struct feed *f = app->pane == PANE_REVENUE ? &app->orders : &app->feed;
	char name[256];
	rest += n + strspn(rest + n, " ");
	snprintf(name, sizeof(name), "%.250s", rest);
	if (!csv && !json)
		app_toast(app, true, "export csv or json, then a file name if you like");
	else if (export_file(f, &app->data, csv ? EXPORT_CSV : EXPORT_JSON, name, &err))
		app_toast(app, true, "%s", err.msg);
	else
		app_toast(app, false, "wrote %d lines to %.150s", f->nshown, name);
}

void app_command(struct app *app, const char *line)
{
	line += strspn(line, " :");
	size_t n = strcspn(line, " ");
	const char *rest = line + n + strspn(line + n, " ");
	if (!n)
		return;
	for (size_t i = 0; i < TA_COUNT(words); i++)
		if (strlen(words[i].word) == n && memcmp(words[i].word, line, n) == 0) {
			app_request(app, words[i].r);
			return;
		}
	if (n == 6 && memcmp(line, "filter", n) == 0) {
		app_filter(app, rest);
		return;
	}
	if (n == 6 && memcmp(line, "export", n) == 0) {
		export_to(app, rest);
		return;
	}
	int id = pane_of(line, n);
	if (id < 0) {
		app_toast(app, true,
			"there is no command \"%.40s\"; overview, health, events, revenue [filter], stores, pixels, rules, export, q",
			line);
		return;
	}
	if (*rest)
		app_filter(app, rest); /* lines that a filter selects are those of Events */
	else
		app_go(app, (enum pane_id)id);
}
