/* The editable tables (db/tables.def): store, pixel, rule, key. Each table_X.c describes its fields
 * (src/field.h) and its SQL; listing, validation, the version check, the audit diff, the
 * revision and the notice to the stages are here, once. One change = one transaction. */
#ifndef DB_TABLE_H
#define DB_TABLE_H

#include "src/err.h"
#include "src/field.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct buf;
struct db;
struct secret_place;
struct table;

/* v[i] is the text of field i, NULL when not set; a secret reads "set". */
struct table_row {
	int64_t id;
	int version; /* 0 where the table keeps none */
	const char **v;
};
struct table_rows {
	struct table_row *rows;
	size_t n;
};

/* A change as asked for. Fields that are NULL in `v` keep their value (or get their default);
 * "" unsets. Secrets are given in clear. */
struct table_edit {
	struct arena *mem;
	const char *actor;
	int64_t id;         /* of the row; filled in by table_add */
	int version;        /* the version that was looked at, 0: whichever is current */
	const char **v;     /* nfields of them */
	const char *note;   /* why, for the audit log; NULL: nobody said */
	const char *reveal; /* table_add: what is shown once (an API key), else NULL */
	/* For rows that come from elsewhere (db/transfer.h). */
	const char *uid; /* table_add: 32 hex digits, the identity it had there; NULL: a new one */
	bool may_lack;   /* a required secret may be missing: it comes later */
	const struct table_row *known; /* the row, read in this transaction; NULL: it is read */
	bool if_differs; /* table_tx_set: nothing is written when every field is as it was */
	/* Filled in by the table_tx functions: the row before (NULL: there was none) and as it is
	 * now, in the tables' own writing; of a secret only whether it was given. */
	const struct table_row *was;
	const char **now;
	bool same; /* nothing was written */
};

/* What a table's own functions see: inside the transaction, behind the audit lock, checked. */
struct table_change {
	struct db *db;
	const struct table *table;
	struct table_edit *edit;
	int64_t now_us, rev;
	const struct table_row *before; /* NULL when the row is new */
	const char **v; /* the whole row as it shall be; secrets: clear text if given, else NULL */
	const char *label; /* for the audit's object: the row's name */
};

struct table {
	const char *word, *title;
	const struct ta_field *fields;
	size_t nfields;
	/* Rows as text columns: id, version, then one per field; $1 = id or 0 for all, $2 = store's
	 * name or NULL for all. */
	const char *select;
	const char *document; /* its member in an export (db/transfer.h), NULL: stays here */
	bool keeps_uid;       /* an export names the row's uid, and an import gives it */
	/* Where the secrets of a row with this uid belong; NULL when it has none. */
	struct secret_place (*place)(const void *uid);
	const char *find; /* ids of the rows that the text $1 names, at most 2 */
	enum ta_rc (*check)(struct table_change *c, struct ta_err *err);  /* may be NULL */
	enum ta_rc (*insert)(struct table_change *c, struct ta_err *err); /* sets edit->id */
	enum ta_rc (*update)(struct table_change *c, struct ta_err *err); /* NULL: cannot change */
	enum ta_rc (*remove)(struct table_change *c, struct ta_err *err);
	const char *remove_word; /* "delete", "revoke" */
};

#define TABLE(word) extern const struct table table_##word;
#include "db/tables.def"
#undef TABLE

/* NULL if there is none. */
const struct table *table_get(const char *word);
/* The nth table, NULL behind the last. */
const struct table *table_at(size_t n);

/* Rows in display order, at most 10,000; `store` (a name) may be NULL. */
TA_MUST enum ta_rc table_list(struct db *db, const struct table *t, const char *store,
	struct arena *a, struct table_rows *out, struct ta_err *err);
/* The row that a number or name means. Errors: TA_NOTFOUND, TA_INVALID (ambiguous). */
TA_MUST enum ta_rc table_find(struct db *db, const struct table *t, const char *ref,
	struct arena *a, struct table_row *out, struct ta_err *err);
/* Errors of the three: TA_INVALID with err->field, TA_CONFLICT (another row has the name; or the
 * row changed meanwhile), TA_NOTFOUND, TA_DENIED, TA_DB. */
TA_MUST enum ta_rc table_add(
	struct db *db, const struct table *t, struct table_edit *e, struct ta_err *err);
TA_MUST enum ta_rc table_set(
	struct db *db, const struct table *t, struct table_edit *e, struct ta_err *err);
TA_MUST enum ta_rc table_remove(
	struct db *db, const struct table *t, struct table_edit *e, struct ta_err *err);

/* Several changes as one: one transaction and one revision, so that the stages hear of it once;
 * each change has its own audit entry. A change that fails leaves the others as they are. The
 * caller sets db, actor and what. */
struct table_tx {
	struct db *db;
	const char *actor, *what; /* of the revision: who, "import shops.json" */
	int64_t now_us, rev;      /* rev 0: nothing was changed yet */
};
/* Begins the transaction behind the audit lock: until it ends nobody else changes a table. */
TA_MUST enum ta_rc table_tx_begin(struct table_tx *tx, struct ta_err *err);
/* As the three above; their edits' actor is the transaction's. */
TA_MUST enum ta_rc table_tx_add(
	struct table_tx *tx, const struct table *t, struct table_edit *e, struct ta_err *err);
TA_MUST enum ta_rc table_tx_set(
	struct table_tx *tx, const struct table *t, struct table_edit *e, struct ta_err *err);
TA_MUST enum ta_rc table_tx_remove(
	struct table_tx *tx, const struct table *t, struct table_edit *e, struct ta_err *err);
TA_MUST enum ta_rc table_tx_commit(struct table_tx *tx, struct ta_err *err);
void table_tx_cancel(struct table_tx *tx); /* also after an error */

/* New reference: {"id":"1","name":…,"version":1}; ids as strings, bools as bools, times RFC 3339.
 */
json_t *table_json(const struct table *t, const struct table_row *row);
json_t *table_field_json(const struct ta_field *f, const char *v); /* one value of it */
/* For table files: the value of a field by name in c->v, NULL when unset; "" counts as unset. */
const char *table_value(const struct table_change *c, const char *field);
/* For tables that keep sealed secrets: the row's uid as stored. Errors: TA_DB. */
TA_MUST enum ta_rc table_uid(struct table_change *c, uint8_t uid[16], struct ta_err *err);
/* The uid of a row that is being added: the one it had elsewhere, else a random one. Errors:
 * TA_INVALID (not 32 hex digits). */
TA_MUST enum ta_rc table_new_uid(const struct table_change *c, uint8_t uid[16], struct ta_err *err);
/* Seals what c->v gives for a secret field, appended to `out`; nothing when it gives none. Errors:
 * those of secret_seal(). */
TA_MUST enum ta_rc table_seal(struct table_change *c, const char *field,
	const struct secret_place *at, struct buf *out, struct ta_err *err);

#endif
