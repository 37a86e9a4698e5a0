/* The secrets of a document, under a passphrase. */
#include "db/transfer.h"
#include "src/arena.h"
#include "src/buf.h"
#include "src/json.h"
#include "src/map.h"

#include <stdlib.h>
#include <string.h>

#define BOX_VERSION 1

static json_t *base64(const uint8_t *p, size_t n)
{
	char *text = ta_alloc(4 * ((n + 2) / 3) + 1);
	base64_encode(p, n, text);
	json_t *j = json_string(text);
	free(text);
	return j;
}

enum ta_rc transfer_lock(struct box_pass *pass, const char *json, json_t **out, struct ta_err *err)
{
	struct box_key key;
	size_t n = strlen(json);
	uint8_t *box = ta_alloc(n + BOX_OVERHEAD);
	enum ta_rc rc = box_key(pass, &key, err);
	if (!rc)
		rc = box_seal(&key, TRANSFER_AAD, json, n, box, err);
	if (!rc)
		*out = json_pack("{s:i, s:s, s:i, s:o, s:s, s:o}", "version", BOX_VERSION, "kdf",
			"scrypt", "cost", pass->cost, "salt", base64(pass->salt, BOX_SALT_LEN),
			"cipher", "aes-256-gcm", "data", base64(box, n + BOX_OVERHEAD));
	crypto_wipe(&key, sizeof(key));
	free(box);
	return rc;
}

/* Opening ---------------------------------------------------------------------------------------
 */

struct box {
	struct box_pass pass;
	uint8_t *data;
	size_t n;
};

static bool is_text(const struct jv *o, const char *name, const char *want)
{
	const char *s = jv_str(o, name);
	return s && strcmp(s, want) == 0;
}

/* The members of the box; false with problems. */
static bool read_box(struct transfer_doc *doc, struct box *b)
{
	static const char *const members[] = {"version", "kdf", "cost", "salt", "cipher", "data"};
	const struct jv *o = doc->secrets;
	size_t before = doc->nproblems;
	int64_t version = 0, cost = 0;
	const char *salt = jv_str(o, "salt"), *data = jv_str(o, "data");
	for (const struct jv *m = o->child; m; m = m->next) {
		bool known = false;
		for (size_t i = 0; i < TA_COUNT(members); i++)
			known |= strcmp(members[i], m->key) == 0;
		if (!known)
			transfer_problem(doc, "$.secrets", m->key, "is no member of the secrets");
	}
	if (!jv_int(o, "version", &version) || version != BOX_VERSION)
		transfer_problem(doc, "$.secrets.version", "", "must be 1");
	if (!is_text(o, "kdf", "scrypt"))
		transfer_problem(doc, "$.secrets.kdf", "", "must be \"scrypt\"");
	if (!is_text(o, "cipher", "aes-256-gcm"))
		transfer_problem(doc, "$.secrets.cipher", "", "must be \"aes-256-gcm\"");
	if (!jv_int(o, "cost", &cost) || cost < BOX_COST_MIN || cost > BOX_COST_MAX)
		transfer_problem(doc, "$.secrets.cost", "", "must be a whole number from 14 to 20");
	if (!salt || base64_decode(salt, strlen(salt), b->pass.salt, BOX_SALT_LEN) != BOX_SALT_LEN)
		transfer_problem(doc, "$.secrets.salt", "", "must be 16 bytes in base64");
	size_t cap = data ? strlen(data) : 0;
	b->data = arena_alloc(doc->mem, cap + 1);
	long n = data ? base64_decode(data, cap, b->data, cap) : -1;
	if (n < BOX_OVERHEAD)
		transfer_problem(doc, "$.secrets.data", "", "must be at least 28 bytes in base64");
	b->n = n < 0 ? 0 : (size_t)n;
	b->pass.cost = (int)cost;
	return doc->nproblems == before;
}

/* Rows by "stores/acme". */
static void map_rows(const struct transfer_doc *doc, struct map *rows)
{
	for (size_t i = 0; i < doc->n; i++) {
		struct transfer_row *row = &doc->rows[i];
		const char *key =
			row->name ? arena_fmt(doc->mem, "%s/%s", row->table->document, row->name)
				  : NULL;
		if (key)
			map_put(rows, key, strlen(key), row);
	}
}

static struct transfer_row *row_named(
	const struct map *rows, const char *document, const char *name)
{
	const char *key = arena_fmt(rows->a, "%s/%s", document, name);
	return map_get(rows, key, strlen(key));
}

static void take_secret(
	struct transfer_doc *doc, struct transfer_row *row, const struct jv *m, const char *path)
{
	const struct table *t = row->table;
	int i = field_index(t->fields, t->nfields, m->key);
	struct buf b = BUF_INIT(2 * SECRET_MAX);
	struct ta_err err = {0};
	if (i < 0 || !(t->fields[i].flags & FIELD_SECRET) || m->type != JV_STRING)
		transfer_problem(doc, path, "\"***\"", "is no secret of such a row");
	else if (field_clean(&t->fields[i], m->s, &b, &err))
		transfer_problem(doc, path, "\"***\"", err.msg);
	else
		row->v[i] = m->s;
	if (b.p)
		crypto_wipe(b.p, b.len);
	buf_release(&b);
}

static void take_secrets(struct transfer_doc *doc, const struct jv *all)
{
	struct map rows = MAP_INIT(doc->mem);
	map_rows(doc, &rows);
	for (const struct jv *list = all->child; list; list = list->next)
		for (const struct jv *o = list->child; o; o = o->next) {
			const char *path = arena_fmt(
				doc->mem, "$.secrets: %s.%.200s", list->key, o->key ? o->key : "");
			struct transfer_row *row =
				o->key ? row_named(&rows, list->key, o->key) : NULL;
			if (!row || o->type != JV_OBJECT) {
				transfer_problem(doc, path, "",
					"the document has no such row for these secrets");
				continue;
			}
			for (const struct jv *m = o->child; m; m = m->next)
				take_secret(
					doc, row, m, arena_fmt(doc->mem, "%s.%.60s", path, m->key));
		}
}

enum ta_rc transfer_unlock(struct transfer_doc *doc, const char *pass, size_t n, struct ta_err *err)
{
	struct box b = {.pass = {.p = pass, .n = n}};
	struct box_key key;
	const struct jv *all = NULL;
	if (!doc->secrets || !read_box(doc, &b))
		return TA_OK;
	enum ta_rc rc = box_key(&b.pass, &key, err);
	if (rc)
		return rc;
	size_t len = b.n - BOX_OVERHEAD;
	char *text = arena_alloc(doc->mem, len + 1);
	rc = box_open(&key, TRANSFER_AAD, b.data, b.n, (uint8_t *)text, err);
	crypto_wipe(&key, sizeof(key));
	if (rc)
		return rc;
	if (jv_parse(doc->mem, text, len, &all, NULL) != JV_FINE || all->type != JV_OBJECT)
		transfer_problem(doc, "$.secrets.data", "", "holds no JSON object");
	else
		take_secrets(doc, all);
	crypto_wipe(text, len);
	return TA_OK;
}
