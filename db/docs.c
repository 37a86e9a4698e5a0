#include "db/docs.h"

#include "db/conn.h"
#include "db/log_id.h"
#include "src/arena.h"
#include "src/buf.h"
#include "src/lz.h"

static void each(struct docs_query *q, const PGresult *r, int i, struct arena *a)
{
	struct docs_event e = {.id = db_i64(r, i, 0),
		.store_id = (int32_t)db_i64(r, i, 1),
		.received_us = db_i64(r, i, 2)};
	struct db_bytes doc = db_bytes(r, i, 3);
	struct ta_err ignored;
	char *text = NULL;
	size_t n = 0;
	if (lz_unpack(a, doc.p, doc.n, &text, &n, &ignored) ||
		event_read(a, text, n, &e.ev, &ignored))
		q->damaged++;
	else
		q->each(q->arg, &e, a);
}

enum ta_rc docs_each(struct db *db, struct docs_query *q, struct ta_err *err)
{
	int64_t from = log_id_at(q->from_us), to = log_id_at(q->to_us);
	struct arena mem = ARENA_INIT;
	enum ta_rc rc = TA_OK;
	int n = 1;
	while (!rc && n > 0 && !q->stopped) {
		PGresult *r = NULL;
		struct db_args a = DB_ARGS_INIT;
		db_arg_i64(&a, from);
		db_arg_i64(&a, to);
		rc = db_query(db,
			"SELECT e.id, e.store_id, e.received_us, d.doc FROM event e JOIN event_doc d "
			"ON d.id = e.id WHERE e.id >= $1 AND e.id < $2 AND d.id >= $1 AND d.id < $2 "
			"ORDER BY e.id LIMIT 2000",
			&a, &r, err);
		db_args_release(&a);
		n = rc ? 0 : db_rows(r);
		for (int i = 0; i < n; i++) {
			each(q, r, i, &mem);
			arena_clear(&mem);
		}
		if (n)
			from = db_i64(r, n - 1, 0) + 1;
		PQclear(r);
		if (!rc && n)
			q->stopped = q->pause(q->arg, log_id_us(from));
	}
	arena_release(&mem);
	return rc;
}

enum ta_rc docs_newest(struct db *db, struct docs_query *q, int64_t *from, int64_t below, int most,
	struct ta_err *err)
{
	struct arena mem = ARENA_INIT;
	PGresult *r = NULL;
	struct buf sql = BUF_INIT(1000);
	/* Bounds and limit stand in the text: only the partitions in question are planned. */
	buf_addf(&sql,
		"SELECT e.id, e.store_id, e.received_us, d.doc FROM event e JOIN event_doc d "
		"ON d.id = e.id WHERE e.id >= %lld AND e.id < %lld AND d.id >= %lld AND d.id < %lld "
		"ORDER BY e.id DESC LIMIT %d",
		(long long)*from, (long long)below, (long long)*from, (long long)below, most);
	enum ta_rc rc = db_query(db, buf_str(&sql), NULL, &r, err);
	int n = rc ? 0 : db_rows(r);
	for (int i = 0; i < n; i++) {
		each(q, r, i, &mem);
		arena_clear(&mem);
	}
	if (n == most)
		*from = db_i64(r, n - 1, 0);
	PQclear(r);
	buf_release(&sql);
	arena_release(&mem);
	return rc;
}
