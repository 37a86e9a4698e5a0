/* Rules: temporal rows. A change closes the row in force at the change's revision and opens the
 * next version there, so that every route can be explained by the rules it saw. */
#include "db/conn.h"
#include "db/rule_route.h"
#include "db/table.h"
#include "src/arena.h"
#include "src/buf.h"
#include "src/rule.h"
#include "src/rule_action_apply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	NAME,
	PRIORITY,
	STORE,
	PIXEL,
	PLATFORM,
	EXPR,
	LOGIC,
	ACTION,
	WITH,
	ENABLED,
	SHADOW,
	NOTE,
	AUTHOR,
	CREATED
};

static const struct ta_field fields[] = {
	[NAME] = {.name = "name",
		.title = "Name",
		.max = 60,
		.check = field_check_name,
		.help = "what operators call it; rule-ID by default"},
	[PRIORITY] = {.name = "priority",
		.title = "Priority",
		.type = FIELD_INT,
		.flags = FIELD_REQUIRED,
		.min = 0,
		.max = 1000000,
		.def = "100",
		.help = "lower ones are asked first; the first that matches decides"},
	[STORE] = {.name = "store",
		.title = "Store",
		.type = FIELD_REF,
		.ref = "store",
		.help = "only events of this store; all stores when empty"},
	[PIXEL] = {.name = "pixel",
		.title = "Pixel",
		.type = FIELD_REF,
		.ref = "pixel",
		.help = "only for this pixel (STORE/PIXEL or id)"},
	[PLATFORM] = {.name = "platform",
		.title = "Platform",
		.type = FIELD_CHOICE,
		.choices = "pinterest|meta|tiktok|sheets",
		.help = "only for pixels of this platform"},
	[EXPR] = {.name = "expr",
		.title = "Condition",
		.max = RULE_MAX_SIZE,
		.help = "an expression, such as value >= 50 EUR"},
	[LOGIC] = {.name = "logic",
		.title = "JsonLogic",
		.flags = FIELD_WIDE | FIELD_TWIN,
		.max = RULE_MAX_SIZE,
		.help = "the same condition as JsonLogic; give one of the two"},
	[ACTION] = {.name = "action",
		.title = "Action",
		.type = FIELD_CHOICE,
		.flags = FIELD_REQUIRED,
		.choices = "send|drop|hold|rename|set|remove|sample|route",
		.help = "what to do with a matching event"},
	[WITH] = {.name = "with",
		.title = "With",
		.max = RULE_WITH_MAX,
		.help = "the action's argument: rename's event, set's assignments, 10%, 2h, …"},
	[ENABLED] = {.name = "enabled",
		.title = "Enabled",
		.type = FIELD_BOOL,
		.flags = FIELD_REQUIRED,
		.def = "true",
		.help = "a disabled rule is never asked"},
	[SHADOW] = {.name = "shadow",
		.title = "Shadow",
		.type = FIELD_BOOL,
		.flags = FIELD_REQUIRED,
		.def = "false",
		.help = "a shadow rule decides nothing and counts what it would have done"},
	[NOTE] = {.name = "note",
		.title = "Note",
		.flags = FIELD_WIDE,
		.max = 2000,
		.help = "why it is there, or why it was changed; stays until another is given"},
	[AUTHOR] = {.name = "author",
		.title = "Author",
		.flags = FIELD_READONLY | FIELD_WIDE,
		.help = "who made this version"},
	[CREATED] = {.name = "created",
		.title = "Created",
		.type = FIELD_TIME,
		.flags = FIELD_READONLY | FIELD_WIDE,
		.help = "when this version was made"},
};

/* The condition in both of its forms, from the one that was given. */
static enum ta_rc compile(struct table_change *c, struct ta_err *err)
{
	struct arena *a = c->edit->mem;
	const char *expr = c->edit->v[EXPR], *logic = c->edit->v[LOGIC];
	struct rule_prog *prog = NULL;
	size_t at = 0;
	struct buf b = BUF_INIT(2 * RULE_MAX_SIZE);
	if (expr && logic)
		return ta_fail_field(
			err, "logic", "logic: give the expression or JsonLogic, not both");
	if (!expr && !logic && c->before)
		return TA_OK;
	if (!expr && !logic)
		return ta_fail_field(err, "expr", "expr: give --expr or --logic");
	enum ta_rc rc = expr ? rule_compile(a, expr, &prog, &at, err)
			     : rule_compile_logic(a, logic, strlen(logic), &prog, err);
	if (!rc)
		rc = rule_check_fields(prog, &at, err);
	if (rc) {
		char why[200];
		snprintf(why, sizeof(why), "%.199s", err->msg);
		if (expr)
			return ta_fail_field(
				err, "expr", "expr: %s (at character %zu)", why, at + 1);
		return ta_fail_field(err, "logic", "logic: %s", why);
	}
	rule_print(prog, &b);
	c->v[EXPR] = arena_strdup(a, buf_str(&b));
	buf_clear(&b);
	rule_print_logic(prog, &b);
	c->v[LOGIC] = arena_strdup(a, buf_str(&b));
	bool over = b.over;
	buf_release(&b);
	return over ? ta_fail_field(err, "expr", "expr: the condition is too long") : TA_OK;
}

/* Names are unique among the rules in force. */
static enum ta_rc check_name(struct table_change *c, struct ta_err *err)
{
	const char *name = table_value(c, "name");
	PGresult *r = NULL;
	struct db_args a = DB_ARGS_INIT;
	if (!name)
		return TA_OK;
	db_arg_text(&a, name);
	db_arg_i64(&a, c->before ? c->before->id : 0);
	enum ta_rc rc = db_query(c->db,
		"SELECT FROM rule WHERE to_rev IS NULL AND name = $1 AND id <> $2 LIMIT 1", &a, &r,
		err);
	if (!rc && db_rows(r)) {
		ta_fail_field(
			err, "name", "name: another rule is named \"%.60s\"; choose another", name);
		rc = err->rc = TA_CONFLICT;
	}
	PQclear(r);
	db_args_release(&a);
	return rc;
}

/* "P" with a store means STORE/P when there is such a pixel. */
static enum ta_rc find_pixel(struct table_change *c, const char *store, const char *pixel,
	struct table_row *out, struct ta_err *err)
{
	const struct table *t = table_get("pixel");
	if (store && !strchr(pixel, '/') &&
		table_find(c->db, t, arena_fmt(c->edit->mem, "%s/%s", store, pixel), c->edit->mem,
			out, err) == TA_OK)
		return TA_OK;
	return table_find(c->db, t, pixel, c->edit->mem, out, err);
}

/* The platform that the scope leaves, -1: any. */
static enum ta_rc scope_platform(struct table_change *c, int *platform, struct ta_err *err)
{
	const char *word = table_value(c, "platform"), *pixel = table_value(c, "pixel");
	struct table_row p;
	enum ta_rc rc = TA_OK;
	if (pixel) {
		const struct table *t = table_get("pixel");
		rc = find_pixel(c, table_value(c, "store"), pixel, &p, err);
		word = rc ? NULL : p.v[field_index(t->fields, t->nfields, "platform")];
	}
	*platform = word ? platform_of(word) : -1;
	return rc;
}

/* The argument in its canonical form. One that belonged to another action goes with that action. */
static enum ta_rc check_action(struct table_change *c, struct ta_err *err)
{
	struct rule_act act;
	const char *was = c->before ? c->before->v[ACTION] : NULL;
	if (was && strcmp(was, c->v[ACTION]) != 0 && !c->edit->v[WITH])
		c->v[WITH] = NULL;
	enum ta_rc rc = rule_action_parse(c->edit->mem, c->v[ACTION], c->v[WITH], &act, NULL, err);
	c->v[WITH] = rc || !*act.with ? NULL : act.with;
	if (rc || !rule_action_changes(act.kind))
		return rc;
	int platform = -1;
	rc = scope_platform(c, &platform, err);
	return rc ? rc : rule_action_check(&act, platform, err);
}

static enum ta_rc check(struct table_change *c, struct ta_err *err)
{
	enum ta_rc rc = compile(c, err);
	if (!rc)
		rc = check_action(c, err);
	return rc ? rc : check_name(c, err);
}

/* Ids of the scope, 0 where it is open; c->v gets the names as they are. */
static enum ta_rc scope(
	struct table_change *c, int64_t *store_id, int64_t *pixel_id, struct ta_err *err)
{
	const char *store = table_value(c, "store"), *pixel = table_value(c, "pixel");
	struct table_row s, p;
	enum ta_rc rc = TA_OK;
	*store_id = 0;
	*pixel_id = 0;
	if (store) {
		rc = table_find(c->db, table_get("store"), store, c->edit->mem, &s, err);
		if (rc)
			return rc;
		*store_id = s.id;
		c->v[STORE] = store = s.v[0];
	}
	if (pixel) {
		rc = find_pixel(c, store, pixel, &p, err);
		if (rc)
			return rc;
		if (store && strcmp(p.v[0], store) != 0)
			return ta_fail_field(err, "pixel",
				"pixel: %.60s belongs to the store %.60s", pixel, p.v[0]);
		*pixel_id = p.id;
		c->v[PIXEL] = arena_fmt(c->edit->mem, "%s/%s", p.v[0], p.v[1]);
	}
	return TA_OK;
}

/* Where it routes must be there, and not lead back. */
static enum ta_rc check_route(
	struct table_change *c, int64_t store_id, int64_t pixel_id, struct ta_err *err)
{
	const char *enabled = table_value(c, "enabled"), *shadow = table_value(c, "shadow");
	const struct rule_route r = {.id = c->edit->id,
		.store_id = store_id,
		.pixel_id = pixel_id,
		.platform = table_value(c, "platform"),
		.with = c->v[WITH],
		.live = enabled && strcmp(enabled, "true") == 0 &&
			!(shadow && strcmp(shadow, "true") == 0)};
	if (rule_action_of(c->v[ACTION]) != ACTION_ROUTE)
		return TA_OK;
	return rule_route_check(c->db, &r, c->edit->mem, err);
}

/* rule-ID, with a number behind it when another rule in force has that name (an imported one may).
 */
#define FREE_NAME                                                                                  \
	"(SELECT f.name FROM generate_series(1, 10000) i, LATERAL (SELECT 'rule-' || n.id || "     \
	"CASE i WHEN 1 THEN '' ELSE '-' || i END) f (name) WHERE NOT EXISTS (SELECT FROM rule o "  \
	"WHERE o.to_rev IS NULL AND o.name = f.name AND o.id <> n.id) ORDER BY i LIMIT 1)"

/* The next version of rule `id`; id 0 takes a new number. */
static enum ta_rc write_version(struct table_change *c, int64_t id, int version, struct ta_err *err)
{
	int64_t store_id, pixel_id;
	PGresult *r = NULL;
	struct db_args a = DB_ARGS_INIT;
	enum ta_rc rc = scope(c, &store_id, &pixel_id, err);
	if (!rc)
		rc = check_route(c, store_id, pixel_id, err);
	if (rc)
		return rc;
	db_arg_i64(&a, id);
	db_arg_i32(&a, version);
	db_arg_i64(&a, c->rev);
	db_arg_text(&a, table_value(c, "name"));
	db_arg_i64(&a, strtoll(table_value(c, "priority"), NULL, 10));
	db_arg_i64(&a, store_id);
	db_arg_i64(&a, pixel_id);
	db_arg_text(&a, table_value(c, "platform"));
	db_arg_text(&a, c->v[EXPR] ? c->v[EXPR] : "");
	db_arg_text(&a, c->v[LOGIC] ? c->v[LOGIC] : "true");
	db_arg_text(&a, table_value(c, "action"));
	db_arg_text(&a, table_value(c, "enabled"));
	db_arg_text(&a, c->edit->actor);
	db_arg_text(&a, c->v[NOTE] ? c->v[NOTE] : "");
	db_arg_i64(&a, c->now_us);
	db_arg_text(&a, c->v[WITH] ? c->v[WITH] : "");
	db_arg_text(&a, table_value(c, "shadow"));
	rc = db_query(c->db,
		"WITH n AS (SELECT CASE WHEN $1 = 0 THEN nextval('rule_id_seq') ELSE $1 END AS id) "
		"INSERT INTO rule (id, version, from_rev, name, priority, store_id, pixel_id, platform, "
		"expr, logic, action, enabled, author, note, created_us, with_text, shadow) SELECT "
		"id, $2, $3, coalesce($4, " FREE_NAME
		"), $5, nullif($6, 0), nullif($7, 0), $8, $9, "
		"$10, $11, $12::boolean, $13, $14, $15, $16, $17::boolean FROM n RETURNING id, name",
		&a, &r, err);
	if (!rc) {
		c->edit->id = db_i64(r, 0, 0);
		c->label = arena_strdup(c->edit->mem, db_text(r, 0, 1));
		c->v[NAME] = c->label;
	}
	PQclear(r);
	db_args_release(&a);
	return rc;
}

static enum ta_rc close_version(struct table_change *c, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	db_arg_i64(&a, c->edit->id);
	db_arg_i64(&a, c->rev);
	return db_run(
		c->db, "UPDATE rule SET to_rev = $2 WHERE id = $1 AND to_rev IS NULL", &a, err);
}

/* With an id a deleted rule comes back. */
static enum ta_rc insert(struct table_change *c, struct ta_err *err)
{
	PGresult *r = NULL;
	struct db_args a = DB_ARGS_INIT;
	if (!c->edit->id)
		return write_version(c, 0, 1, err);
	db_arg_i64(&a, c->edit->id);
	enum ta_rc rc = db_query(c->db,
		"SELECT max(version), bool_or(to_rev IS NULL) FROM rule WHERE id = $1", &a, &r,
		err);
	if (!rc && db_bool(r, 0, 1))
		rc = ta_fail(err, TA_CONFLICT, "rule %lld is in force; change it instead",
			(long long)c->edit->id);
	if (!rc)
		rc = write_version(c, c->edit->id, (int)db_i64(r, 0, 0) + 1, err);
	PQclear(r);
	db_args_release(&a);
	return rc;
}

static enum ta_rc update(struct table_change *c, struct ta_err *err)
{
	enum ta_rc rc = close_version(c, err);
	return rc ? rc : write_version(c, c->edit->id, c->before->version + 1, err);
}

const struct table table_rule = {
	.word = "rule",
	.title = "Rules",
	.fields = fields,
	.nfields = TA_COUNT(fields),
	.document = "rules",
	.select =
		"SELECT r.id::text, r.version::text, r.name, r.priority::text, s.name, "
		"ps.name || '/' || p.name, r.platform, r.expr, r.logic, r.action, "
		"nullif(r.with_text, ''), r.enabled::text, r.shadow::text, r.note, r.author, r.created_us::text FROM rule r "
		"LEFT JOIN store s ON s.id = r.store_id LEFT JOIN pixel p ON p.id = r.pixel_id "
		"LEFT JOIN store ps ON ps.id = p.store_id WHERE r.to_rev IS NULL "
		"AND ($1 = 0 OR r.id = $1) AND ($2 IS NULL OR s.name = $2 OR s.name IS NULL) "
		"ORDER BY r.priority, r.id LIMIT 10000",
	.find = "SELECT id FROM rule WHERE to_rev IS NULL AND (id::text = $1 OR name = $1) LIMIT 2",
	.check = check,
	.insert = insert,
	.update = update,
	.remove = close_version,
	.remove_word = "delete",
};
