/* What we know about each destination platform, as data: limits, names, settings. The console,
 * the router and the dispatcher read it; nothing here talks to anyone. */
#ifndef TA_PLATFORM_H
#define TA_PLATFORM_H

#include "src/words.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct platform {
	enum platform_id id;
	int max_future_s;    /* event_time at most this far ahead */
	const char *word;    /* "pinterest" */
	const char *title;   /* "Pinterest" */
	const char *url;     /* default base URL with version path */
	const char *url_env; /* TRACKAI_PINTEREST_URL, … */
	size_t batch;        /* events per request */
	int64_t max_age_s;   /* older events are refused */
	int64_t dedup_s;     /* window in which a repeated event_id is merged */
};

/* Never NULL for a valid id. */
const struct platform *platform_get(enum platform_id id);
/* The platform's name of an event, NULL when it has none (filtered: unmapped, or internal). Meta
 * takes custom events under their given name; "custom" here only says that it takes them. */
const char *platform_event(enum platform_id id, enum event_name name);
/* Has the account the platform's form? Pinterest 1..18 digits, Meta digits, TikTok's pixel code
 * and a spreadsheet's id letters, digits, _ and -. */
bool platform_account_valid(enum platform_id id, const char *account);

#endif
