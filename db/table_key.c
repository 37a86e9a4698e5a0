/* API keys: only the SHA-256 is stored; a public key, which stands in a shop's pages anyway, stays
 * listable. */
#include "db/conn.h"
#include "db/table.h"
#include "src/arena.h"
#include "src/crypto.h"

#include <stdio.h>
#include <string.h>

/* 24 random bytes: 192 bits that nobody guesses. */
#define KEY_PREFIX "ta_live_"
#define KEY_RANDOM 24
#define KEY_SHOWN  12 /* characters of a key that lists may show */

static const struct ta_field fields[] = {
	{.name = "key",
		.title = "Key",
		.flags = FIELD_READONLY,
		.help = "the key itself for public ones, else its first characters"},
	{.name = "store",
		.title = "Store",
		.type = FIELD_REF,
		.flags = FIELD_REQUIRED | FIELD_FIXED,
		.ref = "store",
		.help = "the store it speaks for"},
	{.name = "scope",
		.title = "Scope",
		.type = FIELD_CHOICE,
		.flags = FIELD_REQUIRED | FIELD_FIXED,
		.choices = "public|track|read|write|admin",
		.help = "public, track, read, write or admin"},
	{.name = "created",
		.title = "Created",
		.type = FIELD_TIME,
		.flags = FIELD_READONLY,
		.help = "when it was made"},
	{.name = "revoked",
		.title = "Revoked",
		.type = FIELD_TIME,
		.flags = FIELD_READONLY,
		.help = "when it was revoked"},
};

static enum ta_rc insert(struct table_change *c, struct ta_err *err)
{
	uint8_t random[KEY_RANDOM], hash[SHA256_LEN];
	char hex[2 * KEY_RANDOM + 1];
	struct table_row store;
	enum ta_rc rc = table_find(
		c->db, table_get("store"), table_value(c, "store"), c->edit->mem, &store, err);
	if (rc)
		return rc;
	crypto_random(random, sizeof(random));
	hex_encode(random, sizeof(random), hex);
	const char *key = arena_fmt(c->edit->mem, KEY_PREFIX "%s", hex);
	bool public = strcmp(table_value(c, "scope"), "public") == 0;
	crypto_sha256(key, strlen(key), hash);
	PGresult *r = NULL;
	struct db_args a = DB_ARGS_INIT;
	db_arg_bytes(&a, hash, sizeof(hash));
	db_arg_text(&a, public ? key : arena_strndup(c->edit->mem, key, KEY_SHOWN));
	db_arg_i64(&a, store.id);
	db_arg_text(&a, table_value(c, "scope"));
	db_arg_i64(&a, c->now_us);
	rc = db_query(c->db,
		"INSERT INTO api_key (hash, shown, store_id, scope, created_us) VALUES "
		"($1, $2, $3, $4, $5) RETURNING id",
		&a, &r, err);
	if (!rc) {
		c->edit->id = db_i64(r, 0, 0);
		c->edit->reveal = key;
		c->label = arena_strndup(c->edit->mem, key, KEY_SHOWN);
	}
	PQclear(r);
	db_args_release(&a);
	return rc;
}

static enum ta_rc revoke(struct table_change *c, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	int key = field_index(fields, TA_COUNT(fields), "key");
	c->label =
		arena_strndup(c->edit->mem, c->before->v[key] ? c->before->v[key] : "", KEY_SHOWN);
	db_arg_i64(&a, c->edit->id);
	db_arg_i64(&a, c->now_us);
	return db_run(c->db,
		"UPDATE api_key SET revoked_us = coalesce(revoked_us, $2) WHERE id = $1", &a, err);
}

const struct table table_key = {
	.word = "key",
	.title = "API keys",
	.fields = fields,
	.nfields = TA_COUNT(fields),
	.select =
		"SELECT k.id::text, '0', k.shown, s.name, k.scope, k.created_us::text, "
		"k.revoked_us::text FROM api_key k JOIN store s ON s.id = k.store_id "
		"WHERE k.scope <> 'canary' AND ($1 = 0 OR k.id = $1) AND ($2 IS NULL OR s.name = $2) ORDER BY k.id LIMIT 10000",
	.find = "SELECT id FROM api_key WHERE id::text = $1 OR shown = $1 LIMIT 2",
	.insert = insert,
	.remove = revoke,
	.remove_word = "revoke",
};
