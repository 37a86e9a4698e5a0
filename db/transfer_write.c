/* Writing stores, pixels and rules as one document. */
#include "db/transfer.h"
#include "src/arena.h"
#include "src/buf.h"
#include "src/map.h"

#include <stdlib.h>
#include <string.h>

/* Secrets ------------------------------------------------------------------------------------- */

static enum ta_rc open_row(const struct transfer_keys *keys, const struct table *t,
	const PGresult *r, int i, struct secret_text *text, struct ta_err *err)
{
	struct db_bytes uid = db_bytes(r, i, 1);
	text->n = 0;
	if (uid.n != 16)
		return ta_fail(err, TA_BUG, "a %s has no uid", t->word);
	struct secret_place place = t->place(uid.p);
	if (!keys->have[place.purpose])
		return ta_fail(err, TA_DENIED, "the private key for secrets of a %s is not at hand",
			t->word);
	return secret_open(keys->priv[place.purpose], &place, db_bytes(r, i, 2), text, err);
}

enum ta_rc transfer_open(struct db *db, const struct transfer_keys *keys, const struct table *t,
	const struct ta_field *f, struct map *out, struct ta_err *err)
{
	struct secret_text text;
	PGresult *r = NULL;
	enum ta_rc rc = db_query(db,
		arena_fmt(out->a,
			"SELECT id::bigint, uid, %s FROM %s WHERE %s IS NOT NULL ORDER BY id",
			f->name, t->word, f->name),
		NULL, &r, err);
	for (int i = 0; !rc && i < db_rows(r); i++) {
		int64_t id = db_i64(r, i, 0);
		enum ta_rc one = open_row(keys, t, r, i, &text, err);
		if (!one)
			map_put(out, &id, sizeof(id), arena_strndup(out->a, text.text, text.n));
		else if (keys->strict)
			rc = ta_err_prefix(err, "%s %lld", t->word, (long long)id);
	}
	crypto_wipe(&text, sizeof(text));
	PQclear(r);
	return rc;
}

/* Rows ---------------------------------------------------------------------------------------- */

struct named {
	const char *name;
	const struct table_row *row;
};

/* A table's rows in the document's order. */
struct listing {
	const struct table *table;
	struct named *rows;
	size_t n;
};

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct named *)a)->name, ((const struct named *)b)->name);
}

static enum ta_rc unique(const struct listing *l, struct arena *mem, struct ta_err *err)
{
	struct map names = MAP_INIT(mem);
	for (size_t i = 0; i < l->n; i++) {
		const char *name = l->rows[i].name;
		if (map_get(&names, name, strlen(name)))
			return ta_fail(err, TA_INVALID,
				"two of the %s are named \"%.60s\"; a document goes by names: rename one",
				l->table->document, name);
		map_put(&names, name, strlen(name), &l->rows[i]);
	}
	return TA_OK;
}

/* Rules come in the order in which they are asked: it is part of what they say, and new ids follow
 * it. */
static enum ta_rc list(struct db *db, const struct table *t, struct arena *mem, struct listing *out,
	struct ta_err *err)
{
	struct table_rows rows = {0};
	*out = (struct listing){.table = t};
	enum ta_rc rc = table_list(db, t, NULL, mem, &rows, err);
	if (rc)
		return rc;
	if (rows.n >= TRANSFER_ROWS_MAX)
		return ta_fail(err, TA_LIMIT, "there are %d %s or more; a document has fewer",
			TRANSFER_ROWS_MAX, t->document);
	out->rows = arena_alloc(mem, (rows.n + 1) * sizeof(*out->rows));
	out->n = rows.n;
	for (size_t i = 0; i < rows.n; i++)
		out->rows[i] = (struct named){transfer_name(t, rows.rows[i].v, mem), &rows.rows[i]};
	if (field_index(t->fields, t->nfields, "priority") < 0 && out->n)
		qsort(out->rows, out->n, sizeof(*out->rows), by_name);
	return unique(out, mem, err);
}

enum ta_rc transfer_uids(struct db *db, const struct table *t, struct map *out, struct ta_err *err)
{
	PGresult *r = NULL;
	enum ta_rc rc = db_query(db,
		arena_fmt(out->a, "SELECT id::bigint, encode(uid, 'hex') FROM %s", t->word), NULL,
		&r, err);
	for (int i = 0; !rc && i < db_rows(r); i++) {
		int64_t id = db_i64(r, i, 0);
		map_put(out, &id, sizeof(id), arena_strdup(out->a, db_text(r, i, 1)));
	}
	PQclear(r);
	return rc;
}

static json_t *row_json(const struct table *t, const struct table_row *row, const struct map *uid)
{
	json_t *o = json_object();
	for (size_t f = 0; f < t->nfields; f++)
		if (!(t->fields[f].flags & (FIELD_SECRET | FIELD_READONLY | FIELD_TWIN)))
			json_object_set_new(
				o, t->fields[f].name, table_field_json(&t->fields[f], row->v[f]));
	if (t->keeps_uid)
		json_object_set_new(o, "uid", json_string(map_get(uid, &row->id, sizeof(row->id))));
	return o;
}

static enum ta_rc add_rows(
	struct db *db, const struct listing *l, struct arena *mem, json_t *doc, struct ta_err *err)
{
	struct map uid = MAP_INIT(mem);
	json_t *rows = json_array();
	enum ta_rc rc = l->table->keeps_uid ? transfer_uids(db, l->table, &uid, err) : TA_OK;
	for (size_t i = 0; !rc && i < l->n; i++)
		json_array_append_new(rows, row_json(l->table, l->rows[i].row, &uid));
	json_object_set_new(doc, l->table->document, rows);
	return rc;
}

/* {NAME: {field: text}} of a table's rows that have a secret. */
static enum ta_rc add_secrets(struct db *db, const struct listing *l,
	const struct transfer_export *e, json_t *all, struct ta_err *err)
{
	const struct table *t = l->table;
	json_t *rows = json_object();
	enum ta_rc rc = TA_OK;
	for (size_t f = 0; !rc && t->place && f < t->nfields; f++) {
		struct map clear = MAP_INIT(e->mem);
		if (!(t->fields[f].flags & FIELD_SECRET))
			continue;
		rc = transfer_open(db, e->keys, t, &t->fields[f], &clear, err);
		for (size_t i = 0; !rc && i < l->n; i++) {
			int64_t id = l->rows[i].row->id;
			const char *text = map_get(&clear, &id, sizeof(id));
			json_t *o = json_object_get(rows, l->rows[i].name);
			if (text && !o) {
				o = json_object();
				json_object_set_new(rows, l->rows[i].name, o);
			}
			if (text)
				json_object_set_new(o, t->fields[f].name, json_string(text));
		}
	}
	json_object_set_new(all, t->document, rows);
	return rc;
}

/* The document --------------------------------------------------------------------------------- */

static enum ta_rc dump(const json_t *doc, struct buf *out, struct ta_err *err)
{
	char *text = json_dumps(doc, JSON_INDENT(2));
	if (!text)
		return ta_fail(err, TA_BUG, "the document cannot be written as JSON");
	buf_adds(out, text);
	buf_addc(out, '\n');
	free(text);
	return out->over ? ta_fail(err, TA_LIMIT, "the document is larger than 64 MiB") : TA_OK;
}

static enum ta_rc add_box(
	const struct transfer_export *e, json_t *doc, const json_t *secrets, struct ta_err *err)
{
	uint8_t hash[SHA256_LEN];
	struct buf plain = BUF_INIT(TRANSFER_MAX);
	json_t *box = NULL;
	enum ta_rc rc = dump(doc, &plain, err);
	crypto_sha256(buf_str(&plain), plain.len, hash);
	memcpy(e->pass->salt, hash, BOX_SALT_LEN);
	char *text = json_dumps(secrets, JSON_COMPACT | JSON_SORT_KEYS);
	if (!rc && !text)
		rc = ta_fail(err, TA_BUG, "a secret is not UTF-8 and cannot be written as JSON");
	if (!rc)
		rc = transfer_lock(e->pass, text, &box, err);
	if (!rc)
		json_object_set_new(doc, "secrets", box);
	if (text)
		crypto_wipe(text, strlen(text));
	free(text);
	buf_release(&plain);
	return rc;
}

static enum ta_rc write_tables(struct db *db, const struct transfer_export *e, json_t *doc,
	json_t *secrets, struct ta_err *err)
{
	const struct table *t;
	enum ta_rc rc = TA_OK;
	for (size_t i = 0; !rc && (t = transfer_table(i)); i++) {
		struct listing l = {0};
		rc = list(db, t, e->mem, &l, err);
		if (!rc)
			rc = add_rows(db, &l, e->mem, doc, err);
		if (!rc && e->keys && t->place)
			rc = add_secrets(db, &l, e, secrets, err);
	}
	return rc;
}

enum ta_rc transfer_write(
	struct db *db, const struct transfer_export *e, struct buf *out, struct ta_err *err)
{
	json_t *doc =
		json_pack("{s:s, s:i}", "format", TRANSFER_FORMAT, "version", TRANSFER_VERSION);
	json_t *secrets = json_object();
	enum ta_rc rc = db_exec(db, "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY", err);
	if (!rc)
		rc = write_tables(db, e, doc, secrets, err);
	if (!rc)
		rc = db_commit(db, err);
	if (rc)
		db_rollback(db);
	if (!rc && e->keys)
		rc = add_box(e, doc, secrets, err);
	if (!rc)
		rc = dump(doc, out, err);
	json_decref(secrets);
	json_decref(doc);
	return rc;
}
