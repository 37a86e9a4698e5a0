/* What the console reads of operations, in the manner of db/view.h: health as the folder judged it,
 * alerts, circuits, the whole ledger and what does not add up. */
#ifndef DB_VIEW_OPS_H
#define DB_VIEW_OPS_H

#include "db/ledger.h"
#include "db/ledger_watch.h"
#include "src/circuit.h"
#include "src/health.h"

#include <libpq-fe.h>

struct buf;

struct view_health {
	int32_t pixel_id;
	int64_t at_us; /* judged */
	struct health health;
};

struct view_alert {
	int64_t id, raised_us, changed_us;
	int64_t cleared_us, acked_us, muted_us; /* 0: not; muted until */
	int32_t object;                         /* pixel id, enum platform_id, 0 */
	int scope, part;                        /* enum alert_scope, enum health_part */
	enum health_status level;
	const char *why, *acked_by, *muted_by;
};

struct view_circuit {
	int32_t pixel_id;
	struct circuit circuit;
	int64_t since_us;
	const char *error, *forced_by;
};

struct view_book {
	int32_t pixel_id;
	struct ledger_counts counts;
};

void view_sql_health(struct buf *b);
/* The open ones, worst and newest first; with `over` those of the last days too, behind them. */
void view_sql_alerts(struct buf *b, int64_t now_us, bool over);
void view_sql_circuits(struct buf *b);
/* Books as of one snapshot: what the folder added up and what it has not reached yet. By pixel. */
void view_sql_book(struct buf *b);
void view_sql_unbalanced(struct buf *b); /* table ledger_fault */

size_t view_take_health(struct arena *a, const PGresult *r, struct view_health **out);
size_t view_take_alerts(struct arena *a, const PGresult *r, struct view_alert **out);
size_t view_take_circuits(struct arena *a, const PGresult *r, struct view_circuit **out);
size_t view_take_book(struct arena *a, const PGresult *r, struct view_book **out);
size_t view_take_unbalanced(struct arena *a, const PGresult *r, struct ledger_fault **out);

#endif
