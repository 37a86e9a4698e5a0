#include "db/receipt.h"

#include "db/log_id.h"
#include "src/lz.h"
#include "src/words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STORE_NAME "coalesce((SELECT name FROM store s WHERE s.id = i.store_id), '')"

/* Columns: writer, id, received, store, topic, source, webhook id, remote, failure, detail, first
 * writer, first id, differs. $1 = the first id of the time asked for, $2 = that time. */
static const char *const lists[] = {
	[RECEIPT_FAILED] =
		"SELECT f.writer, f.id, i.received_us, " STORE_NAME ", i.topic, i.source::int, "
		"i.webhook_id, i.remote, f.failure::int, f.detail, 0, 0::bigint, false FROM "
		"failed_receipt f JOIN inbox i ON i.writer = f.writer AND i.id = f.id "
		"WHERE f.id >= $1 AND i.id >= $1 AND $2::bigint IS NOT NULL ORDER BY f.id DESC LIMIT ",
	[RECEIPT_REFUSED] =
		"SELECT 0, id, at_us, domain, topic, -1, '', remote, -1, reason, 0, 0::bigint, false "
		"FROM refused WHERE $1::bigint IS NOT NULL AND at_us >= $2 ORDER BY id DESC LIMIT ",
	[RECEIPT_REPEATS] =
		"SELECT r.writer, r.id, r.at_us, " STORE_NAME ", coalesce(i.topic, ''), "
		"coalesce(i.source::int, -1), coalesce(i.webhook_id, ''), coalesce(i.remote, ''), -1, "
		"'', r.first_writer, r.first_id, r.body IS NOT NULL FROM receipt_repeat r "
		"LEFT JOIN inbox i ON i.writer = r.first_writer AND i.id = r.first_id "
		"WHERE r.id >= $1 AND $2::bigint IS NOT NULL ORDER BY r.id DESC LIMIT ",
};

static struct receipt_row take(const PGresult *r, int i, struct arena *a)
{
	int source = (int)db_i64(r, i, 5), failure = (int)db_i64(r, i, 8);
	return (struct receipt_row){.writer = (int16_t)db_i64(r, i, 0),
		.id = db_i64(r, i, 1),
		.received_us = db_i64(r, i, 2),
		.store = arena_strdup(a, db_text(r, i, 3)),
		.topic = arena_strdup(a, db_text(r, i, 4)),
		.source = source < 0 ? "" : source_word(source),
		.webhook_id = arena_strdup(a, db_text(r, i, 6)),
		.remote = arena_strdup(a, db_text(r, i, 7)),
		.failure = failure < 0 ? "" : failure_word(failure),
		.detail = arena_strdup(a, db_text(r, i, 9)),
		.first_writer = (int16_t)db_i64(r, i, 10),
		.first_id = db_i64(r, i, 11),
		.differs = db_bool(r, i, 12)};
}

enum ta_rc receipt_list(struct db *db, const struct receipt_query *q, struct arena *a,
	struct receipt_row **out, size_t *n, struct ta_err *err)
{
	char sql[800];
	PGresult *r = NULL;
	struct db_args args = DB_ARGS_INIT;
	db_arg_i64(&args, q->since_us ? log_id_at(q->since_us) : 0);
	db_arg_i64(&args, q->since_us);
	snprintf(sql, sizeof(sql), "%s%lld", lists[q->kind], (long long)q->limit);
	enum ta_rc rc = db_query(db, sql, &args, &r, err);
	*n = rc ? 0 : (size_t)db_rows(r);
	*out = arena_alloc(a, (*n + 1) * sizeof(**out));
	for (size_t i = 0; i < *n; i++)
		(*out)[i] = take(r, (int)i, a);
	PQclear(r);
	db_args_release(&args);
	return rc;
}

enum ta_rc receipt_place(
	struct db *db, const char *text, int16_t *writer, int64_t *id, struct ta_err *err)
{
	char *end = NULL;
	PGresult *r = NULL;
	struct db_args args = DB_ARGS_INIT;
	long long first = strtoll(text, &end, 10), second = 0;
	bool pair = *end == '/';
	if (pair)
		second = strtoll(end + 1, &end, 10);
	if (*end || end == text || first < 1 || (pair && (second < 1 || first > INT16_MAX)))
		return ta_fail(err, TA_INVALID,
			"\"%.40s\" is no receipt: WRITER/ID as trackai receipt list shows it",
			text);
	*writer = pair ? (int16_t)first : 0;
	*id = pair ? second : first;
	db_arg_i64(&args, *id);
	enum ta_rc rc = pair ? TA_OK
			     : db_query(db,
				       "SELECT writer FROM inbox WHERE id = $1 AND writer IN "
				       "(SELECT id FROM writer) LIMIT 2",
				       &args, &r, err);
	if (!rc && !pair && db_rows(r) == 0)
		rc = ta_fail(err, TA_NOTFOUND, "there is no receipt %.40s", text);
	else if (!rc && !pair && db_rows(r) > 1)
		rc = ta_fail(err, TA_INVALID,
			"more than one writer has a receipt %.40s; give "
			"WRITER/ID",
			text);
	else if (!rc && !pair)
		*writer = (int16_t)db_i64(r, 0, 0);
	PQclear(r);
	db_args_release(&args);
	return rc;
}

static enum ta_rc add_body(struct db *db, const struct db_args *args, struct arena *a,
	struct receipt_row *out, struct ta_err *err)
{
	PGresult *r = NULL;
	char *text = NULL;
	struct ta_err ignored;
	enum ta_rc rc = db_query(
		db, "SELECT body FROM inbox_body WHERE writer = $1 AND id = $2", args, &r, err);
	if (!rc && db_rows(r)) {
		struct db_bytes body = db_bytes(r, 0, 0);
		if (lz_unpack(a, body.p, body.n, &text, &out->nbody, &ignored) == TA_OK)
			out->body = text;
	}
	PQclear(r);
	return rc;
}

enum ta_rc receipt_get(struct db *db, int16_t writer, int64_t id, struct arena *a,
	struct receipt_row *out, struct ta_err *err)
{
	PGresult *r = NULL;
	struct db_args args = DB_ARGS_INIT;
	db_arg_i32(&args, writer);
	db_arg_i64(&args, id);
	enum ta_rc rc = db_query(db,
		"SELECT i.writer, i.id, i.received_us, " STORE_NAME ", i.topic, i.source::int, "
		"i.webhook_id, i.remote, coalesce(f.failure::int, -1), coalesce(f.detail, ''), 0, "
		"0::bigint, false FROM inbox i LEFT JOIN failed_receipt f ON f.writer = i.writer "
		"AND f.id = i.id WHERE i.writer = $1 AND i.id = $2",
		&args, &r, err);
	if (!rc && db_rows(r) == 0)
		rc = ta_fail(
			err, TA_NOTFOUND, "there is no receipt %d/%lld", writer, (long long)id);
	if (!rc) {
		*out = take(r, 0, a);
		rc = add_body(db, &args, a, out, err);
	}
	PQclear(r);
	db_args_release(&args);
	return rc;
}
