/* Inside of a replay's plan: replay_plan.c decides what becomes of each delivery, replay_compare.c
 * how its bytes differ from last time. */
#ifndef DB_REPLAY_PLANNER_H
#define DB_REPLAY_PLANNER_H

#include "db/find.h"
#include "db/replay_shape.h"
#include "db/rules.h"
#include "src/buf.h"

#define REPLAY_BYTES ((size_t)1 << 20) /* of one event */

struct planner_past {
	const struct find_attempt *last; /* the last that was sent, NULL none */
	const struct find_delivery *of;  /* the run it belongs to */
	int64_t taken_us;                /* when the platform took it last, 0: never */
};
struct planner {
	struct db *db;
	const struct replay_ask *ask;
	struct replay_plan *plan;
	struct ta_err *err;
	enum ta_rc rc;
	struct catalog now;
	struct replay_shapes shapes;
	struct replay_pick *picks, *busy; /* in order */
	size_t npicks, nbusy, nids;
	int64_t *ids;
	struct arena scratch; /* of the event at hand */
	struct buf why, bytes, before;
	/* the delivery at hand */
	int64_t decided_for;
	struct route_decision *decided;
	struct replay_shapes_pixel *at;
	const struct replay_shape *shape;
	struct replay_build build;
	struct planner_past past;
	struct replay_item item;
};

/* p->db, ->ask and ->plan are set by the caller. */
TA_MUST enum ta_rc planner_open(struct planner *p, struct ta_err *err);
void planner_close(struct planner *p);
/* Calls `each` (its argument is the planner) for the events that are asked for. */
typedef void planner_found(void *planner, const struct find_event *e, const bool *match);
TA_MUST enum ta_rc planner_read(struct planner *p, planner_found *each, struct ta_err *err);
bool planner_picked(const struct planner *p, int64_t event_id, int32_t pixel_id);
void planner_past(struct planner *p, const struct find_event *e, int32_t pixel_id);

struct planner_look {
	const struct find_event *e;
	const struct find_delivery *d;
	struct replay_pixel *px;
	struct replay_change *changes; /* kept for an example, in the plan's arena */
	size_t nchanges;
};
/* Builds the bytes and compares them with those that were sent last. */
void planner_compare(struct planner *p, struct planner_look *look);
/* Keeps the delivery as an example when there is room. */
void planner_example(struct planner *p, struct planner_look *look);
/* Puts pixels, examples and fields in order. */
void planner_finish(struct planner *p);
/* The bytes under the versions of the run that was sent last, in p->before; false: they cannot be
 * built any more. */
bool planner_rebuild(struct planner *p, const struct find_event *e);

#endif
