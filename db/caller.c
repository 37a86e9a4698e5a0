#include "db/caller.h"

#include "db/conn.h"
#include "db/secret.h"
#include "src/crypto.h"
#include "src/log.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct shop_row {
	struct caller_shop shop;
	uint8_t fingerprint[2][32]; /* SHA-256 of the sealed blobs: what did not change is not
				       opened */
};

struct callers {
	atomic_int refs;
	struct shop_row *shops; /* sorted by domain */
	size_t nshops;
	struct caller_key *keys; /* sorted by hash */
	size_t nkeys;
};

static int by_domain(const void *a, const void *b)
{
	const struct shop_row *x = a, *y = b;
	return strcmp(x->shop.domain, y->shop.domain);
}

static int by_hash(const void *a, const void *b)
{
	const struct caller_key *x = a, *y = b;
	return memcmp(x->hash, y->hash, sizeof(x->hash));
}

const struct caller_shop *callers_shop(const struct callers *c, const char *domain)
{
	size_t lo = 0, hi = c->nshops;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int order = strcmp(domain, c->shops[mid].shop.domain);
		if (order == 0)
			return &c->shops[mid].shop;
		if (order < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return NULL;
}

const struct caller_key *callers_key(const struct callers *c, const uint8_t hash[32])
{
	struct caller_key want = {0};
	memcpy(want.hash, hash, sizeof(want.hash));
	return c->nkeys ? bsearch(&want, c->keys, c->nkeys, sizeof(want), by_hash) : NULL;
}

struct callers *callers_ref(struct callers *c)
{
	atomic_fetch_add(&c->refs, 1);
	return c;
}

static struct caller_secret copy_secret(const void *p, size_t n)
{
	struct caller_secret s = {n, n ? ta_alloc(n) : NULL};
	if (n)
		memcpy(s.p, p, n);
	return s;
}

static void wipe_secret(struct caller_secret *s)
{
	if (s->p)
		crypto_wipe(s->p, s->n);
	free(s->p);
}

void callers_unref(struct callers *c)
{
	if (!c || atomic_fetch_sub(&c->refs, 1) > 1)
		return;
	for (size_t i = 0; i < c->nshops; i++)
		for (size_t k = 0; k < TA_COUNT(c->shops[i].shop.secret); k++)
			wipe_secret(&c->shops[i].shop.secret[k]);
	free(c->shops);
	free(c->keys);
	free(c);
}

/* A secret that cannot be opened is said once, when its blob is first seen. */
static bool open_blob(
	const uint8_t *key, const PGresult *r, int row, int col, struct caller_secret *out)
{
	struct ta_err err = {.msg = "this process holds no ingest key"};
	struct secret_text clear;
	struct db_bytes uid = db_bytes(r, row, 2);
	static const uint8_t none[16];
	struct secret_place at = secret_of_store(uid.n == sizeof(none) ? uid.p : none);
	if (!key || secret_open(key, &at, db_bytes(r, row, col), &clear, &err)) {
		log_error(
			"the webhook secret of store %s cannot be opened: %s; set it again (trackai "
			"store set) or give serve the right key dir",
			db_text(r, row, 5), err.msg);
		return false;
	}
	*out = copy_secret(clear.text, clear.n);
	crypto_wipe(&clear, sizeof(clear));
	return true;
}

static void fill_shop(struct shop_row *s, const PGresult *r, int row, const uint8_t *key,
	const struct callers *old)
{
	s->shop.store_id = (int32_t)db_i64(r, row, 0);
	snprintf(s->shop.domain, sizeof(s->shop.domain), "%s", db_text(r, row, 1));
	const struct caller_shop *was = old ? callers_shop(old, s->shop.domain) : NULL;
	const struct shop_row *before = (const struct shop_row *)(const void *)was;
	for (int i = 0; i < 2; i++) {
		struct db_bytes blob = db_bytes(r, row, 3 + i);
		struct caller_secret *secret = &s->shop.secret[i];
		if (!blob.p)
			continue;
		crypto_sha256(blob.p, blob.n, s->fingerprint[i]);
		if (before && was->store_id == s->shop.store_id &&
			memcmp(before->fingerprint[i], s->fingerprint[i], 32) == 0)
			*secret = copy_secret(was->secret[i].p, was->secret[i].n);
		else
			(void)open_blob(key, r, row, 3 + i, secret);
		s->shop.sealed = s->shop.sealed || !secret->n;
	}
}

static enum ta_rc load_shops(struct callers *c, struct db *db, const uint8_t *key,
	const struct callers *old, struct ta_err *err)
{
	PGresult *r = NULL;
	enum ta_rc rc = db_query(db,
		"SELECT id, lower(domain), uid, webhook_secret, webhook_secret_prev, name FROM "
		"store WHERE domain IS NOT NULL",
		NULL, &r, err);
	if (rc)
		return rc;
	c->nshops = (size_t)db_rows(r);
	c->shops = ta_alloc((c->nshops + 1) * sizeof(*c->shops));
	for (int i = 0; i < db_rows(r); i++)
		fill_shop(&c->shops[i], r, i, key, old);
	qsort(c->shops, c->nshops, sizeof(*c->shops), by_domain);
	PQclear(r);
	return TA_OK;
}

static int scope_of(const char *word)
{
	static const char *const words[] = {"public", "track", "read", "write", "admin", "canary"};
	for (size_t i = 0; i < TA_COUNT(words); i++)
		if (strcmp(words[i], word) == 0)
			return (int)i;
	return SCOPE_READ;
}

static enum ta_rc load_keys(struct callers *c, struct db *db, struct ta_err *err)
{
	PGresult *r = NULL;
	enum ta_rc rc = db_query(db,
		"SELECT hash, store_id, scope FROM api_key WHERE revoked_us IS NULL AND "
		"length(hash) = 32",
		NULL, &r, err);
	if (rc)
		return rc;
	c->nkeys = (size_t)db_rows(r);
	c->keys = ta_alloc((c->nkeys + 1) * sizeof(*c->keys));
	for (int i = 0; i < db_rows(r); i++) {
		memcpy(c->keys[i].hash, db_bytes(r, i, 0).p, 32);
		c->keys[i].store_id = (int32_t)db_i64(r, i, 1);
		c->keys[i].scope = (enum caller_scope)scope_of(db_text(r, i, 2));
	}
	qsort(c->keys, c->nkeys, sizeof(*c->keys), by_hash);
	PQclear(r);
	return TA_OK;
}

enum ta_rc callers_load(struct db *db, const uint8_t *key, const struct callers *old,
	struct callers **out, struct ta_err *err)
{
	struct callers *c = ta_alloc(sizeof(*c));
	atomic_init(&c->refs, 1);
	enum ta_rc rc = load_shops(c, db, key, old, err);
	if (!rc)
		rc = load_keys(c, db, err);
	if (rc)
		callers_unref(c);
	else
		*out = c;
	return rc;
}
