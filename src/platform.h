/* What we know about each destination platform, as data: limits, names, settings. The console,
 * the router and the dispatcher read it; nothing here talks to anyone. */
#ifndef TA_PLATFORM_H
#define TA_PLATFORM_H

#include "src/err.h"
#include "src/words.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLATFORM_CUSTOM_MAX 50 /* bytes of a custom event's name at Meta */

struct platform {
	enum platform_id id;
	int max_future_s;         /* event_time at most this far ahead */
	const char *word;         /* "pinterest" */
	const char *title;        /* "Pinterest" */
	const char *url;          /* default base URL with version path */
	const char *url_env;      /* TRACKAI_PINTEREST_URL, … */
	size_t batch;             /* events per request */
	int64_t max_age_s;        /* older events are refused */
	int64_t dedup_s;          /* window in which a repeated event_id is merged */
	const char *account;      /* what its account is called: "ad account id" */
	const char *account_form; /* and looks like: "1 to 18 digits" */
};

/* Never NULL for a valid id. */
const struct platform *platform_get(enum platform_id id);
/* The platform's name of an event, NULL when it has none (filtered: unmapped, or internal). Meta
 * takes custom events under their given name; "custom" here only says that it takes them. */
const char *platform_event(enum platform_id id, enum event_name name);
/* Whether the platform takes events of this name: one it knows (src/platform_events.def), at Meta
 * also a custom one of at most 50 bytes, in a sheet any. Errors: TA_INVALID with a sentence that
 * names what was probably meant; err may be NULL. */
enum ta_rc platform_event_check(enum platform_id id, const char *name, struct ta_err *err);
/* Does the platform count an event of this name as a purchase, which needs value and currency? */
bool platform_event_is_purchase(enum platform_id id, const char *name);
/* Has the account the platform's form? Pinterest 1..18 digits, Meta digits, TikTok's pixel code
 * and a spreadsheet's id letters, digits, _ and -. */
bool platform_account_valid(enum platform_id id, const char *account);

#endif
