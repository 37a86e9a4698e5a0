/* What a delivery's bytes are made of: the settings of a pixel's versions and the versions of the
 * rules that change events. Read once, kept for as long as a plan lasts. */
#ifndef DB_REPLAY_SHAPE_H
#define DB_REPLAY_SHAPE_H

#include "db/delivery.h"
#include "db/replay.h"
#include "src/rule_action.h"

/* The part of a pixel's settings that its events' bytes depend on. */
struct replay_shape {
	int32_t version;
	int64_t rev;
	bool readable;
	bool test; /* it sent in test mode */
	const char *content_id;
	const struct event_map *event_names;
	const struct name_map *content_ids;
};
struct replay_shapes_pixel {
	struct delivery_pixel row;
	bool loaded;
	struct replay_shape *v; /* by version */
	size_t n;
};
struct replay_act {
	int32_t id, version;
	bool readable;
	struct rule_act act;
};
struct replay_shapes {
	struct arena mem;
	struct replay_shapes_pixel *pixels; /* by id */
	size_t npixels;
	struct replay_act *acts; /* by id and version; only rules that change events */
	size_t nacts;
};

TA_MUST enum ta_rc replay_shapes_load(struct db *db, struct replay_shapes *s, struct ta_err *err);
void replay_shapes_release(struct replay_shapes *s);
/* With its versions; *out NULL: there is no such pixel. */
TA_MUST enum ta_rc replay_shapes_pixel(struct db *db, struct replay_shapes *s, int32_t pixel_id,
	struct replay_shapes_pixel **out, struct ta_err *err);
/* NULL: not known, or it cannot be read. */
const struct replay_shape *replay_shape_of(const struct replay_shapes_pixel *p, int32_t version);
/* The one in force at a revision of the catalogue. */
const struct replay_shape *replay_shape_at(const struct replay_shapes_pixel *p, int64_t rev);

struct replay_case {
	const struct event *ev; /* as stored */
	const char *wire_id;
	enum platform_id platform;
	const struct replay_shape *shape;
	int32_t rule_id, rule_version;
	int64_t now_s;
};
/* What the builders need; *changed is the event as the rule makes it (in the arena) or c->ev.
 * False: the rule cannot be applied, `why` says so. */
bool replay_case_build(const struct replay_shapes *s, const struct replay_case *c, struct arena *a,
	struct replay_build *out, struct buf *why);

#endif
