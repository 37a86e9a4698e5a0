#include "db/rule_history.h"

#include "db/conn.h"
#include "src/arena.h"
#include "src/buf.h"

#include <stdlib.h>
#include <string.h>

static const char *text(const PGresult *r, int row, int col, struct arena *a)
{
	const char *s = db_text(r, row, col);
	return *s ? arena_strdup(a, s) : NULL;
}

static struct rule_version version_of(const PGresult *r, int i, struct arena *a)
{
	size_t n = table_rule.nfields;
	struct rule_version v = {
		.row = {.id = db_i64(r, i, 0),
			.version = (int)db_i64(r, i, 1),
			.v = arena_alloc(a, n * sizeof(const char *))},
		.from_rev = db_i64(r, i, 2),
		.to_rev = db_null(r, i, 3) ? 0 : db_i64(r, i, 3),
		.deleted = db_bool(r, i, 4),
	};
	for (size_t f = 0; f < n; f++)
		v.row.v[f] = text(r, i, (int)f + 5, a);
	return v;
}

enum ta_rc rule_versions(
	struct db *db, int64_t id, struct arena *a, struct rule_versions *out, struct ta_err *err)
{
	PGresult *r = NULL;
	struct db_args args = DB_ARGS_INIT;
	db_arg_i64(&args, id);
	enum ta_rc rc = db_query(db,
		"SELECT r.id::bigint, r.version, r.from_rev, r.to_rev, r.to_rev IS NOT NULL AND "
		"NOT EXISTS (SELECT FROM rule x WHERE x.id = r.id AND x.version > r.version), "
		"r.name, r.priority::text, s.name, ps.name || '/' || p.name, r.platform, r.expr, "
		"r.logic, r.action, r.with_text, r.enabled::text, r.shadow::text, r.note, r.author, "
		"r.created_us::text FROM rule r "
		"LEFT JOIN store s ON s.id = r.store_id LEFT JOIN pixel p ON p.id = r.pixel_id "
		"LEFT JOIN store ps ON ps.id = p.store_id WHERE $1 = 0 OR r.id = $1 "
		"ORDER BY r.id, r.version DESC LIMIT 10000",
		&args, &r, err);
	db_args_release(&args);
	if (rc)
		return rc;
	TA_ASSERT(PQnfields(r) == (int)table_rule.nfields + 5);
	out->n = (size_t)db_rows(r);
	out->v = arena_alloc(a, (out->n + 1) * sizeof(*out->v));
	for (size_t i = 0; i < out->n; i++)
		out->v[i] = version_of(r, (int)i, a);
	PQclear(r);
	return TA_OK;
}

enum ta_rc rule_history_id(struct db *db, const char *ref, int64_t *id, struct ta_err *err)
{
	PGresult *r = NULL;
	struct db_args args = DB_ARGS_INIT;
	db_arg_text(&args, ref);
	/* A rule in force has the name before those that had it once. */
	enum ta_rc rc = db_query(db,
		"SELECT id::bigint, bool_or(to_rev IS NULL) AS now FROM rule WHERE id::text = $1 OR "
		"name = $1 GROUP BY id ORDER BY now DESC, id LIMIT 2",
		&args, &r, err);
	db_args_release(&args);
	if (!rc && db_rows(r) == 0)
		rc = ta_fail(err, TA_NOTFOUND,
			"there is no rule \"%.80s\"; trackai rule history shows them all", ref);
	else if (!rc && db_rows(r) > 1 && db_bool(r, 0, 1) == db_bool(r, 1, 1))
		rc = ta_fail(err, TA_INVALID, "more than one rule was named \"%.80s\"; give its id",
			ref);
	if (!rc)
		*id = db_i64(r, 0, 0);
	PQclear(r);
	return rc;
}

static const struct rule_version *version_find(const struct rule_versions *all, int version)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->v[i].row.version == version)
			return &all->v[i];
	return NULL;
}

enum ta_rc rule_rollback(struct db *db, const struct rule_back *back, struct ta_err *err)
{
	struct rule_versions all = {0};
	const struct table *t = &table_rule;
	struct table_edit e = {.mem = back->mem, .actor = back->actor, .id = back->id};
	enum ta_rc rc = rule_versions(db, back->id, back->mem, &all, err);
	const struct rule_version *old = rc ? NULL : version_find(&all, back->to);
	if (rc)
		return rc;
	if (!old)
		return ta_fail(err, TA_NOTFOUND,
			"rule %lld has no version %d; trackai rule history %lld shows them",
			(long long)back->id, back->to, (long long)back->id);
	e.v = arena_alloc(back->mem, t->nfields * sizeof(*e.v));
	for (size_t f = 0; f < t->nfields; f++)
		if (!(t->fields[f].flags & FIELD_READONLY))
			e.v[f] = old->row.v[f] ? old->row.v[f] : "";
	e.v[field_index(t->fields, t->nfields, "expr")] = NULL; /* JsonLogic says it exactly */
	e.v[field_index(t->fields, t->nfields, "note")] =
		back->note ? back->note : arena_fmt(back->mem, "back to version %d", back->to);
	e.note = e.v[field_index(t->fields, t->nfields, "note")];
	if (all.v[0].deleted)
		return table_add(db, t, &e, err);
	e.version = back->seen ? back->seen : all.v[0].row.version;
	return table_set(db, t, &e, err);
}

/* Text -------------------------------------------------------------------------------------- */

bool rule_field_differs(size_t field, const struct table_row *before, const struct table_row *now)
{
	const struct ta_field *f = &table_rule.fields[field];
	const char *old = before ? before->v[field] : NULL, *new = now->v[field];
	/* JsonLogic is the expression's other form. */
	if ((f->flags & FIELD_READONLY) || strcmp(f->name, "note") == 0 ||
		strcmp(f->name, "logic") == 0)
		return false;
	return !old != !new || (old && strcmp(old, new) != 0);
}

void rule_diff(struct buf *b, const struct table_row *before, const struct table_row *now,
	const char *indent)
{
	for (size_t f = 0; f < table_rule.nfields; f++) {
		const char *name = table_rule.fields[f].name;
		if (!rule_field_differs(f, before, now))
			continue;
		if (before && before->v[f])
			buf_addf(b, "%s- %s: %s\n", indent, name, before->v[f]);
		if (now->v[f])
			buf_addf(b, "%s+ %s: %s\n", indent, name, now->v[f]);
	}
}
