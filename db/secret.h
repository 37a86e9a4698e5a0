/* Sealed secrets: two key pairs per database, `ingest` for webhook secrets and `deliver` for
 * tokens. The public halves stand in sealing_key, so that anyone who may write a row can set a
 * secret; the private halves are files of the key dir (0700/0600), read by the supervisor of
 * `serve` alone, which hands each role its own. A sealed blob is bound to its row by the AAD. */
#ifndef DB_SECRET_H
#define DB_SECRET_H

#include "db/conn.h"
#include "src/crypto.h"
#include "src/err.h"

#include <stdio.h>

struct buf;

enum secret_purpose { SECRET_INGEST, SECRET_DELIVER, SECRET_PURPOSES };

#define SECRET_AAD_MAX 80
#define SECRET_MAX     4096 /* bytes of a secret in clear */

/* "ingest", "deliver". */
const char *secret_purpose_word(enum secret_purpose p);
/* The purpose of a word, -1 if unknown. */
int secret_purpose_of(const char *word);

/* Makes both pairs where the database has none: writes the private halves into key_dir (made when
 * missing), then the public halves, in one transaction, and says so on `out` (may be NULL). A pair
 * that the database knows is left alone. Errors: TA_CONFIG (key_dir already holds the key of
 * another database), TA_IO, TA_DB. */
TA_MUST enum ta_rc secret_make_keys(
	struct db *db, const char *key_dir, FILE *out, struct ta_err *err);
/* Reads one private half and proves that it belongs to the database's public half. Errors:
 * TA_CONFIG with the next step (file missing, readable by others, of another database), TA_DB. */
TA_MUST enum ta_rc secret_load(struct db *db, const char *key_dir, enum secret_purpose p,
	uint8_t priv[SEAL_KEY_LEN], struct ta_err *err);

/* Where a secret belongs: which key opens it and the associated data that binds it to its row. */
struct secret_place {
	enum secret_purpose purpose;
	char aad[SECRET_AAD_MAX];
};
/* A store's webhook secret (current and previous share the place), a pixel's token; uid as stored,
 * 16 bytes. */
struct secret_place secret_of_store(const void *uid);
struct secret_place secret_of_pixel(const void *uid);

/* Seals 1..SECRET_MAX bytes to the database's public half and appends the blob to `out`. Errors:
 * TA_CONFIG (no keys yet: `trackai migrate`), TA_INVALID (empty or too long), TA_DB. */
TA_MUST enum ta_rc secret_seal(struct db *db, const struct secret_place *at, struct db_bytes plain,
	struct buf *out, struct ta_err *err);

/* A secret in clear; crypto_wipe() it after use. */
struct secret_text {
	size_t n;
	char text[SECRET_MAX + 1]; /* NUL-terminated */
};
/* Errors: TA_DENIED (another key, another row, or damaged). */
TA_MUST enum ta_rc secret_open(const uint8_t priv[SEAL_KEY_LEN], const struct secret_place *at,
	struct db_bytes blob, struct secret_text *out, struct ta_err *err);

#endif
