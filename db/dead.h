/* Dead letters: deliveries whose latest run ended dead or rejected, newest first, and how many of
 * them there are by what. They can only go again in a new run: a replay. */
#ifndef DB_DEAD_H
#define DB_DEAD_H

#include "src/err.h"
#include "src/words.h"

#include <stddef.h>
#include <stdint.h>

struct arena;
struct db;

#define DEAD_PAGE   500
#define DEAD_GROUPS 200

enum dead_by { DEAD_BY_REASON, DEAD_BY_CODE, DEAD_BY_PIXEL, DEAD_BYS };
const char *dead_by_word(enum dead_by by);

struct dead_query {
	int64_t since_us, until_us; /* receipt; since_us 0: from the beginning, until_us 0: now */
	int32_t pixel_id;           /* 0: of all pixels */
	int reason;                 /* src/reasons.def; -1: any */
	const char *code;           /* the platform's; NULL: any */
	enum dead_by by;            /* dead_groups */
	int64_t before_event;       /* dead_list: behind this one; 0: from the newest */
	int32_t before_pixel;
};

struct dead_row {
	int64_t event_id, at_us, received_us; /* at_us: of the verdict */
	int32_t pixel_id;
	int run, tries; /* tries: attempts of this run, 0: it was never sent */
	enum disposition state;
	int reason;
	const char *code, *message, *store, *pixel, *platform, *label;
	int name; /* of the event, src/events.def; -1 unknown */
};
/* At most DEAD_PAGE rows, by event and pixel from the newest down; in the arena. */
TA_MUST enum ta_rc dead_list(struct db *db, const struct dead_query *q, struct arena *a,
	struct dead_row **out, size_t *n, struct ta_err *err);

struct dead_group {
	int64_t n, event_id;       /* event_id: the newest of them */
	int64_t first_us, last_us; /* of their verdicts */
	enum disposition state;
	int reason;          /* -1 where it is not what they have in common */
	int32_t pixel_id;    /* 0 likewise */
	const char *what;    /* "expired", "100/2804003", "acme/meta" */
	const char *message; /* of one of them */
};
/* The DEAD_GROUPS largest, largest first; in the arena. */
TA_MUST enum ta_rc dead_groups(struct db *db, const struct dead_query *q, struct arena *a,
	struct dead_group **out, size_t *n, struct ta_err *err);

#endif
