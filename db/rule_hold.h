/* Deliveries that a rule holds (table rule_hold): the router writes them with its batch and ends
 * them, at their time or by an operator's order. */
#ifndef DB_RULE_HOLD_H
#define DB_RULE_HOLD_H

#include "db/conn.h"
#include "src/words.h"

#include <stdbool.h>
#include <stdint.h>

struct rule_hold_row {
	int64_t event_id, due_us;
	int32_t pixel_id, rule_id;
	bool expires; /* at due_us: dead, the platform's deadline is over; else sent */
};
/* Inside the caller's transaction; n 0 does nothing. */
TA_MUST enum ta_rc rule_holds_append(
	struct db *db, const struct rule_hold_row *rows, size_t n, struct ta_err *err);

/* The `limit` first that are due: event_id, pixel_id. */
TA_MUST enum ta_rc rule_holds_due(
	struct db *db, int64_t now_us, int limit, PGresult **out, struct ta_err *err);
/* Of these deliveries (arrays of the same length) those that are held: event_id, pixel_id, rule_id,
 * expires, store_id, received_us. Constant ids: other days' partitions are not even planned. */
struct rule_hold_names {
	const int64_t *events;
	const int32_t *pixels;
	size_t n;
};
TA_MUST enum ta_rc rule_holds_find(
	struct db *db, const struct rule_hold_names *names, PGresult **out, struct ta_err *err);

/* What a held delivery becomes: RETRYING (it goes out through the retry table, at once) or DEAD.
 * The route keeps its rule and revision. Inside the caller's transaction. */
struct rule_hold_end {
	int64_t event_id;
	int32_t pixel_id;
	enum disposition to;
	enum reason reason;
};
TA_MUST enum ta_rc rule_holds_end(struct db *db, const struct rule_hold_end *rows, size_t n,
	int64_t now_us, struct ta_err *err);

/* For commands: held deliveries of a rule (0: of all), oldest first behind `after`, at most 500:
 * event_id, pixel_id. */
struct rule_hold_page {
	int32_t rule_id;
	int64_t after_event;
	int32_t after_pixel;
};
TA_MUST enum ta_rc rule_holds_page(
	struct db *db, const struct rule_hold_page *page, PGresult **out, struct ta_err *err);

#endif
