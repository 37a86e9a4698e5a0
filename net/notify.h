/* What the ways of telling alerts to the outside share: which notices go, which do not and why, and
 * what becomes of them after a try. */
#ifndef NET_NOTIFY_H
#define NET_NOTIFY_H

#include "db/notice.h"
#include "src/err.h"

struct pull;

/* Do the settings of alerts make sense, as far as they are set? Errors: TA_CONFIG, a sentence that
 * names the setting. */
TA_MUST enum ta_rc notify_check(struct ta_err *err);

struct notify {
	struct pull *pull;
	enum notice_way way;
	struct notice *list; /* those to tell, in the run's arena */
	size_t n, most;
	size_t settled, waiting; /* so far; waiting: not told, now or before */
	char why[160];           /* of the last that was not told */
};
/* The notices of this run, at most `most`; settles those that shall not be told. `unset`: why this
 * way tells none at all, NULL when it is set up. Lives in the run's arena. */
TA_MUST enum ta_rc notify_begin(struct pull *p, enum notice_way way, const char *unset, size_t most,
	struct notify **out, struct ta_err *err);
/* Notes what came of one try. `why`: NULL: told. Behind the last of them the run has its outcome.
 * Errors: TA_REMOTE (some were not told). */
TA_MUST enum ta_rc notify_settle(
	struct notify *y, const struct notice *n, const char *why, struct ta_err *err);
/* "https://host" of a URL: the rest may be a secret. */
const char *notify_host(const char *url, char out[120]);

#endif
