/* Who may call the listener: shops with their webhook secrets and API keys. A snapshot is built
 * whole, never changes and is shared by reference count, so that the thread that answers
 * requests looks things up without a lock. */
#ifndef DB_CALLER_H
#define DB_CALLER_H

#include "src/err.h"

#include <stddef.h>
#include <stdint.h>

struct db;
struct callers;

struct caller_secret {
	size_t n; /* 0: none */
	uint8_t *p;
};

struct caller_shop {
	int32_t store_id;
	char domain[128];               /* lower case */
	struct caller_secret secret[2]; /* current, previous */
	bool sealed;                    /* a secret is set but this process cannot open it */
};

enum caller_scope { SCOPE_PUBLIC, SCOPE_TRACK, SCOPE_READ, SCOPE_WRITE, SCOPE_ADMIN, SCOPE_CANARY };

struct caller_key {
	uint8_t hash[32]; /* SHA-256 of the key */
	int32_t store_id;
	enum caller_scope scope;
};

/* Reads shops and keys; secrets are opened with `key` (32 bytes, NULL: none at hand). `old` (may be
 * NULL) spares opening what did not change. *out has one reference. Errors: TA_DB. */
TA_MUST enum ta_rc callers_load(struct db *db, const uint8_t *key, const struct callers *old,
	struct callers **out, struct ta_err *err);
struct callers *callers_ref(struct callers *c);
void callers_unref(struct callers *c); /* NULL is fine; the last one wipes the secrets */

/* Borrowed from the snapshot; NULL: unknown. The domain must be in lower case. */
const struct caller_shop *callers_shop(const struct callers *c, const char *domain);
const struct caller_key *callers_key(const struct callers *c, const uint8_t hash[32]);

#endif
