/* Inside of the dispatcher: one process, one thread, one database connection, exchanges side by
 * side. Routes are read once and fanned out into a bounded queue per pixel (pump.c), batches are
 * built (batch.c), claimed and settled in one transaction (commit.c), sent, and judged (settle.c).
 * Test sends go beside all that (trial.c). dispatcher.c owns the loop. */
#ifndef NET_DISPATCH_H
#define NET_DISPATCH_H

#include "db/circuit.h"
#include "db/delivery.h"
#include "db/log_id.h"
#include "db/stage.h"
#include "db/tally.h"
#include "net/dest.h"
#include "net/http.h"
#include "net/lane.h"
#include "src/circuit.h"

#include <jansson.h>

#define FLYING_MAX  4   /* exchanges of one pixel */
#define BATCH_MAX   500 /* events of one request, and at most the platform's own limit */
#define BATCH_BYTES ((size_t)1 << 20) /* of its events' JSON, unless one alone is larger */
#define ROUND_MAX   4000              /* events built before the next commit */
#define LINGER_US   15000             /* a thin queue waits so long for company */

struct batch_event {
	int64_t id, received_us, deadline_us;
	int32_t store_id;
	int16_t run, tries, name, keys; /* attempts before this; 1 + build_keys(), 0: unread */
	enum disposition opens; /* the final state that this run leaves, QUEUED: it is open */
	uint8_t hash[32];
};

/* Events that go, or went, in one request. `claim` is its row in inflight. */
struct batch {
	struct batch *next;
	struct pixel *pixel;
	int64_t claim;       /* 0: not claimed yet */
	int64_t stale_claim; /* deleted in the transaction that claims this one, 0 none */
	int64_t parent;      /* claim that it came out of by bisection, 0: fresh */
	int64_t range_id, first_sent_us;
	int32_t version; /* of the pixel's settings */
	bool pinned;     /* an earlier outcome is unknown: same settings, within the dedup window */
	bool replay;     /* of runs beyond the first: `version` shapes its events, come what may */
	bool retried;    /* its events have rows in retry */
	bool over;       /* past its deadline: gets its verdict unsent */
	bool orphan;     /* another process settled it meanwhile */
	struct batch_event *ev; /* owned */
	size_t n;
	struct arena mem;
	struct dest_request req;
	struct buf wire; /* body with the token in it; empty: req.body goes as it is */
};

struct batches { /* first in, first out */
	struct batch *first, **last;
};

struct pixel {
	struct delivery_pixel row; /* strings in mem */
	struct arena mem;
	char *token;                         /* owned, NULL: see fault */
	char fault[200];                     /* why nothing can be sent, "" */
	const struct event_map *event_names; /* in mem; NULL: none */
	const struct name_map *content_ids;
	const struct dest *dest; /* NULL: platform not built */
	const struct platform *platform;
	bool held;          /* or deleted */
	struct idq q;       /* in step with the scan */
	struct lane *lanes; /* the live one first, if it is behind or held */
	size_t nlanes;
	struct delivery_retry *retries; /* due, nearest deadline first */
	size_t nretries, next_retry;
	struct batches ready; /* claimed, to be sent as soon as there is a slot */
	struct batch *flying[FLYING_MAX];
	int nflying;
	struct circuit circuit, circuit_saved;                /* saved: as in the table */
	int64_t circuit_saved_us, circuit_since_us, error_us; /* saved: monotonic, else wall time */
	char error[160], forced_by[64]; /* the last failure; who holds it open */
	int64_t recover_us;             /* monotonic: when it closed, 0: long ago */
	int64_t ramp_us;                /* monotonic: when the next batch may go */
};

/* A pixel's hold or release, done in the transaction that settles what led to it. */
struct change {
	int32_t pixel_id;
	bool release;
	char reason[16]; /* operator, auth, config, restored */
	char detail[240], actor[64];
	int64_t command; /* to be answered, 0 none */
	int32_t rate;    /* of a release: events per second of what waited, 0: no limit */
	bool applied;    /* to memory */
};

enum range_op { RANGE_OP_INSERT, RANGE_OP_UPDATE, RANGE_OP_END };
struct range_change {
	enum range_op op;
	struct range_row r;
};

/* What the next transaction writes. A row's `claim` says which claim it settles: after a lost
 * connection only rows whose claim still exists are written again. */
struct writes {
	struct arena mem;
	struct delivery_verdict *verdicts;
	struct delivery_attempt *attempts;
	struct delivery_retry *retries, *takes;
	struct batch **claims;
	int64_t *unclaims, *refused;
	struct change *changes;
	struct range_change *ranges;
	size_t nverdicts, nattempts, nretries, ntakes, nclaims, nunclaims, nrefused, nchanges,
		nranges;
	size_t sverdicts, sattempts, sretries, stakes, sclaims, sunclaims, srefused, schanges,
		sranges;
};

/* Appends a zeroed element to a growing array and gives its address. */
#define VEC_ADD(w, name)                                                                           \
	(vec_room((void **)&(w)->name, (w)->n##name, &(w)->s##name, sizeof(*(w)->name)),           \
		&(w)->name[(w)->n##name++])
void vec_room(void **p, size_t n, size_t *size, size_t width);

struct dispatch {
	struct stage stage;
	struct http *http;
	struct tally tally;
	struct writes w;
	struct pixel **pixels; /* by id */
	size_t npixels, turn;  /* turn: who is served first in the next round */
	int64_t head;          /* routes up to here were read */
	int64_t saved;         /* position as stored (curlog 'dispatch') */
	int64_t settled_to;    /* behind this one nothing can have been settled before we started */
	struct delivery_claim *former; /* claims found at start, in former_mem */
	size_t nformer;
	struct arena former_mem;
	int64_t last_claim, last_attempt, last_range, partition_end;
	int64_t next_retry_us;     /* wall time of the next look at the table retry */
	int64_t next_deadline_us;  /* and of the next deadline in it */
	bool circuits_known, anew; /* they were read once; take up everything behind this round */
	bool more;                 /* the last read of the routes was full */
	struct batches outbox;     /* claimed by the transaction under way, then sent */
	int64_t flying;            /* exchanges under way */
	struct trial *trials;      /* test sends */
	struct shape *shapes;      /* by id and version, in shape_mem */
	size_t nshapes;
	int64_t shapes_rev; /* all that this revision of the catalogue knows */
	struct arena shape_mem;
	/* for the heartbeat */
	int64_t settled, beat_us, beat_settled;
	char last_error[200];
};

/* pixels.c */
struct pixel *pixel_find(const struct dispatch *d, int32_t id);
TA_MUST enum ta_rc pixels_load(struct dispatch *d, struct ta_err *err);
/* Changes the configuration by settings of a version or draft: a JSON object, texts in the arena.
 */
TA_MUST enum ta_rc pixel_config_set(const struct pixel *p, const json_t *settings, struct arena *a,
	struct dest_config *cfg, struct ta_err *err);
void pixels_release(struct dispatch *d);
void pixel_config(const struct pixel *p, struct dest_config *out);
/* Where it goes, and as a test or not, as of now. */
void pixel_config_address(const struct pixel *p, struct dest_config *cfg);
/* The settings of a pinned version, strings in the arena; the current ones where it is unknown. */
TA_MUST enum ta_rc pixel_config_at(struct dispatch *d, const struct pixel *p, int32_t version,
	struct arena *a, struct dest_config *out, struct ta_err *err);

/* pump.c */
struct lane *pixel_live_lane(struct pixel *p);
struct lane *pixel_add_lane(struct pixel *p, const struct range_row *r);
void pixel_remove_lane(struct pixel *p, size_t i);
/* The pixel leaves the scan and takes its routes by itself from where it is. */
struct lane *pixel_fall_behind(struct dispatch *d, struct pixel *p, bool frozen);
/* The highest id up to which everything is claimed, final or somebody's range. */
int64_t pump_position(const struct dispatch *d);
TA_MUST enum ta_rc pump_scan(struct dispatch *d, struct ta_err *err);
TA_MUST enum ta_rc pump_lanes(struct dispatch *d, struct ta_err *err);
TA_MUST enum ta_rc pump_retries(struct dispatch *d, struct ta_err *err);
/* Chooses what goes next, in turn over the pixels: unbuilt batches of at most ROUND_MAX events. */
void pump_choose(struct dispatch *d, struct batches *out);
/* Pixels that caught up rejoin the scan, backlogs that are through end. */
void pump_rejoin(struct dispatch *d);
/* Milliseconds until a lingering queue, a circuit or a retry wants attention, at most `most`. */
int pump_timeout_ms(const struct dispatch *d, int most);

/* batch.c */
struct batch *batch_new(struct pixel *p, size_t n);
void batch_free(struct batch *b);
void batches_init(struct batches *l);
void batches_add(struct batches *l, struct batch *b);
struct batch *batches_take(struct batches *l);
void batches_free(struct batches *l);
/* A batch of a claim found in the database. */
struct batch *batch_of_claim(
	const struct dispatch *d, struct pixel *p, const struct delivery_claim *c);
/* Events [from, n) become a batch of their own among the claims of the next transaction. */
void batch_split(struct dispatch *d, struct batch *b, size_t from);
/* Builds all of `list` and hands them to the transaction: claims, and verdicts of what cannot go.
 */
TA_MUST enum ta_rc batches_build(struct dispatch *d, struct batches *list, struct ta_err *err);
void batch_send(struct dispatch *d, struct batch *b);

/* settle.c */
/* Reads an answer and puts what follows from it into d->w. Frees the reply's body; the batch when
 * it is over. */
void settle(struct dispatch *d, struct batch *b, struct http_reply *r);
/* A final delivery is queued again, in run e->run. */
void settle_open(struct dispatch *d, const struct batch *b, const struct batch_event *e);
/* A verdict without an exchange. */
void settle_unsent(struct dispatch *d, const struct batch *b, const struct batch_event *e,
	enum reason why, const char *message);
/* Valid UTF-8 without control bytes, at most `most` bytes, in the arena. */
const char *settle_text(struct arena *a, const char *s, size_t most);

/* commit.c */
bool writes_pending(const struct dispatch *d);
/* One transaction with all of d->w and the positions; then the claimed batches are in d->outbox. */
TA_MUST enum ta_rc commit_round(struct dispatch *d, struct ta_err *err);
/* After a lost connection: forgets fresh claims, keeps what settles claims that still exist. */
void writes_keep(struct dispatch *d, const struct delivery_claim *claims, size_t n);
void writes_release(struct dispatch *d);

/* hold.c */
/* In memory, with what has to be written into d->w. */
void pixel_freeze(struct dispatch *d, struct pixel *p);
TA_MUST enum ta_rc pixel_thaw(
	struct dispatch *d, struct pixel *p, int32_t rate, struct ta_err *err);
/* Asks for a hold in the next transaction. */
void hold_for(struct dispatch *d, struct pixel *p, const char *reason, const char *detail);
/* Takes orders from the table command. */
TA_MUST enum ta_rc take_commands(struct dispatch *d, struct ta_err *err);
/* Applies d->w.changes to memory, and in the open transaction to the database. */
TA_MUST enum ta_rc apply_changes(struct dispatch *d, struct ta_err *err);
TA_MUST enum ta_rc write_changes(struct dispatch *d, int64_t now_us, struct ta_err *err);

#endif
