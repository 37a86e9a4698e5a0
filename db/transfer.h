/* Stores, pixels and rules as one JSON document: `trackai export` and `import`. The document
 * follows from the tables' descriptions (db/table.h, those with a `document` name): a field that a
 * table gets is in it without a line here. Rows go by natural names, never by ids.
 *
 *   {"format": "trackai-export", "version": 1,
 *    "stores": [{"name": …, "uid": …, field: value, …}, …],
 *    "pixels": [{"store": …, "name": …, …}, …],
 *    "rules":  [{"name": …, …}, …],
 *    "secrets": {"version": 1, "kdf": "scrypt", "cost": 17, "salt": …, "cipher": "aes-256-gcm",
 *                "data": …}}
 *
 * Text, numbers and booleans as such, null for what is not set, times RFC 3339. Stores and pixels
 * by name, rules in the order in which they are asked. What the program sets itself (state, author,
 * times) is not in it. The box of secrets (src/crypto.h, aad TRANSFER_AAD) holds
 * {"stores": {NAME: {"webhook_secret": …}}, "pixels": {"STORE/NAME": {"token": …}}}; its salt is
 * the first 16 bytes of SHA-256 of the document without it. salt and data are base64. */
#ifndef DB_TRANSFER_H
#define DB_TRANSFER_H

#include "db/secret.h"
#include "db/table.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct jv;
struct map;

#define TRANSFER_FORMAT       "trackai-export"
#define TRANSFER_VERSION      1
#define TRANSFER_AAD          "trackai export secrets v1"
#define TRANSFER_MAX          (64u << 20) /* bytes of a document */
#define TRANSFER_ROWS_MAX     10000       /* of each table */
#define TRANSFER_PROBLEMS_MAX 1000        /* kept; all are counted */

/* What is wrong with a document: where ("$.rules[2].priority"), the value there as JSON ("" when
 * there is none), the rule it breaks. */
struct transfer_problem {
	const char *path, *value, *rule;
};

/* A row of a document. */
struct transfer_row {
	const struct table *table;
	const char *path;            /* "$.stores[0]" */
	const char *name;            /* natural: "acme", "acme/pinterest"; NULL when it has none */
	const char *uid;             /* NULL: not given */
	const char **v;              /* by field; NULL: not mentioned or refused, "": unset */
	bool *bad;                   /* by field: refused, or what it names is */
	int64_t id;                  /* once it is in the database */
	const struct table_row *was; /* as it is there, NULL: it is not */
	const char **now;            /* its values there then */
	bool failed;
};

struct transfer_doc {
	struct arena *mem;
	struct transfer_row *rows;
	size_t n;
	const struct table **given; /* tables whose lists are in the document */
	size_t ngiven;
	const struct jv *secrets; /* the box, NULL when there is none */
	struct transfer_problem *problems;
	size_t nproblems; /* all, also those that were not kept */
};

/* Reads a document: every problem that shows without a database ends up in the list. Pure. */
void transfer_read(struct arena *mem, const char *text, size_t n, struct transfer_doc *out);
/* Adds a problem; texts are copied. */
void transfer_problem(
	struct transfer_doc *doc, const char *path, const char *value, const char *rule);
/* The natural name of a row's values, NULL when a part of it is missing. In the arena. */
const char *transfer_name(const struct table *t, const char *const *v, struct arena *a);
/* The nth table that documents have, NULL behind the last. */
const struct table *transfer_table(size_t n);

/* "currency: X is no code" below $.stores[0].currency says its name once. Borrowed. */
const char *transfer_sentence(const char *msg, const char *field);
/* uid in hex by id (8 bytes), of a table that keeps them. Errors: TA_DB. */
TA_MUST enum ta_rc transfer_uids(
	struct db *db, const struct table *t, struct map *out, struct ta_err *err);

/* Private halves of the sealing keys, those that this process can read. */
struct transfer_keys {
	bool strict; /* a secret that does not open is an error, else it is passed over */
	bool have[SECRET_PURPOSES];
	uint8_t priv[SECRET_PURPOSES][SEAL_KEY_LEN];
};
/* The secrets of one field in clear: id of the row (8 bytes) to text. Errors: TA_DB, TA_DENIED. */
TA_MUST enum ta_rc transfer_open(struct db *db, const struct transfer_keys *keys,
	const struct table *t, const struct ta_field *f, struct map *out, struct ta_err *err);

/* Appends the document and a line end to `out`. Secrets only with `keys` (both of them) and `pass`,
 * whose salt this sets. Errors: TA_DB, TA_DENIED (a secret does not open), TA_LIMIT (more rows than
 * TRANSFER_ROWS_MAX), TA_INVALID (two rules of one name). */
struct transfer_export {
	struct arena *mem;
	const struct transfer_keys *keys; /* NULL: without secrets */
	struct box_pass *pass;
};
TA_MUST enum ta_rc transfer_write(
	struct db *db, const struct transfer_export *e, struct buf *out, struct ta_err *err);

/* The box of a document: sealing the secrets' JSON, and opening it into the rows' values. What is
 * wrong with the box itself or names no row is a problem of the document. Errors: TA_DENIED
 * (another passphrase). */
TA_MUST enum ta_rc transfer_lock(
	struct box_pass *pass, const char *json, json_t **out, struct ta_err *err);
TA_MUST enum ta_rc transfer_unlock(
	struct transfer_doc *doc, const char *pass, size_t n, struct ta_err *err);

/* What an import does to a row; KEPT: it is only in the database and stays. */
enum transfer_op {
	TRANSFER_ADDED,
	TRANSFER_CHANGED,
	TRANSFER_UNCHANGED,
	TRANSFER_REMOVED,
	TRANSFER_KEPT
};
struct transfer_field {
	const char *name, *before, *after; /* NULL: not set; a secret reads "set" */
};
struct transfer_change {
	const struct table *table;
	const char *name;
	enum transfer_op op;
	struct transfer_field *fields;
	size_t nfields;
};
struct transfer_import {
	const char *actor, *what; /* for the audit and the revision */
	bool dry_run, prune;
	const struct transfer_keys *keys; /* to tell a secret that is already there; may be NULL */
};
struct transfer_result {
	struct transfer_change *changes; /* in the arena of the document */
	size_t n;
	const char **notes; /* sentences about what needs a look, though it is no problem */
	size_t nnotes;
	bool applied;
};
const char *transfer_op_word(enum transfer_op op);
/* Makes the database say what the document says, in one transaction: all or, when there is a
 * problem or in a dry run, nothing. Problems that only the database knows are added to the
 * document's. Errors: TA_DB and its like; problems are no error. */
TA_MUST enum ta_rc transfer_apply(struct db *db, struct transfer_doc *doc,
	const struct transfer_import *how, struct transfer_result *out, struct ta_err *err);

#endif
