#include "db/table.h"

#include "db/audit.h"
#include "db/conn.h"
#include "db/secret.h"
#include "src/arena.h"
#include "src/buf.h"
#include "src/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define VALUE_MAX (64u << 10)

static const struct table *const tables[] = {
#define TABLE(word) &table_##word,
#include "db/tables.def"
#undef TABLE
};

const struct table *table_at(size_t n)
{
	return n < TA_COUNT(tables) ? tables[n] : NULL;
}

const struct table *table_get(const char *word)
{
	for (size_t i = 0; i < TA_COUNT(tables); i++)
		if (strcmp(tables[i]->word, word) == 0)
			return tables[i];
	return NULL;
}

/* Reading ------------------------------------------------------------------------------------ */

static enum ta_rc select_rows(struct db *db, const struct table *t, int64_t id, const char *store,
	PGresult **out, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	db_arg_i64(&a, id);
	db_arg_text(&a, store);
	enum ta_rc rc = db_query(db, t->select, &a, out, err);
	db_args_release(&a);
	return rc;
}

static struct table_row row_at(const PGresult *r, int i, const struct table *t, struct arena *a)
{
	struct table_row row = {.v = arena_alloc(a, t->nfields * sizeof(*row.v))};
	row.id = strtoll(db_text(r, i, 0), NULL, 10);
	row.version = (int)strtol(db_text(r, i, 1), NULL, 10);
	for (size_t f = 0; f < t->nfields; f++)
		if (!db_null(r, i, (int)f + 2) && *db_text(r, i, (int)f + 2))
			row.v[f] = arena_strdup(a, db_text(r, i, (int)f + 2));
	return row;
}

enum ta_rc table_list(struct db *db, const struct table *t, const char *store, struct arena *a,
	struct table_rows *out, struct ta_err *err)
{
	PGresult *r = NULL;
	enum ta_rc rc = select_rows(db, t, 0, store, &r, err);
	if (rc)
		return rc;
	out->n = (size_t)db_rows(r);
	out->rows = arena_alloc(a, (out->n + 1) * sizeof(*out->rows));
	for (size_t i = 0; i < out->n; i++)
		out->rows[i] = row_at(r, (int)i, t, a);
	PQclear(r);
	return TA_OK;
}

static enum ta_rc read_row(struct db *db, const struct table *t, int64_t id, struct arena *a,
	struct table_row *out, struct ta_err *err)
{
	PGresult *r = NULL;
	enum ta_rc rc = select_rows(db, t, id, NULL, &r, err);
	if (!rc && db_rows(r) == 0)
		rc = ta_fail(
			err, TA_NOTFOUND, "there is no %s with id %lld", t->word, (long long)id);
	if (!rc)
		*out = row_at(r, 0, t, a);
	PQclear(r);
	return rc;
}

enum ta_rc table_find(struct db *db, const struct table *t, const char *ref, struct arena *a,
	struct table_row *out, struct ta_err *err)
{
	PGresult *r = NULL;
	struct db_args q = DB_ARGS_INIT;
	db_arg_text(&q, ref);
	enum ta_rc rc = db_query(db, t->find, &q, &r, err);
	db_args_release(&q);
	if (!rc && db_rows(r) == 0)
		rc = ta_fail(err, TA_NOTFOUND,
			"there is no %s \"%.80s\"; trackai %s list shows them", t->word, ref,
			t->word);
	else if (!rc && db_rows(r) > 1)
		rc = ta_fail(err, TA_INVALID, "more than one %s is named \"%.80s\"; give its id",
			t->word, ref);
	if (!rc)
		rc = read_row(db, t, db_i64(r, 0, 0), a, out, err);
	PQclear(r);
	return rc;
}

json_t *table_field_json(const struct ta_field *f, const char *v)
{
	char at[32];
	if (!v)
		return json_null();
	switch (f->type) {
	case FIELD_BOOL:
		return json_boolean(strcmp(v, "true") == 0);
	case FIELD_INT:
		return json_integer(strtoll(v, NULL, 10));
	case FIELD_TIME:
		clock_format(strtoll(v, NULL, 10), at);
		return json_string(at);
	case FIELD_TEXT:
	case FIELD_CHOICE:
	case FIELD_REF:
		break;
	}
	return json_string(v);
}

json_t *table_json(const struct table *t, const struct table_row *row)
{
	char id[24];
	json_t *o = json_object();
	snprintf(id, sizeof(id), "%lld", (long long)row->id);
	json_object_set_new(o, "id", json_string(id));
	for (size_t f = 0; f < t->nfields; f++)
		json_object_set_new(
			o, t->fields[f].name, table_field_json(&t->fields[f], row->v[f]));
	if (row->version)
		json_object_set_new(o, "version", json_integer(row->version));
	return o;
}

/* Changing ----------------------------------------------------------------------------------- */

const char *table_value(const struct table_change *c, const char *field)
{
	int i = field_index(c->table->fields, c->table->nfields, field);
	TA_ASSERT(i >= 0);
	const char *v = c->v[i];
	return v && *v ? v : NULL;
}

enum ta_rc table_uid(struct table_change *c, uint8_t uid[16], struct ta_err *err)
{
	TA_CLEANUP(db_clear) PGresult *r = NULL;
	struct db_args a = DB_ARGS_INIT;
	const char *word = c->table->word;
	db_arg_i64(&a, c->edit->id);
	enum ta_rc rc = db_query(c->db,
		arena_fmt(c->edit->mem, "SELECT uid FROM %s WHERE id = $1", word), &a, &r, err);
	db_args_release(&a);
	if (rc)
		return rc;
	if (db_rows(r) == 0 || db_bytes(r, 0, 0).n != 16)
		return ta_fail(err, TA_BUG, "%s %lld has no uid", word, (long long)c->edit->id);
	memcpy(uid, db_bytes(r, 0, 0).p, 16);
	return TA_OK;
}

enum ta_rc table_new_uid(const struct table_change *c, uint8_t uid[16], struct ta_err *err)
{
	const char *hex = c->edit->uid;
	if (!hex)
		crypto_random(uid, 16);
	else if (strlen(hex) != 32 || !hex_decode(hex, 32, uid))
		return ta_fail_field(
			err, "uid", "uid: \"%.40s\" is not 32 hexadecimal digits", hex);
	return TA_OK;
}

enum ta_rc table_seal(struct table_change *c, const char *field, const struct secret_place *at,
	struct buf *out, struct ta_err *err)
{
	const char *clear = table_value(c, field);
	if (!clear)
		return TA_OK;
	return secret_seal(c->db, at, (struct db_bytes){clear, strlen(clear)}, out, err);
}

/* What a new row gets where nothing was given; "" where that is refused. */
static const char *default_of(const struct table_change *c, const struct ta_field *f)
{
	bool lacks = c->edit->may_lack && (f->flags & FIELD_SECRET);
	return f->def ? f->def : (f->flags & FIELD_REQUIRED) && !lacks ? "" : NULL;
}

/* Fills c->v: what was given (checked, canonical), else what was there, else the default. */
static enum ta_rc merge(struct table_change *c, struct ta_err *err)
{
	const struct table *t = c->table;
	c->v = arena_alloc(c->edit->mem, t->nfields * sizeof(*c->v));
	for (size_t i = 0; i < t->nfields; i++) {
		const struct ta_field *f = &t->fields[i];
		const char *given = c->edit->v[i], *old = c->before ? c->before->v[i] : NULL;
		if (given && c->before && (f->flags & FIELD_FIXED) &&
			(!old || strcmp(old, given) != 0))
			return ta_fail_field(err, f->name,
				"%s: cannot be changed once the %s exists", f->name, t->word);
		if (!given && !c->before && !(f->flags & FIELD_READONLY))
			given = default_of(c, f);
		if (!given) {
			c->v[i] = f->flags & FIELD_SECRET ? NULL : old;
			continue;
		}
		struct buf b = BUF_INIT(VALUE_MAX);
		enum ta_rc rc = field_clean(f, given, &b, err);
		c->v[i] = rc ? NULL : arena_strdup(c->edit->mem, buf_str(&b));
		buf_release(&b);
		if (rc)
			return rc;
	}
	return TA_OK;
}

static const char *audit_side(const struct ta_field *f, const char *v)
{
	return v && (f->flags & FIELD_SECRET) ? "set" : v;
}

/* The fields that differ, as two JSON objects. */
static void diff(const struct table_change *c, json_t *before, json_t *after)
{
	for (size_t i = 0; i < c->table->nfields; i++) {
		const struct ta_field *f = &c->table->fields[i];
		const char *old = c->before ? c->before->v[i] : NULL, *new = c->v ? c->v[i] : NULL;
		bool secret = f->flags & FIELD_SECRET;
		if (f->flags & FIELD_READONLY || (secret && !new && c->v))
			continue;
		if (!secret && old && new &&strcmp(old, new) == 0)
			continue;
		if (old && *old)
			json_object_set_new(before, f->name, json_string(audit_side(f, old)));
		if (new &&*new)
			json_object_set_new(after, f->name, json_string(audit_side(f, new)));
	}
}

static enum ta_rc write_audit(struct table_change *c, const char *verb, struct ta_err *err)
{
	char action[60], object[200];
	json_t *before = json_object(), *after = json_object();
	diff(c, before, after);
	char *b = json_dumps(before, JSON_COMPACT | JSON_SORT_KEYS);
	char *a = json_dumps(after, JSON_COMPACT | JSON_SORT_KEYS);
	snprintf(action, sizeof(action), "%s.%s", c->table->word, verb);
	snprintf(object, sizeof(object), "%s %lld (%.120s)", c->table->word, (long long)c->edit->id,
		c->label ? c->label : "");
	struct audit_entry e = {.at_us = c->now_us,
		.actor = c->edit->actor,
		.action = action,
		.object = object,
		.before = b,
		.after = a,
		.note = c->edit->note};
	enum ta_rc rc = audit_add(c->db, &e, err);
	free(a);
	free(b);
	json_decref(before);
	json_decref(after);
	return rc;
}

/* "Key (store_id, name)=(1, x) already exists" becomes a sentence about the field. */
static void explain_unique(const struct table_change *c, struct ta_err *err)
{
	const struct table *t = c->table;
	char key[60] = "value";
	if (strcmp(err->sqlstate, "23505") != 0)
		return;
	const char *from = strstr(err->msg, "Key ("), *to = from ? strchr(from, ')') : NULL;
	if (to) {
		const char *comma = strstr(from, ", ");
		from = comma && comma < to ? comma + 2 : from + 5;
		size_t n = (size_t)TA_MIN(to - from, (long)sizeof(key) - 1);
		memcpy(key, from, n);
		key[n] = '\0';
	}
	int field = field_index(t->fields, t->nfields, key);
	const char *value = field >= 0 && c->v ? c->v[field] : NULL;
	ta_fail(err, TA_CONFLICT, "%s: another %s has the same %s%s%.60s%s; choose another", key,
		t->word, key, value ? ", \"" : "", value ? value : "", value ? "\"" : "");
	snprintf(err->field, sizeof(err->field), "%.31s", key);
}

static enum ta_rc look(struct table_change *c, struct ta_err *err)
{
	const struct table_edit *e = c->edit;
	struct table_row *row = arena_alloc(e->mem, sizeof(*row));
	if (e->known) {
		c->before = e->known;
		return TA_OK;
	}
	enum ta_rc rc = read_row(c->db, c->table, e->id, e->mem, row, err);
	if (!rc && e->version && e->version != row->version)
		rc = ta_fail(err, TA_CONFLICT,
			"the %s was changed meanwhile (version %d, you looked at %d); look again",
			c->table->word, row->version, e->version);
	c->before = row;
	return rc;
}

static const char *row_label(const struct table_change *c)
{
	int i = field_index(c->table->fields, c->table->nfields, "name");
	if (i < 0)
		return NULL;
	return c->v && c->v[i] ? c->v[i] : c->before ? c->before->v[i] : NULL;
}

/* The revision that the change belongs to: the transaction's, or one that tells of this change. */
static enum ta_rc take_revision(
	struct table_tx *tx, const struct table_change *c, const char *verb, struct ta_err *err)
{
	char what[160];
	if (tx->rev)
		return TA_OK;
	snprintf(
		what, sizeof(what), "%s.%s %.100s", c->table->word, verb, c->label ? c->label : "");
	return revision_take(c->db, c->edit->actor, tx->what ? tx->what : what, &tx->rev, err);
}

enum verb { VERB_ADD, VERB_SET, VERB_REMOVE };

static bool differs(const struct table_change *c)
{
	for (size_t i = 0; i < c->table->nfields; i++) {
		const struct ta_field *f = &c->table->fields[i];
		const char *old = c->before->v[i] ? c->before->v[i] : "";
		const char *new = c->v[i] ? c->v[i] : "";
		bool given = f->flags & FIELD_SECRET ? c->v[i] != NULL : strcmp(old, new) != 0;
		if (given && !(f->flags & (FIELD_READONLY | FIELD_TWIN)))
			return true;
	}
	return false;
}

static enum ta_rc write_change(
	struct table_tx *tx, struct table_change *c, enum verb verb, struct ta_err *err)
{
	const struct table *t = c->table;
	const char *word = verb == VERB_ADD ? "add" : verb == VERB_SET ? "set" : t->remove_word;
	c->label = row_label(c);
	enum ta_rc rc = take_revision(tx, c, word, err);
	c->rev = tx->rev;
	if (!rc)
		rc = (verb == VERB_ADD     ? t->insert
			: verb == VERB_SET ? t->update
					   : t->remove)(c, err);
	return rc ? rc : write_audit(c, word, err);
}

/* One change inside the transaction. */
static enum ta_rc change(struct table_tx *tx, const struct table *t, struct table_edit *e,
	enum verb verb, struct ta_err *err)
{
	struct table_change c = {.db = tx->db, .table = t, .edit = e, .now_us = tx->now_us};
	enum ta_rc rc = TA_OK;
	if (verb == VERB_SET && !t->update)
		return ta_fail(err, TA_DENIED, "a %s cannot be changed; %s it and add another",
			t->word, t->remove_word);
	if (verb != VERB_ADD)
		rc = look(&c, err);
	if (!rc && verb != VERB_REMOVE)
		rc = merge(&c, err);
	if (!rc && verb != VERB_REMOVE && t->check)
		rc = t->check(&c, err);
	e->same = !rc && verb == VERB_SET && e->if_differs && !differs(&c);
	if (!rc && !e->same)
		rc = write_change(tx, &c, verb, err);
	if (rc) {
		explain_unique(&c, err);
		return err->rc;
	}
	e->was = c.before;
	e->now = c.v;
	return TA_OK;
}

enum ta_rc table_tx_begin(struct table_tx *tx, struct ta_err *err)
{
	tx->now_us = clock_now_us();
	tx->rev = 0;
	enum ta_rc rc = db_begin(tx->db, err);
	return rc ? rc : audit_lock(tx->db, err);
}

enum ta_rc table_tx_commit(struct table_tx *tx, struct ta_err *err)
{
	return db_commit(tx->db, err);
}

void table_tx_cancel(struct table_tx *tx)
{
	db_rollback(tx->db);
}

/* A change of its own. */
static enum ta_rc change_alone(struct db *db, const struct table *t, struct table_edit *e,
	enum verb verb, struct ta_err *err)
{
	struct table_tx tx = {.db = db, .actor = e->actor};
	enum ta_rc rc = table_tx_begin(&tx, err);
	if (!rc)
		rc = change(&tx, t, e, verb, err);
	if (!rc)
		rc = table_tx_commit(&tx, err);
	if (rc)
		table_tx_cancel(&tx);
	return rc;
}

/* A change among others: what it wrote before it failed is taken back. */
static enum ta_rc change_among(struct table_tx *tx, const struct table *t, struct table_edit *e,
	enum verb verb, struct ta_err *err)
{
	struct ta_err second;
	int64_t rev = tx->rev;
	e->actor = tx->actor;
	enum ta_rc rc = db_exec(tx->db, "SAVEPOINT change", err);
	if (rc)
		return rc;
	rc = change(tx, t, e, verb, err);
	if (!rc)
		return db_exec(tx->db, "RELEASE change", err);
	tx->rev = rev;
	if (db_exec(tx->db, "ROLLBACK TO change", &second))
		return ta_fail(err, TA_DB, "%s", second.msg);
	return rc;
}

enum ta_rc table_add(struct db *db, const struct table *t, struct table_edit *e, struct ta_err *err)
{
	return change_alone(db, t, e, VERB_ADD, err);
}

enum ta_rc table_set(struct db *db, const struct table *t, struct table_edit *e, struct ta_err *err)
{
	return change_alone(db, t, e, VERB_SET, err);
}

enum ta_rc table_remove(
	struct db *db, const struct table *t, struct table_edit *e, struct ta_err *err)
{
	return change_alone(db, t, e, VERB_REMOVE, err);
}

enum ta_rc table_tx_add(
	struct table_tx *tx, const struct table *t, struct table_edit *e, struct ta_err *err)
{
	return change_among(tx, t, e, VERB_ADD, err);
}

enum ta_rc table_tx_set(
	struct table_tx *tx, const struct table *t, struct table_edit *e, struct ta_err *err)
{
	return change_among(tx, t, e, VERB_SET, err);
}

enum ta_rc table_tx_remove(
	struct table_tx *tx, const struct table *t, struct table_edit *e, struct ta_err *err)
{
	return change_among(tx, t, e, VERB_REMOVE, err);
}
