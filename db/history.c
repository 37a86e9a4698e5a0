#include "db/history.h"

#include "db/conn.h"
#include "db/rule_history.h"
#include "src/arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool same(const char *x, const char *y)
{
	return strcmp(x ? x : "", y ? y : "") == 0;
}

bool history_differs(const struct table *t, size_t field, const struct table_row *before,
	const struct table_row *now)
{
	const struct ta_field *f = &t->fields[field];
	/* A twin says the same in another spelling; the note is the reason, not the change. */
	if ((f->flags & (FIELD_READONLY | FIELD_TWIN | FIELD_SECRET)) ||
		strcmp(f->name, "note") == 0)
		return false;
	return !same(before ? before->v[field] : NULL, now->v[field]);
}

/* From the audit log ------------------------------------------------------------------------------
 */

struct walk {
	const struct table *t;
	struct arena *a;
	struct table_row row; /* as it was behind the entry that comes next */
};

static const char *side(const json_t *o, const char *field, struct arena *a)
{
	const char *s = json_string_value(json_object_get(o, field));
	return s ? arena_strdup(a, s) : NULL;
}

static struct table_row copy(const struct walk *w)
{
	struct table_row row = w->row;
	row.v = arena_alloc(w->a, w->t->nfields * sizeof(*row.v));
	memcpy(row.v, w->row.v, w->t->nfields * sizeof(*row.v));
	return row;
}

/* One entry of the log: what it made of the row; then back to what was there before it. */
static struct row_version step(struct walk *w, const PGresult *r, int i)
{
	struct row_version v = {.row = copy(w),
		.at_us = db_i64(r, i, 0),
		.actor = arena_strdup(w->a, db_text(r, i, 1)),
		.note = arena_strdup(w->a, db_text(r, i, 4)),
		.now = i == 0};
	json_t *before = json_loads(db_text(r, i, 2), 0, NULL);
	json_t *after = json_loads(db_text(r, i, 3), 0, NULL);
	for (size_t f = 0; f < w->t->nfields; f++) {
		const struct ta_field *d = &w->t->fields[f];
		bool was = json_object_get(before, d->name), is = json_object_get(after, d->name);
		if (!was && !is)
			continue;
		if (is && (d->flags & FIELD_SECRET))
			v.secrets |= UINT64_C(1) << f;
		w->row.v[f] = was ? side(before, d->name, w->a) : NULL;
	}
	w->row.version--;
	json_decref(before);
	json_decref(after);
	return v;
}

static enum ta_rc from_audit(
	struct db *db, struct walk *w, struct row_versions *out, struct ta_err *err)
{
	PGresult *r = NULL;
	struct db_args q = DB_ARGS_INIT;
	const char *word = w->t->word;
	db_arg_text(&q, arena_fmt(w->a, "%s %lld (", word, (long long)w->row.id));
	db_arg_text(&q, arena_fmt(w->a, "%s.add", word));
	db_arg_text(&q, arena_fmt(w->a, "%s.set", word));
	enum ta_rc rc = db_query(db,
		"SELECT at_us, actor, before, after, note, action = $2 FROM audit WHERE "
		"starts_with(object, $1) AND action IN ($2, $3) ORDER BY id DESC LIMIT 500",
		&q, &r, err);
	db_args_release(&q);
	if (rc)
		return rc;
	int n = db_rows(r);
	out->v = arena_alloc(w->a, ((size_t)n + 1) * sizeof(*out->v));
	for (int i = 0; i < n; i++)
		out->v[out->n++] = step(w, r, i);
	out->first = n > 0 && db_bool(r, n - 1, 5);
	/* What was there before the oldest change that is written down. */
	if (!out->first)
		out->v[out->n++] = (struct row_version){
			.row = copy(w), .actor = "", .note = "", .now = n == 0};
	PQclear(r);
	return TA_OK;
}

/* From the versions that rules keep ---------------------------------------------------------------
 */

static enum ta_rc from_rules(
	struct db *db, int64_t id, struct arena *a, struct row_versions *out, struct ta_err *err)
{
	struct rule_versions all = {0};
	const struct table *t = &table_rule;
	int author = field_index(t->fields, t->nfields, "author");
	int created = field_index(t->fields, t->nfields, "created");
	int note = field_index(t->fields, t->nfields, "note");
	enum ta_rc rc = rule_versions(db, id, a, &all, err);
	if (rc)
		return rc;
	out->n = TA_MIN(all.n, (size_t)HISTORY_MAX);
	out->first = all.n == out->n;
	out->v = arena_alloc(a, (out->n + 1) * sizeof(*out->v));
	for (size_t i = 0; i < out->n; i++) {
		const struct table_row *row = &all.v[i].row;
		const char *at = row->v[created], *who = row->v[author], *why = row->v[note];
		/* A note stays until another is given: it is the reason of the first that has it.
		 */
		bool new_note = i + 1 == all.n || !same(why, all.v[i + 1].row.v[note]);
		out->v[i] = (struct row_version){.row = *row,
			.at_us = at ? strtoll(at, NULL, 10) : 0,
			.actor = who ? who : "",
			.note = why && new_note ? why : "",
			.now = !all.v[i].to_rev};
	}
	return TA_OK;
}

enum ta_rc history_read(struct db *db, const struct table *t, int64_t id, struct arena *a,
	struct row_versions *out, struct ta_err *err)
{
	char ref[24];
	*out = (struct row_versions){0};
	if (t == &table_rule)
		return from_rules(db, id, a, out, err);
	struct walk w = {.t = t, .a = a};
	snprintf(ref, sizeof(ref), "%lld", (long long)id);
	enum ta_rc rc = table_find(db, t, ref, a, &w.row, err);
	return rc ? rc : from_audit(db, &w, out, err);
}

/* Back --------------------------------------------------------------------------------------------
 */

static const struct row_version *find(const struct row_versions *all, int version)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->v[i].row.version == version)
			return &all->v[i];
	return NULL;
}

enum ta_rc history_rollback(
	struct db *db, const struct table *t, const struct history_back *back, struct ta_err *err)
{
	struct row_versions all;
	struct table_edit e = {.mem = back->mem, .actor = back->actor, .id = back->id};
	bool any = false;
	if (t == &table_rule) {
		const struct rule_back rule = {.mem = back->mem,
			.actor = back->actor,
			.note = back->note,
			.id = back->id,
			.to = back->to,
			.seen = back->seen};
		return rule_rollback(db, &rule, err);
	}
	enum ta_rc rc = history_read(db, t, back->id, back->mem, &all, err);
	const struct row_version *old = rc ? NULL : find(&all, back->to);
	if (rc)
		return rc;
	if (!old)
		return ta_fail(err, TA_NOTFOUND,
			"%s %lld has no version %d; its history shows those there are", t->word,
			(long long)back->id, back->to);
	e.v = arena_alloc(back->mem, t->nfields * sizeof(*e.v));
	for (size_t f = 0; f < t->nfields; f++) {
		e.v[f] = NULL;
		if ((t->fields[f].flags & FIELD_FIXED) ||
			!history_differs(t, f, &all.v[0].row, &old->row))
			continue;
		e.v[f] = old->row.v[f] ? old->row.v[f] : "";
		any = true;
	}
	if (!any)
		return ta_fail(err, TA_INVALID,
			"version %d says what is said now, but for secrets: there is nothing to take back",
			back->to);
	e.version = back->seen ? back->seen : all.v[0].row.version;
	e.note = back->note ? back->note : arena_fmt(back->mem, "back to version %d", back->to);
	return table_set(db, t, &e, err);
}
