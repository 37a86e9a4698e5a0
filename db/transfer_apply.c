/* Making the database say what a document says: every row through its table's own change, all in
 * one transaction, so that what is refused here is refused there and nothing is half done. */
#include "db/conn.h"
#include "db/transfer.h"
#include "src/arena.h"
#include "src/map.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A row of the database, by natural name. */
struct present {
	const struct table *table;
	const char *name;
	const struct table_row *row;
	bool wanted; /* the document has it */
	bool removed;
};

struct import {
	struct table_tx tx;
	struct arena *mem;
	struct transfer_doc *doc;
	const struct transfer_import *how;
	struct transfer_result *out;
	struct present *present;
	size_t npresent;
	struct map by_name; /* "stores/acme" to struct present */
	struct map in_doc;  /* the same to struct transfer_row */
};

const char *transfer_op_word(enum transfer_op op)
{
	static const char *const words[] = {"added", "changed", "unchanged", "removed", "kept"};
	return words[op];
}

static const char *key_of(struct arena *a, const struct table *t, const char *name)
{
	return arena_fmt(a, "%s/%s", t->document, name);
}

static void *found(
	const struct import *im, const struct map *m, const struct table *t, const char *name)
{
	const char *key = key_of(im->mem, t, name);
	return map_get(m, key, strlen(key));
}

/* What is there -----------------------------------------------------------------------------------
 */

static enum ta_rc look_table(struct import *im, const struct table *t, struct ta_err *err)
{
	struct table_rows rows = {0};
	enum ta_rc rc = table_list(im->tx.db, t, NULL, im->mem, &rows, err);
	if (rc)
		return rc;
	if (rows.n >= TRANSFER_ROWS_MAX)
		return ta_fail(err, TA_LIMIT, "there are %d %s or more; an import handles fewer",
			TRANSFER_ROWS_MAX, t->document);
	size_t n = im->npresent + rows.n;
	struct present *all = arena_alloc(im->mem, (n + 1) * sizeof(*all));
	if (im->npresent)
		memcpy(all, im->present, im->npresent * sizeof(*all));
	for (size_t i = 0; i < rows.n; i++)
		all[im->npresent + i] = (struct present){.table = t,
			.name = transfer_name(t, rows.rows[i].v, im->mem),
			.row = &rows.rows[i]};
	im->present = all;
	im->npresent = n;
	return TA_OK;
}

static enum ta_rc look(struct import *im, struct ta_err *err)
{
	const struct table *t;
	enum ta_rc rc = TA_OK;
	for (size_t i = 0; !rc && (t = transfer_table(i)); i++)
		rc = look_table(im, t, err);
	for (size_t i = 0; !rc && i < im->npresent; i++) {
		struct present *p = &im->present[i];
		const char *key = key_of(im->mem, p->table, p->name);
		if (map_get(&im->by_name, key, strlen(key)))
			return ta_fail(err, TA_INVALID,
				"two of the %s are named \"%.60s\"; an import goes by names: rename "
				"one",
				p->table->document, p->name);
		map_put(&im->by_name, key, strlen(key), p);
	}
	for (size_t i = 0; !rc && i < im->doc->n; i++) {
		struct transfer_row *row = &im->doc->rows[i];
		struct present *p = NULL;
		if (!row->name)
			continue;
		const char *key = key_of(im->mem, row->table, row->name);
		if (!map_get(&im->in_doc, key, strlen(key)))
			map_put(&im->in_doc, key, strlen(key), row);
		p = map_get(&im->by_name, key, strlen(key));
		if (p) {
			p->wanted = true;
			row->id = p->row->id;
			row->was = p->row;
		}
	}
	return rc;
}

/* Is the table to be emptied of what the document has not? */
static bool pruned(const struct import *im, const struct table *t)
{
	for (size_t i = 0; i < im->doc->ngiven; i++)
		if (im->doc->given[i] == t)
			return im->how->prune;
	return false;
}

/* Secrets that are there already are not set again: a secret that was opened and is the same leaves
 * the row's values. */
static enum ta_rc drop_known_secrets(struct import *im, struct ta_err *err)
{
	const struct table *t;
	enum ta_rc rc = TA_OK;
	for (size_t k = 0; !rc && im->how->keys && (t = transfer_table(k)); k++)
		for (size_t f = 0; !rc && t->place && f < t->nfields; f++) {
			struct map clear = MAP_INIT(im->mem);
			if (!(t->fields[f].flags & FIELD_SECRET))
				continue;
			rc = transfer_open(im->tx.db, im->how->keys, t, &t->fields[f], &clear, err);
			for (size_t i = 0; !rc && i < im->doc->n; i++) {
				struct transfer_row *row = &im->doc->rows[i];
				const char *old =
					row->table == t && row->id
						? map_get(&clear, &row->id, sizeof(row->id))
						: NULL;
				if (old && row->v[f] && strcmp(old, row->v[f]) == 0)
					row->v[f] = NULL;
			}
		}
	return rc;
}

/* Problems ----------------------------------------------------------------------------------------
 */

/* Errors that say something about the row; others are trouble outside. */
static bool about_row(const struct ta_err *err)
{
	bool data = strncmp(err->sqlstate, "22", 2) == 0 || strncmp(err->sqlstate, "23", 2) == 0;
	return err->rc == TA_INVALID || err->rc == TA_CONFLICT || err->rc == TA_NOTFOUND ||
	       err->rc == TA_DENIED || err->rc == TA_LIMIT || (err->rc == TA_DB && data);
}

static const char *json_text(struct arena *a, const char *s)
{
	return arena_fmt(a, "\"%s\"", s ? s : "");
}

static const char *json_of(struct arena *a, const struct ta_field *f, const char *v)
{
	json_t *j = f->flags & FIELD_SECRET ? json_string("***") : table_field_json(f, v);
	char *text = json_dumps(j, JSON_COMPACT | JSON_ENCODE_ANY);
	const char *copy = arena_fmt(a, "%.200s", text ? text : "");
	free(text);
	json_decref(j);
	return copy;
}

/* What a row's own change said. A field that is known to be bad already, or a row that failed for
 * want of one, needs no second sentence. */
static void row_problem(struct import *im, struct transfer_row *row, const struct ta_err *err)
{
	const struct table *t = row->table;
	int i = field_index(t->fields, t->nfields, err->field);
	bool known = false;
	for (size_t f = 0; f < t->nfields; f++)
		known |= row->bad[f] && (i < 0 || (size_t)i == f);
	row->failed = true;
	if (known)
		return;
	const char *path =
		*err->field ? arena_fmt(im->mem, "%s.%s", row->path, err->field) : row->path;
	const char *value =
		i >= 0 && row->v[i] && *row->v[i] ? json_of(im->mem, &t->fields[i], row->v[i]) : "";
	bool uid = strcmp(err->field, "uid") == 0;
	transfer_problem(im->doc, path, uid ? json_text(im->mem, row->uid) : value,
		uid ? "is that of another name here; give the one there this name first"
		    : transfer_sentence(err->msg, err->field));
}

/* Every row that this one names is in the document, or stays in the database. */
static void check_names(struct import *im, struct transfer_row *row)
{
	const struct table *t = row->table;
	for (size_t i = 0; i < t->nfields; i++) {
		const struct ta_field *f = &t->fields[i];
		const char *name = f->type == FIELD_REF ? row->v[i] : NULL;
		const struct table *to = name && *name ? table_get(f->ref) : NULL;
		if (!to)
			continue;
		const struct transfer_row *other = found(im, &im->in_doc, to, name);
		const struct present *p = found(im, &im->by_name, to, name);
		if (other ? !other->failed : p && !pruned(im, to))
			continue;
		row->bad[i] = true;
		row->v[i] = NULL;
		if (!other)
			transfer_problem(im->doc, arena_fmt(im->mem, "%s.%s", row->path, f->name),
				json_of(im->mem, f, name),
				arena_fmt(im->mem, "there is no %s of that name%s", to->word,
					p ? " once the others are removed" : ""));
	}
}

/* Changes -----------------------------------------------------------------------------------------
 */

static struct transfer_change *add_change(
	struct import *im, const struct table *t, const char *name, enum transfer_op op)
{
	struct transfer_change *c = &im->out->changes[im->out->n++];
	*c = (struct transfer_change){.table = t, .name = name, .op = op};
	return c;
}

static const char *side(const struct ta_field *f, const char *v)
{
	return !v || !*v ? NULL : f->flags & FIELD_SECRET ? "set" : v;
}

static void compare(struct import *im, struct transfer_change *c, const struct table_edit *e)
{
	const struct table *t = c->table;
	c->fields = arena_alloc(im->mem, t->nfields * sizeof(*c->fields));
	for (size_t i = 0; i < t->nfields; i++) {
		const struct ta_field *f = &t->fields[i];
		const char *old = e->was ? side(f, e->was->v[i]) : NULL, *new = side(f, e->now[i]);
		bool secret = f->flags & FIELD_SECRET;
		bool same = secret ? !e->now[i] : !old == !new && (!old || strcmp(old, new) == 0);
		if (!same && !(f->flags & (FIELD_READONLY | FIELD_TWIN)))
			c->fields[c->nfields++] = (struct transfer_field){f->name, old, new};
	}
}

static void note(struct import *im, const char *sentence)
{
	im->out->notes[im->out->nnotes++] = sentence;
}

/* A row that has the name and not the identity: allowed, and worth a look. */
static enum ta_rc check_uids(struct import *im, struct ta_err *err)
{
	const struct table *t;
	enum ta_rc rc = TA_OK;
	for (size_t k = 0; !rc && (t = transfer_table(k)); k++) {
		struct map uids = MAP_INIT(im->mem);
		if (t->keeps_uid)
			rc = transfer_uids(im->tx.db, t, &uids, err);
		for (size_t i = 0; !rc && i < im->doc->n; i++) {
			const struct transfer_row *row = &im->doc->rows[i];
			const char *uid = row->table == t && row->uid
						  ? map_get(&uids, &row->id, sizeof(row->id))
						  : NULL;
			if (uid && strcasecmp(uid, row->uid) != 0)
				note(im, arena_fmt(im->mem,
						 "the %s %.60s has another uid here and keeps it: "
						 "what comes in is not known by the same keys in "
						 "both places",
						 t->word, row->name));
		}
	}
	return rc;
}

/* Rules of one priority are asked in the order of their ids. */
static void check_order(struct import *im, const struct table *t, const struct transfer_row *before,
	const struct transfer_row *row)
{
	if (before->id > row->id)
		note(im,
			arena_fmt(im->mem,
				"the %s %.60s and %.60s have the same priority and are asked in the other order "
				"here; give them different priorities",
				t->document, before->name, row->name));
}

static void check_orders(struct import *im)
{
	const struct transfer_row *before = NULL;
	for (size_t i = 0; i < im->doc->n; i++) {
		const struct transfer_row *row = &im->doc->rows[i];
		const struct table *t = row->table;
		int p = field_index(t->fields, t->nfields, "priority");
		if (p < 0 || row->failed || !row->now)
			continue;
		if (before && before->table == t && strcmp(before->now[p], row->now[p]) == 0)
			check_order(im, t, before, row);
		before = row;
	}
}

static enum ta_rc apply_row(struct import *im, struct transfer_row *row, struct ta_err *err)
{
	struct ta_err why = {0};
	struct table_edit e = {.mem = im->mem,
		.id = row->id,
		.v = row->v,
		.uid = row->id ? NULL : row->uid,
		.known = row->was,
		.may_lack = true,
		.if_differs = true};
	bool is_new = !row->id;
	check_names(im, row);
	enum ta_rc rc = is_new ? table_tx_add(&im->tx, row->table, &e, &why)
			       : table_tx_set(&im->tx, row->table, &e, &why);
	if (rc && about_row(&why)) {
		row_problem(im, row, &why);
		return TA_OK;
	}
	if (rc) {
		*err = why;
		return rc;
	}
	row->id = e.id;
	row->now = e.now;
	struct transfer_change *c = add_change(im, row->table, row->name,
		is_new   ? TRANSFER_ADDED
		: e.same ? TRANSFER_UNCHANGED
			 : TRANSFER_CHANGED);
	if (!e.same)
		compare(im, c, &e);
	return TA_OK;
}

/* `last`: what does not go now will not go. A store may have to wait until its rules are another's.
 */
static enum ta_rc remove_one(struct import *im, struct present *p, bool last, struct ta_err *err)
{
	struct ta_err why = {0};
	struct table_edit e = {.mem = im->mem, .id = p->row->id, .known = p->row};
	enum ta_rc rc = table_tx_remove(&im->tx, p->table, &e, &why);
	if (rc && !about_row(&why)) {
		*err = why;
		return rc;
	}
	p->removed = !rc;
	if (p->removed)
		add_change(im, p->table, p->name, TRANSFER_REMOVED);
	else if (last)
		transfer_problem(im->doc, arena_fmt(im->mem, "$.%s", p->table->document),
			json_text(im->mem, p->name),
			arena_fmt(im->mem, "cannot be removed: %s", why.msg));
	return TA_OK;
}

/* Those that depend go first: rules, pixels, stores. */
static enum ta_rc remove_rest(struct import *im, bool last, struct ta_err *err)
{
	enum ta_rc rc = TA_OK;
	for (size_t i = im->npresent; !rc && i-- > 0;) {
		struct present *p = &im->present[i];
		if (!p->wanted && !p->removed && pruned(im, p->table))
			rc = remove_one(im, p, last, err);
	}
	return rc;
}

static void name_kept(struct import *im)
{
	for (size_t i = 0; i < im->npresent; i++)
		if (!im->present[i].wanted && !im->present[i].removed)
			add_change(im, im->present[i].table, im->present[i].name, TRANSFER_KEPT);
}

static enum ta_rc apply_all(struct import *im, struct ta_err *err)
{
	struct transfer_doc *doc = im->doc;
	enum ta_rc rc = look(im, err);
	if (rc)
		return rc;
	im->out->changes =
		arena_alloc(im->mem, (im->npresent + doc->n + 1) * sizeof(*im->out->changes));
	im->out->notes = arena_alloc(im->mem, (2 * doc->n + 1) * sizeof(*im->out->notes));
	rc = drop_known_secrets(im, err);
	if (!rc)
		rc = remove_rest(im, false, err);
	for (size_t i = 0; !rc && i < doc->n; i++)
		if (!doc->rows[i].failed)
			rc = apply_row(im, &doc->rows[i], err);
	if (!rc)
		rc = remove_rest(im, true, err);
	if (rc)
		return rc;
	name_kept(im);
	check_orders(im);
	return check_uids(im, err);
}

enum ta_rc transfer_apply(struct db *db, struct transfer_doc *doc,
	const struct transfer_import *how, struct transfer_result *out, struct ta_err *err)
{
	struct import im = {.tx = {.db = db, .actor = how->actor, .what = how->what},
		.mem = doc->mem,
		.doc = doc,
		.how = how,
		.out = out,
		.by_name = MAP_INIT(doc->mem),
		.in_doc = MAP_INIT(doc->mem)};
	*out = (struct transfer_result){0};
	enum ta_rc rc = table_tx_begin(&im.tx, err);
	if (!rc)
		rc = apply_all(&im, err);
	if (rc || how->dry_run || doc->nproblems)
		table_tx_cancel(&im.tx);
	else
		rc = table_tx_commit(&im.tx, err);
	out->applied = !rc && !how->dry_run && !doc->nproblems;
	return rc;
}
