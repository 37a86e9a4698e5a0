#include "db/pixel_test.h"

#include "db/command.h"
#include "db/conn.h"
#include "db/secret.h"
#include "db/table.h"
#include "src/arena.h"
#include "src/buf.h"
#include "src/clock.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Asking ------------------------------------------------------------------------------------ */

/* The fields that a request depends on. */
static const char *const drafted[] = {
	"account", "test_code", "content_id", "event_names", "content_ids", "token"};

bool pixel_test_depends(const char *name)
{
	for (size_t i = 0; i < TA_COUNT(drafted); i++)
		if (strcmp(drafted[i], name) == 0)
			return true;
	return false;
}

/* The clear token as hex of what only the dispatcher opens. */
static enum ta_rc seal_token(
	struct db *db, int32_t pixel_id, const char *clear, json_t *draft, struct ta_err *err)
{
	TA_CLEANUP(db_clear) PGresult *r = NULL;
	struct db_args a = DB_ARGS_INIT;
	struct buf sealed = BUF_INIT(SECRET_MAX + SEAL_OVERHEAD + 1);
	db_arg_i32(&a, pixel_id);
	enum ta_rc rc = db_query(
		db, "SELECT uid FROM pixel WHERE id = $1 AND deleted_us IS NULL", &a, &r, err);
	db_args_release(&a);
	if (!rc && (!db_rows(r) || db_bytes(r, 0, 0).n != 16))
		rc = ta_fail(err, TA_NOTFOUND, "there is no pixel %d", (int)pixel_id);
	if (rc)
		return rc;
	const struct secret_place at = secret_of_pixel(db_bytes(r, 0, 0).p);
	rc = secret_seal(db, &at, (struct db_bytes){clear, strlen(clear)}, &sealed, err);
	if (!rc) {
		char *hex = ta_alloc(sealed.len * 2 + 1);
		hex_encode(sealed.p, sealed.len, hex);
		json_object_set_new(draft, "token", json_string(hex));
		free(hex);
	}
	buf_release(&sealed);
	return rc;
}

static enum ta_rc add_field(struct db *db, const struct pixel_test_ask *ask,
	const struct ta_field *f, const char *given, json_t *draft, struct ta_err *err)
{
	struct buf clean = BUF_INIT(64u << 10);
	enum ta_rc rc = field_clean(f, given, &clean, err);
	if (!rc && (f->flags & FIELD_SECRET))
		rc = seal_token(db, ask->pixel_id, buf_str(&clean), draft, err);
	else if (!rc)
		json_object_set_new(draft, f->name, json_string(buf_str(&clean)));
	buf_release(&clean);
	return rc;
}

static enum ta_rc add_draft(
	struct db *db, const struct pixel_test_ask *ask, json_t *args, struct ta_err *err)
{
	const struct table *t = table_get("pixel");
	json_t *draft = json_object();
	enum ta_rc rc = TA_OK;
	for (size_t i = 0; ask->draft && !rc && i < t->nfields; i++) {
		const char *given = ask->draft[i];
		bool keeps = !given || (!*given && (t->fields[i].flags & FIELD_SECRET));
		if (!keeps && pixel_test_depends(t->fields[i].name))
			rc = add_field(db, ask, &t->fields[i], given, draft, err);
	}
	if (!rc && json_object_size(draft))
		json_object_set(args, "draft", draft);
	json_decref(draft);
	return rc;
}

enum ta_rc pixel_test_post(struct db *db, const struct pixel_test_ask *ask, const char *actor,
	int64_t *id, struct ta_err *err)
{
	char event[24];
	json_t *args = json_pack("{s:i}", "pixel", (int)ask->pixel_id);
	snprintf(event, sizeof(event), "%lld", (long long)ask->event_id);
	if (ask->event_id)
		json_object_set_new(args, "event", json_string(event));
	enum ta_rc rc = add_draft(db, ask, args, err);
	char *text = rc ? NULL : json_dumps(args, JSON_COMPACT);
	struct command c = {.actor = actor, .kind = COMMAND_PIXEL_TEST, .args = text};
	if (!rc)
		rc = command_post(db, &c, err);
	*id = rc ? 0 : c.id;
	free(text);
	json_decref(args);
	return rc;
}

/* Reading ----------------------------------------------------------------------------------- */

static const char *text_at(struct arena *a, const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);
	const char *s = json_string_value(v);
	return arena_strndup(a, s ? s : "", s ? json_string_length(v) : 0);
}

static int64_t id_at(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));
	return s ? strtoll(s, NULL, 10) : 0;
}

enum ta_rc pixel_test_read(
	struct arena *a, const char *json, struct pixel_test *out, struct ta_err *err)
{
	json_t *o = json_loads(json, JSON_ALLOW_NUL, NULL);
	if (!json_is_object(o)) {
		json_decref(o);
		return ta_fail(err, TA_PROTO, "the answer to a test send cannot be read");
	}
	*out = (struct pixel_test){
		.pixel_id = (int32_t)id_at(o, "pixel"),
		.event_id = id_at(o, "event"),
		.name = text_at(a, o, "name"),
		.platform = text_at(a, o, "platform"),
		.event_name = text_at(a, o, "event_name"),
		.wire_id = text_at(a, o, "wire_id"),
		.live = json_is_true(json_object_get(o, "live")),
		.request = text_at(a, o, "request"),
		.answer = text_at(a, o, "answer"),
		.nrequest = json_string_length(json_object_get(o, "request")),
		.nanswer = json_string_length(json_object_get(o, "answer")),
		.http = (int)json_integer_value(json_object_get(o, "http")),
		.ms = json_integer_value(json_object_get(o, "ms")),
		.class = text_at(a, o, "class"),
		.verdict = text_at(a, o, "verdict"),
		.code = text_at(a, o, "code"),
		.message = text_at(a, o, "message"),
		.trace = text_at(a, o, "trace"),
		.error = text_at(a, o, "error"),
	};
	if (!clock_parse(text_at(a, o, "at"), &out->at_us))
		out->at_us = 0;
	json_decref(o);
	return TA_OK;
}

enum ta_rc pixel_test_wait(
	struct db *db, int64_t id, struct arena *a, struct pixel_test *out, struct ta_err *err)
{
	const char *answer = "";
	enum ta_rc rc = command_wait_long(db, id, a, &answer, err);
	return rc ? rc : pixel_test_read(a, answer, out, err);
}

/* Choosing ---------------------------------------------------------------------------------- */

enum ta_rc pixel_test_events(struct db *db, int32_t store_id, int64_t event_id,
	struct pixel_test_events *out, struct ta_err *err)
{
	TA_CLEANUP(db_clear) PGresult *r = NULL;
	struct db_args a = DB_ARGS_INIT;
	_Static_assert(PIXEL_TEST_CANDIDATES == 50, "the LIMIT below");
	*out = (struct pixel_test_events){0};
	db_arg_i32(&a, store_id);
	if (event_id)
		db_arg_i64(&a, event_id);
	enum ta_rc rc = db_query(db,
		event_id
			? "SELECT e.id, s.consent = 'required' FROM event e JOIN store s ON s.id = "
			  "e.store_id WHERE e.id = $2 AND e.store_id = $1"
			: "SELECT e.id, s.consent = 'required' FROM (SELECT id FROM event WHERE "
			  "store_id = $1 ORDER BY id DESC LIMIT 50) e, store s WHERE s.id = $1 "
			  "ORDER BY e.id",
		&a, &r, err);
	db_args_release(&a);
	for (int i = 0; !rc && i < db_rows(r) && i < PIXEL_TEST_CANDIDATES; i++) {
		out->ids[out->n++] = db_i64(r, i, 0);
		out->consent_required = db_bool(r, i, 1);
	}
	return rc;
}
