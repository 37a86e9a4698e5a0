/* The `:` line: a view by name with a filter, or one of a few words. */
#include "ui/app.h"
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
	int id = pane_of(line, n);
	if (id < 0) {
		app_toast(app, true,
			"there is no command \"%.40s\"; overview, health, events, revenue [filter], q",
			line);
		return;
	}
	if (*rest)
		app_filter(app, rest); /* lines that a filter selects are those of Events */
	else
		app_go(app, (enum pane_id)id);
}
