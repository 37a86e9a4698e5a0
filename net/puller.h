/* The puller: what has to be asked of others on a schedule. Active once per database. Its jobs
 * (net/pulls.def) share a thread and a connection to the database; what they ask goes through
 * net/http side by side, so that a slow answer holds up no other job.
 *
 * A job is one function, pull_WORD(), that starts a run: it reads what it needs, starts exchanges
 * with pull_ask() and returns. The run is over when none of its exchanges is under way. It failed
 * when the function or one of the replies returned an error: then it is due again after a back-off
 * (2 s doubled, at most an hour and at most its own time), else after its own time and up to a
 * twentieth more. When each job is due outlives a restart (table pull); the wall clock of
 * src/clock.h counts. */
#ifndef NET_PULLER_H
#define NET_PULLER_H

#include "net/http.h"
#include "src/err.h"

#include <stdint.h>

struct arena;
struct db;
struct pull; /* one job with the run that is under way */
struct role;

/* What came of one exchange. The reply's body is released behind it; it may ask again. */
typedef enum ta_rc pull_reply(struct pull *p, struct http_reply *r, void *arg, struct ta_err *err);

struct pull_kind {
	const char *word;
	enum ta_rc (*begin)(struct pull *p, struct ta_err *err);
	int every_s;
	const char *channel; /* a NOTIFY there makes it due at once; NULL: none */
	const char *meaning;
};
/* The nth row of net/pulls.def, NULL behind the last. */
const struct pull_kind *pull_kind_at(size_t n);

/* For jobs. Statements are short: the other jobs wait for them. */
struct db *pull_db(const struct pull *p);
struct arena *pull_arena(struct pull *p);      /* lives as long as the run */
const uint8_t *pull_key(const struct pull *p); /* private half of "deliver": opens tokens */
/* Starts an exchange; everything is copied but the body, which must live until the reply (the run's
 * arena does). r->tag is the puller's own. Errors: TA_CONFIG (a URL we do not talk to),
 * TA_TIMEOUT (the run is older than PULL_MOST_S: it must end). */
#define PULL_MOST_S 600
TA_MUST enum ta_rc pull_ask(struct pull *p, const struct http_request *r, pull_reply *done,
	void *arg, struct ta_err *err);
/* The same of a mail. */
TA_MUST enum ta_rc pull_ask_mail(
	struct pull *p, const struct http_mail *m, pull_reply *done, void *arg, struct ta_err *err);
/* There is more: due again as soon as this run is over. */
void pull_again(struct pull *p);
/* Something is awaited that no NOTIFY tells: due again that long after this run, whatever the wall
 * clock says meanwhile. */
void pull_soon(struct pull *p, int ms);
/* What this run brought, one sentence without secrets, shown by status and doctor; the last one
 * counts. A run that fails shows its error instead. */
void pull_say(struct pull *p, const char *fmt, ...) TA_PRINTF(2, 3);

/* Runs until told to stop; returns the exit status. */
int puller_run(const struct role *role);

#define PULL(word, every_s, channel, meaning)                                                      \
	enum ta_rc pull_##word(struct pull *p, struct ta_err *err);
#include "net/pulls.def"
#undef PULL

#endif
