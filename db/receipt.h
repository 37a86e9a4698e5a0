/* Receipts that an operator asks about: those that could not become events, requests whose
 * signature was refused, and repeats of a receipt that had been stored before. */
#ifndef DB_RECEIPT_H
#define DB_RECEIPT_H

#include "db/conn.h"

#include <stdbool.h>

enum receipt_kind { RECEIPT_FAILED, RECEIPT_REFUSED, RECEIPT_REPEATS };

/* One row; strings live in the caller's arena, "" where the kind has none. */
struct receipt_row {
	int16_t writer, first_writer; /* 0: refused requests have none */
	int64_t id, first_id;         /* first: what a repeat repeats, 0 else */
	int64_t received_us;
	const char *store; /* name; of refused requests the domain they named */
	const char *topic, *source, *webhook_id, *remote;
	const char *failure; /* word; of refused requests "signature" */
	const char *detail;
	bool differs;     /* a repeat whose body is another one */
	const char *body; /* receipt_get() alone; NULL: not kept any more */
	size_t nbody;
};

struct receipt_query {
	enum receipt_kind kind;
	int64_t since_us; /* received at or after; 0: from the beginning */
	int64_t limit;
};

/* Newest first; rows and strings in the arena. Errors: TA_DB. */
TA_MUST enum ta_rc receipt_list(struct db *db, const struct receipt_query *q, struct arena *a,
	struct receipt_row **out, size_t *n, struct ta_err *err);
/* WRITER/ID, or ID alone where one writer has it. Errors: TA_INVALID (no id; of several writers),
 * TA_NOTFOUND. */
TA_MUST enum ta_rc receipt_place(
	struct db *db, const char *text, int16_t *writer, int64_t *id, struct ta_err *err);
/* One verified receipt with its body, and with its failure if it has one. Errors: TA_NOTFOUND. */
TA_MUST enum ta_rc receipt_get(struct db *db, int16_t writer, int64_t id, struct arena *a,
	struct receipt_row *out, struct ta_err *err);

#endif
