#include "db/rules.h"

#include "db/conn.h"
#include "src/log.h"
#include "src/rule.h"

#include <stdlib.h>
#include <string.h>

static const char *text(struct arena *a, const PGresult *r, int row, int col)
{
	return db_null(r, row, col) ? NULL : arena_strdup(a, db_text(r, row, col));
}

static struct route_rule rule_of(struct arena *a, const PGresult *r, int i)
{
	struct route_rule rule = {.id = (int32_t)db_i64(r, i, 0),
		.version = (int32_t)db_i64(r, i, 1),
		.priority = (int)db_i64(r, i, 2),
		.store_id = db_null(r, i, 3) ? 0 : (int32_t)db_i64(r, i, 3),
		.pixel_id = db_null(r, i, 4) ? 0 : (int32_t)db_i64(r, i, 4),
		.platform = db_null(r, i, 5) ? -1 : platform_of(db_text(r, i, 5)),
		.shadow = db_bool(r, i, 11),
		.name = text(a, r, i, 7),
		.expr = text(a, r, i, 8)};
	const char *logic = db_text(r, i, 9);
	struct rule_prog *prog = NULL;
	struct ta_err err = {0};
	if (rule_compile_logic(a, logic, strlen(logic), &prog, &err) ||
		rule_action_parse(a, db_text(r, i, 6), db_text(r, i, 10), &rule.act, NULL, &err))
		log_error("rule %d (%s) cannot be read and matches nothing: %s", rule.id, rule.name,
			err.msg);
	else
		rule.prog = prog;
	return rule;
}

enum ta_rc rules_at(struct db *db, int64_t rev, struct arena *a, struct route_rule **out, size_t *n,
	struct ta_err *err)
{
	struct db_args args = DB_ARGS_INIT;
	PGresult *r = NULL;
	db_arg_i64(&args, rev);
	enum ta_rc rc = db_query(db,
		"SELECT id, version, priority, store_id, pixel_id, platform, action, name, expr, "
		"logic, with_text, shadow FROM rule WHERE from_rev <= $1 AND (to_rev IS NULL OR to_rev > $1) AND "
		"enabled ORDER BY priority, id",
		&args, &r, err);
	if (!rc) {
		*n = (size_t)db_rows(r);
		*out = arena_alloc(a, *n * sizeof(**out));
		for (size_t i = 0; i < *n; i++)
			(*out)[i] = rule_of(a, r, (int)i);
		if (*n)
			qsort(*out, *n, sizeof(**out), route_rule_order);
	}
	PQclear(r);
	db_args_release(&args);
	return rc;
}

#define STORE_COLUMNS                                                                              \
	"s.id, s.uid, s.name, s.platform, s.domain, s.currency, s.timezone, s.consent, "           \
	"s.purchase_on, s.basis, s.send_pos, s.send_draft, s.webhook_secret IS NOT NULL"
#define STORE_NCOLUMNS 13
/* Behind these: its event names, those of now or of then. */
#define PIXEL_COLUMNS                                                                              \
	"p.id, p.store_id, p.platform, p.since_id, p.name, p.account, p.test_code, p.content_id, "
#define PIXEL_NCOLUMNS 9

static struct route_store store_of(struct arena *a, const PGresult *r, int i)
{
	struct route_store s = {.id = (int32_t)db_i64(r, i, 0),
		.names = {.name = text(a, r, i, 2),
			.platform = text(a, r, i, 3),
			.domain = text(a, r, i, 4),
			.currency = text(a, r, i, 5),
			.timezone = text(a, r, i, 6),
			.consent = text(a, r, i, 7),
			.purchase_on = text(a, r, i, 8),
			.basis = text(a, r, i, 9),
			.send_pos = db_bool(r, i, 10),
			.send_draft = db_bool(r, i, 11)},
		.basis = text(a, r, i, 9),
		.consent_required = strcmp(db_text(r, i, 7), "required") == 0,
		.purchase_on_paid = strcmp(db_text(r, i, 8), "paid") == 0,
		.send_pos = db_bool(r, i, 10),
		.send_draft = db_bool(r, i, 11),
		.has_webhook = db_bool(r, i, 12)};
	struct db_bytes uid = db_bytes(r, i, 1);
	if (uid.n == sizeof(s.uid))
		memcpy(s.uid, uid.p, sizeof(s.uid));
	return s;
}

static struct route_pixel pixel_of(struct arena *a, const PGresult *r, int i, int col)
{
	struct route_pixel p = {.id = (int32_t)db_i64(r, i, col),
		.store_id = (int32_t)db_i64(r, i, col + 1),
		.platform = (enum platform_id)platform_of(db_text(r, i, col + 2)),
		.since_id = db_i64(r, i, col + 3),
		.names = {.name = text(a, r, i, col + 4),
			.platform = text(a, r, i, col + 2),
			.account = text(a, r, i, col + 5),
			.test_code = text(a, r, i, col + 6),
			.content_id = text(a, r, i, col + 7)}};
	struct ta_err err = {0};
	const char *names = db_text(r, i, col + 8);
	if (event_map_parse(a, names, (int)p.platform, &p.event_names, &err))
		log_error("pixel %d (%s): its event names cannot be read and count as none: %s",
			p.id, p.names.name, err.msg);
	return p;
}

enum ta_rc catalog_rev(struct db *db, int64_t *rev, struct ta_err *err)
{
	PGresult *r = NULL;
	enum ta_rc rc = db_query(db, "SELECT max(rev) FROM revision", NULL, &r, err);
	if (!rc)
		*rev = db_null(r, 0, 0) ? 0 : db_i64(r, 0, 0);
	PQclear(r);
	return rc;
}

static enum ta_rc load_stores(struct db *db, struct catalog *c, struct ta_err *err)
{
	PGresult *r = NULL;
	enum ta_rc rc =
		db_query(db, "SELECT " STORE_COLUMNS " FROM store s ORDER BY s.id", NULL, &r, err);
	if (!rc) {
		c->nstores = (size_t)db_rows(r);
		c->stores = arena_alloc(&c->mem, c->nstores * sizeof(*c->stores));
		for (size_t i = 0; i < c->nstores; i++)
			c->stores[i] = store_of(&c->mem, r, (int)i);
	}
	PQclear(r);
	return rc;
}

static enum ta_rc load_pixels(struct db *db, struct catalog *c, struct ta_err *err)
{
	PGresult *r = NULL;
	enum ta_rc rc = db_query(db,
		"SELECT " PIXEL_COLUMNS
		"p.event_names FROM pixel p WHERE p.deleted_us IS NULL ORDER BY p.store_id, p.id",
		NULL, &r, err);
	if (!rc) {
		c->npixels = (size_t)db_rows(r);
		c->pixels = arena_alloc(&c->mem, c->npixels * sizeof(*c->pixels));
		for (size_t i = 0; i < c->npixels; i++) {
			c->pixels[i] = pixel_of(&c->mem, r, (int)i, 0);
			route_pixel_scope(&c->pixels[i], c->rules, c->nrules, &c->mem);
		}
		route_pixels_link(c->pixels, c->npixels);
	}
	PQclear(r);
	return rc;
}

enum ta_rc catalog_load(struct db *db, struct catalog *c, struct ta_err *err)
{
	catalog_release(c);
	enum ta_rc rc = db_exec(db, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", err);
	if (!rc)
		rc = catalog_rev(db, &c->rev, err);
	if (!rc)
		rc = rules_at(db, c->rev, &c->mem, &c->rules, &c->nrules, err);
	if (!rc)
		rc = load_stores(db, c, err);
	if (!rc)
		rc = load_pixels(db, c, err);
	if (!rc)
		rc = db_commit(db, err);
	if (rc)
		db_rollback(db);
	return rc;
}

void catalog_release(struct catalog *c)
{
	arena_release(&c->mem);
	*c = (struct catalog){.rev = -1};
}

const struct route_store *catalog_store(const struct catalog *c, int32_t id)
{
	size_t lo = 0, hi = c->nstores;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (c->stores[mid].id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < c->nstores && c->stores[lo].id == id ? &c->stores[lo] : NULL;
}

const struct route_pixel *catalog_pixels(const struct catalog *c, int32_t store_id, size_t *n)
{
	size_t lo = 0, hi = c->npixels;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (c->pixels[mid].store_id < store_id)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (*n = 0; lo + *n < c->npixels && c->pixels[lo + *n].store_id == store_id;)
		++*n;
	return c->pixels + lo;
}

/* The store's pixels as the rules of that time saw them; the one asked for although deleted. */
static void place_of(const PGresult *r, const struct route_rule *rules, size_t n, struct arena *a,
	struct catalog_place *out)
{
	size_t npixels = (size_t)db_rows(r);
	struct route_pixel *pixels = arena_alloc(a, npixels * sizeof(*pixels));
	for (size_t i = 0; i < npixels; i++) {
		pixels[i] = pixel_of(a, r, (int)i, STORE_NCOLUMNS);
		route_pixel_scope(&pixels[i], rules, n, a);
	}
	route_pixels_link(pixels, npixels);
	out->store = store_of(a, r, 0);
	for (size_t i = 0; i < npixels; i++)
		if (db_bool(r, (int)i, STORE_NCOLUMNS + PIXEL_NCOLUMNS))
			out->pixel = pixels[i];
}

enum ta_rc catalog_pixel_at(struct db *db, int32_t pixel_id, int64_t rev, struct arena *a,
	struct catalog_place *out, struct ta_err *err)
{
	struct db_args args = DB_ARGS_INIT;
	struct route_rule *rules = NULL;
	size_t n = 0;
	PGresult *r = NULL;
	db_arg_i32(&args, pixel_id);
	db_arg_i64(&args, rev);
	enum ta_rc rc = db_query(db,
		"SELECT " STORE_COLUMNS ", " PIXEL_COLUMNS
		"coalesce((SELECT v.settings->>'event_names' FROM pixel_version v WHERE v.pixel_id = "
		"p.id AND v.rev <= $2 ORDER BY v.version DESC LIMIT 1), p.event_names), p.id = $1 FROM "
		"pixel p JOIN store s ON "
		"s.id = p.store_id WHERE p.store_id = (SELECT store_id FROM pixel WHERE id = $1) "
		"AND (p.deleted_us IS NULL OR p.id = $1) ORDER BY p.id",
		&args, &r, err);
	if (!rc && db_rows(r) == 0)
		rc = ta_fail(err, TA_NOTFOUND, "there is no pixel %d", pixel_id);
	if (!rc)
		rc = rules_at(db, rev, a, &rules, &n, err);
	if (!rc)
		place_of(r, rules, n, a, out);
	PQclear(r);
	db_args_release(&args);
	return rc;
}
