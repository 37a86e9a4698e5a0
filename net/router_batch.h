/* One batch of the router, between reading and writing: what its receipts became and the state of
 * the keys, orders, wire ids and holds they touch. Lives in one arena. */
#ifndef NET_ROUTER_BATCH_H
#define NET_ROUTER_BATCH_H

#include "db/route_log.h"
#include "db/rule_hold.h"
#include "db/rules.h"
#include "db/tally.h"
#include "net/in.h"
#include "src/map.h"
#include "src/rule_count.h"

/* What one receipt was read as. */
struct reading {
	const struct receipt *r;
	const struct route_store *store; /* NULL: it is gone */
	struct in_result in;
};

/* An event this batch adds. */
struct new_event {
	int64_t id;
	const struct reading *from;
	int16_t item;
	struct event *ev;
	uint8_t key[BOOK_KEY_LEN];
	const char *wire_id;
	enum disposition to; /* QUEUED: rules decide; HELD, DUPLICATE: all pixels the same */
	enum reason reason;
	int64_t hold_due_us;   /* HELD */
	const char *hold_wire; /* HELD: the wire id its webhook would have */
	bool revenue;
};

/* State of an order: as read, as this batch changes it. */
struct order_book {
	struct order_row row;
	bool changed;
};

/* An event on hold: read, or added by this batch. */
struct held_event {
	int64_t event_id, received_us, receipt;
	int32_t store_id;
	int16_t writer;
	enum reason reason;
	const char *order_id, *wire_id; /* may be NULL */
	struct db_bytes doc;
	struct new_event *added; /* of this batch, else NULL */
	bool settled;
};

/* What a held event of an earlier batch becomes: at every pixel, or by rules (QUEUED). */
struct settled_event {
	const struct held_event *held;
	enum disposition to;
	enum reason reason;
	struct event *ev;                       /* for rules; NULL else */
	bool new_value;                         /* a refund that found its order's currency */
	const struct route_decision *decisions; /* of its store's pixels, made once */
};

/* An order to read a failed receipt again: part of the batch's transaction. */
struct replay {
	int64_t command, receipt;
	int16_t writer;
	int failure; /* it had */
	const char *answer;
};

/* An operator's order to let held deliveries go: part of the batch's transaction. */
struct release {
	int64_t command;
	const char *actor, *answer;
	size_t n; /* deliveries that go */
};

struct batch {
	struct arena *a;
	struct db *db;
	const struct catalog *cat;
	struct tally *tally;
	int64_t now_us;
	int64_t *last_event_id;
	struct reading *readings;
	size_t nreadings;
	struct reading *canaries; /* taken out of the readings */
	size_t ncanaries;
	const struct replay *replay;   /* NULL: none */
	const struct release *release; /* NULL: none */

	struct map keys;   /* book key -> int64_t * */
	struct map orders; /* store + order id -> struct order_book * */
	struct map wires;  /* store + wire id -> int64_t * */
	struct held_event **held;
	size_t nheld, held_size;

	struct new_event **events;
	struct order_book **books;
	struct settled_event *settled;
	struct report_row *reports;
	struct failed_row *failed;
	const char **new_wires;
	int32_t *wire_stores;
	int64_t *wire_events;
	int32_t *uninstalled;
	struct rule_hold_row *rule_holds; /* deliveries that a rule holds from now on */
	struct rule_hold_end *ends;       /* and those that it holds no more */
	struct route_notes notes;         /* of the event at hand */
	struct rule_counts counts;
	size_t nrule_holds, nends, rule_hold_size, end_size;
	size_t nevents, nbooks, nsettled, nreports, nfailed, nwires, nuninstalled;
	size_t event_size, book_size, settled_size, report_size, failed_size, wire_size,
		uninstalled_size;
};

/* Appends a value to an array of the arena. */
#define BATCH_PUSH(b, array, n, size, ...)                                                         \
	do {                                                                                       \
		(b)->array = batch_room((b), (b)->array, (b)->n, &(b)->size, sizeof(*(b)->array)); \
		(b)->array[(b)->n++] = __VA_ARGS__;                                                \
	} while (0)
void *batch_room(struct batch *b, void *array, size_t n, size_t *size, size_t each);

/* A shop's webhook about an order (not what a browser or a server tells of a purchase). */
bool batch_is_order(const struct reading *rd);
/* Reads every receipt into b->readings; pure. */
void batch_read(struct batch *b, const struct receipt *rows, size_t n);
/* net/router_canary.c: takes the canaries out of the readings; writes what became of them. */
void batch_take_canaries(struct batch *b);
TA_MUST enum ta_rc batch_write_canaries(struct batch *b, struct ta_err *err);
/* Looks up the keys, orders, wire ids and holds that the readings name. */
TA_MUST enum ta_rc batch_load(struct batch *b, struct ta_err *err);
/* Decides what each reading becomes, in order. */
TA_MUST enum ta_rc batch_book(struct batch *b, struct ta_err *err);
/* Writes everything inside the caller's transaction. *highest = its last event id, 0: none. */
TA_MUST enum ta_rc batch_write(struct batch *b, int64_t *highest, struct ta_err *err);

/* The state of an order; made empty when it is new. */
struct order_book *batch_order(struct batch *b, int32_t store_id, const char *order_id);
void batch_add_orders(struct batch *b, const PGresult *r); /* rows of orders_find() */
/* 0 when the wire id is free in the store. */
int64_t batch_wire_owner(const struct batch *b, int32_t store_id, const char *wire_id);
void batch_take_wire(struct batch *b, int32_t store_id, const char *wire_id, int64_t event_id);
/* The event of a book key, 0 when there is none. */
int64_t batch_event_of(const struct batch *b, const uint8_t key[BOOK_KEY_LEN]);

/* Holds. Rows of holds_find() or holds_due() into b->held. */
TA_MUST enum ta_rc batch_add_held(struct batch *b, const PGresult *r, struct ta_err *err);
void batch_hold(struct batch *b, struct new_event *e);
/* The order's purchase is here: its browser copies become duplicates; their click ids, identity and
 * consent are lent to `ev` where it has none. Errors: TA_DB. */
TA_MUST enum ta_rc batch_settle_copies(struct batch *b, int32_t store_id, struct event *ev,
	const char *ta_event_id, struct ta_err *err);
/* The order is known: its refunds go on. */
TA_MUST enum ta_rc batch_settle_refunds(
	struct batch *b, struct order_book *order, struct ta_err *err);
/* The holds in b->held are overdue: unconfirmed purchases, refunds without an order. */
TA_MUST enum ta_rc batch_expire(struct batch *b, struct ta_err *err);
/* net/router_rule.c: what rules do to deliveries. */
/* What becomes of an event at each pixel of its store (catalog_pixels), by rules; counted. */
const struct route_decision *batch_decide(struct batch *b, const struct route_case *c);
/* The decision was HELD: until when. */
void batch_rule_hold(struct batch *b, const struct route_case *c, const struct route_decision *d);
/* Deliveries (rows event_id, pixel_id) that rules hold no more: they go out, at their time only
 * where the platform still takes them. */
TA_MUST enum ta_rc batch_end_holds(
	struct batch *b, const PGresult *names, bool by_hand, struct ta_err *err);
/* An order to release: reads its deliveries. *v lives as long as the batch. Errors: TA_INVALID (a
 * sentence for who asked), TA_DB. */
TA_MUST enum ta_rc batch_release(
	struct batch *b, const char *args, struct release *v, struct ta_err *err);
/* Writes holds, ends, counters and the answer to an order, inside the batch's transaction. */
TA_MUST enum ta_rc batch_write_rules(struct batch *b, struct ta_err *err);

/* A failed receipt is counted as one no more. */
void batch_unfail(struct batch *b, const struct receipt *r, int failure);
/* Counts a refund in its order and in the day's books. */
void batch_count_refund(struct batch *b, struct order_book *order, const struct event *ev,
	int64_t received_us, int32_t store_id);
void batch_tally(struct batch *b, struct tally_place at, int item, int bin, const struct money *m);

/* Counts that page or server told of the event, that both have (the first of them then), that a
 * refund found its order or did not. */
void batch_told(struct batch *b, const struct reading *rd, const struct event *ev);
void batch_paired(struct batch *b, int32_t store_id, const struct event *ev, int64_t first_us);
void batch_refund_settled(struct batch *b, int32_t store_id, enum tally_refund how);

#endif
