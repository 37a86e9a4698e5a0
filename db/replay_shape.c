#include "db/replay_shape.h"

#include "src/buf.h"
#include "src/rule_action_apply.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static enum ta_rc load_pixels(struct db *db, struct replay_shapes *s, struct ta_err *err)
{
	struct delivery_pixel *rows = NULL;
	enum ta_rc rc = delivery_pixels(db, &s->mem, &rows, &s->npixels, err);
	if (rc)
		return rc;
	s->pixels = arena_alloc(&s->mem, (s->npixels + 1) * sizeof(*s->pixels));
	for (size_t i = 0; i < s->npixels; i++)
		s->pixels[i] = (struct replay_shapes_pixel){.row = rows[i]};
	return TA_OK;
}

enum ta_rc replay_shapes_load(struct db *db, struct replay_shapes *s, struct ta_err *err)
{
	struct delivery_rule *rows = NULL;
	int64_t rev = 0;
	enum ta_rc rc = load_pixels(db, s, err);
	if (!rc)
		rc = delivery_rules(db, &s->mem, &rows, &s->nacts, &rev, err);
	if (rc)
		return rc;
	s->acts = arena_alloc(&s->mem, (s->nacts + 1) * sizeof(*s->acts));
	for (size_t i = 0; i < s->nacts; i++) {
		struct ta_err ignored;
		struct replay_act *x = &s->acts[i];
		*x = (struct replay_act){.id = rows[i].id, .version = rows[i].version};
		x->readable = rule_action_parse(&s->mem, rows[i].action, rows[i].with, &x->act,
				      NULL, &ignored) == TA_OK;
	}
	return TA_OK;
}

void replay_shapes_release(struct replay_shapes *s)
{
	arena_release(&s->mem);
}

/* "" and null: not set; `now` where the object does not speak of it. */
static const char *setting(struct arena *a, const json_t *o, const char *name, const char *now)
{
	const json_t *v = json_object_get(o, name);
	const char *text = json_string_value(v);
	if (!v)
		return now;
	return text && *text ? arena_strdup(a, text) : NULL;
}

/* As the dispatcher reads the settings of a version. */
static void read_shape(struct arena *a, const struct delivery_pixel *row, const char *json,
	struct replay_shape *out)
{
	struct ta_err ignored;
	json_t *o = json_loads(json, 0, NULL);
	const char *events = setting(a, o, "event_names", NULL);
	const char *contents = setting(a, o, "content_ids", NULL);
	const char *content = setting(a, o, "content_id", row->content_id);
	out->content_id = content ? content : row->content_id;
	out->test = setting(a, o, "test_code", NULL) != NULL;
	out->readable = o &&
			event_map_parse(a, events, (int)row->platform, &out->event_names,
				&ignored) == TA_OK &&
			name_map_parse(a, contents, &out->content_ids, &ignored) == TA_OK;
	json_decref(o);
}

static int by_pixel(const void *x, const void *y)
{
	const struct replay_shapes_pixel *a = x, *b = y;
	return a->row.id < b->row.id ? -1 : a->row.id > b->row.id;
}

static enum ta_rc load_versions(
	struct db *db, struct replay_shapes *s, struct replay_shapes_pixel *p, struct ta_err *err)
{
	TA_CLEANUP(db_clear) PGresult *r = NULL;
	struct db_args args = DB_ARGS_INIT;
	db_arg_i32(&args, p->row.id);
	enum ta_rc rc = db_read(db,
		"SELECT version, rev, settings::text FROM pixel_version WHERE pixel_id = $1 "
		"ORDER BY version",
		&args, &r, err);
	if (rc)
		return rc;
	p->n = (size_t)db_rows(r);
	p->v = arena_alloc(&s->mem, (p->n + 1) * sizeof(*p->v));
	for (int i = 0; i < db_rows(r); i++) {
		p->v[i] = (struct replay_shape){
			.version = (int32_t)db_i64(r, i, 0), .rev = db_i64(r, i, 1)};
		read_shape(&s->mem, &p->row, db_text(r, i, 2), &p->v[i]);
	}
	p->loaded = true;
	return TA_OK;
}

enum ta_rc replay_shapes_pixel(struct db *db, struct replay_shapes *s, int32_t pixel_id,
	struct replay_shapes_pixel **out, struct ta_err *err)
{
	const struct replay_shapes_pixel key = {.row.id = pixel_id};
	*out = s->npixels ? bsearch(&key, s->pixels, s->npixels, sizeof(key), by_pixel) : NULL;
	return *out && !(*out)->loaded ? load_versions(db, s, *out, err) : TA_OK;
}

const struct replay_shape *replay_shape_of(const struct replay_shapes_pixel *p, int32_t version)
{
	for (size_t i = p->n; i-- > 0;)
		if (p->v[i].version == version)
			return p->v[i].readable ? &p->v[i] : NULL;
	return NULL;
}

const struct replay_shape *replay_shape_at(const struct replay_shapes_pixel *p, int64_t rev)
{
	for (size_t i = p->n; i-- > 0;)
		if (p->v[i].rev <= rev)
			return p->v[i].readable ? &p->v[i] : NULL;
	return NULL;
}

static int by_rule(const void *x, const void *y)
{
	const struct replay_act *a = x, *b = y;
	if (a->id != b->id)
		return a->id < b->id ? -1 : 1;
	return (a->version > b->version) - (a->version < b->version);
}

bool replay_case_build(const struct replay_shapes *s, const struct replay_case *c, struct arena *a,
	struct replay_build *out, struct buf *why)
{
	const struct replay_act key = {.id = c->rule_id, .version = c->rule_version};
	const struct replay_act *act =
		s->nacts && c->rule_id ? bsearch(&key, s->acts, s->nacts, sizeof(key), by_rule)
				       : NULL;
	*out = (struct replay_build){.ev = c->ev,
		.platform = c->platform,
		.wire_id = c->wire_id,
		.content_id = c->shape->content_id,
		.event_names = c->shape->event_names,
		.content_ids = c->shape->content_ids,
		.now_s = c->now_s};
	if (!act)
		return true;
	struct event *changed = arena_alloc(a, sizeof(*changed));
	struct ta_err err = {0};
	if (!act->readable || rule_action_apply(a, &act->act, c->platform, c->ev, changed, &err)) {
		buf_addf(why, "rule %d, version %d: %s", (int)act->id, (int)act->version,
			act->readable ? err.msg : "its action cannot be read");
		return false;
	}
	out->ev = changed;
	return true;
}
