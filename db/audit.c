#include "db/audit.h"

#include "db/conn.h"
#include "src/arena.h"
#include "src/buf.h"
#include "src/clock.h"
#include "src/crypto.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ENTRY_MAX (1u << 20)

enum ta_rc audit_lock(struct db *db, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	db_arg_i32(&a, LOCK_AUDIT);
	return db_run(db, "SELECT pg_advisory_xact_lock($1::int, 0)", &a, err);
}

static void add_number(struct buf *b, int64_t v)
{
	unsigned char p[8];
	for (int i = 0; i < 8; i++)
		p[i] = (unsigned char)((uint64_t)v >> (56 - 8 * i));
	buf_add(b, p, sizeof(p));
}

static void add_text(struct buf *b, const char *s)
{
	size_t n = strlen(s);
	add_number(b, (int64_t)n);
	buf_add(b, s, n);
}

static void entry_hash(
	const uint8_t prev[SHA256_LEN], const struct audit_entry *e, uint8_t out[SHA256_LEN])
{
	struct buf b = BUF_INIT(ENTRY_MAX);
	buf_add(&b, prev, SHA256_LEN);
	add_number(&b, e->at_us);
	add_text(&b, e->actor);
	add_text(&b, e->action);
	add_text(&b, e->object);
	add_text(&b, e->before);
	add_text(&b, e->after);
	crypto_sha256(buf_str(&b), b.len, out);
	buf_release(&b);
}

static const char *or_empty(const char *s)
{
	return s ? s : "";
}

enum ta_rc audit_add(struct db *db, const struct audit_entry *given, struct ta_err *err)
{
	struct audit_entry e = *given;
	e.before = or_empty(e.before);
	e.after = or_empty(e.after);
	e.note = or_empty(e.note);
	uint8_t prev[SHA256_LEN] = {0}, hash[SHA256_LEN];
	PGresult *r = NULL;
	struct db_args a = DB_ARGS_INIT;
	if (strlen(e.before) + strlen(e.after) > ENTRY_MAX / 2)
		return ta_fail(
			err, TA_LIMIT, "an audit entry of more than %u bytes", ENTRY_MAX / 2);
	enum ta_rc rc = audit_lock(db, err);
	if (!rc)
		rc = db_query(db, "SELECT hash FROM audit ORDER BY id DESC LIMIT 1", NULL, &r, err);
	if (!rc && db_rows(r) && db_bytes(r, 0, 0).n == SHA256_LEN)
		memcpy(prev, db_bytes(r, 0, 0).p, SHA256_LEN);
	PQclear(r);
	if (rc)
		return rc;
	entry_hash(prev, &e, hash);
	db_arg_i64(&a, e.at_us);
	db_arg_text(&a, e.actor);
	db_arg_text(&a, e.action);
	db_arg_text(&a, e.object);
	db_arg_text(&a, e.before);
	db_arg_text(&a, e.after);
	db_arg_text(&a, e.note);
	db_arg_bytes(&a, hash, sizeof(hash));
	return db_run(db,
		"INSERT INTO audit (at_us, actor, action, object, before, after, note, hash) "
		"VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
		&a, err);
}

enum ta_rc revision_take(
	struct db *db, const char *actor, const char *what, int64_t *rev, struct ta_err *err)
{
	PGresult *r = NULL;
	struct db_args a = DB_ARGS_INIT;
	db_arg_i64(&a, clock_now_us());
	db_arg_text(&a, actor);
	db_arg_text(&a, what);
	enum ta_rc rc = db_query(db,
		"WITH r AS (INSERT INTO revision (at_us, actor, what) VALUES ($1, $2, $3) "
		"RETURNING rev) SELECT rev, pg_notify('config', rev::text)::text FROM r",
		&a, &r, err);
	if (!rc)
		*rev = db_i64(r, 0, 0);
	PQclear(r);
	db_args_release(&a);
	return rc;
}

enum ta_rc audit_last(struct db *db, const char *object, int n, struct arena *mem,
	struct audit_last *out, struct ta_err *err)
{
	PGresult *r = NULL;
	struct db_args a = DB_ARGS_INIT;
	*out = (struct audit_last){0};
	db_arg_text(&a, arena_fmt(mem, "%s (", object));
	enum ta_rc rc = db_query(db,
		"SELECT actor, at_us, after FROM audit WHERE starts_with(object, $1) AND id > "
		"(SELECT coalesce(max(id), 0) FROM audit) - 5000 ORDER BY id DESC LIMIT 20",
		&a, &r, err);
	db_args_release(&a);
	if (rc)
		return rc;
	out->set = "";
	for (int i = 0; i < db_rows(r) && i < n; i++)
		out->set = arena_fmt(mem, "%s%s\n", out->set, db_text(r, i, 2));
	if (db_rows(r)) {
		out->actor = arena_strdup(mem, db_text(r, 0, 0));
		out->at_us = db_i64(r, 0, 1);
	}
	PQclear(r);
	return TA_OK;
}

/* One page of the chain; *last and prev go on from page to page. */
static enum ta_rc verify_page(struct db *db, int64_t *last, uint8_t prev[SHA256_LEN], int *n,
	int64_t *bad, struct ta_err *err)
{
	PGresult *r = NULL;
	struct db_args a = DB_ARGS_INIT;
	db_arg_i64(&a, *last);
	enum ta_rc rc = db_query(db,
		"SELECT id, at_us, actor, action, object, before, after, hash FROM audit "
		"WHERE id > $1 ORDER BY id LIMIT 1000",
		&a, &r, err);
	db_args_release(&a);
	if (rc)
		return rc;
	*n = db_rows(r);
	for (int i = 0; i < *n && !*bad; i++) {
		uint8_t hash[SHA256_LEN];
		struct audit_entry e = {.at_us = db_i64(r, i, 1),
			.actor = db_text(r, i, 2),
			.action = db_text(r, i, 3),
			.object = db_text(r, i, 4),
			.before = db_text(r, i, 5),
			.after = db_text(r, i, 6)};
		struct db_bytes stored = db_bytes(r, i, 7);
		entry_hash(prev, &e, hash);
		*last = db_i64(r, i, 0);
		if (stored.n != SHA256_LEN || memcmp(hash, stored.p, SHA256_LEN) != 0)
			*bad = *last;
		memcpy(prev, hash, SHA256_LEN);
	}
	PQclear(r);
	return TA_OK;
}

enum ta_rc audit_verify(struct db *db, int64_t *entries, int64_t *bad, struct ta_err *err)
{
	uint8_t prev[SHA256_LEN] = {0};
	int64_t last = 0;
	int n = 1;
	enum ta_rc rc = TA_OK;
	*entries = 0;
	*bad = 0;
	while (!rc && n && !*bad) {
		n = 0;
		rc = verify_page(db, &last, prev, &n, bad, err);
		*entries += n;
	}
	return rc;
}

const char *audit_actor(void)
{
	static char actor[80];
	const char *sudo = getenv("SUDO_USER");
	const struct passwd *pw = getpwuid(getuid());
	if (!actor[0] && sudo && *sudo && getuid() == 0)
		snprintf(actor, sizeof(actor), "user:%.60s", sudo);
	else if (!actor[0] && pw)
		snprintf(actor, sizeof(actor), "user:%.60s", pw->pw_name);
	else if (!actor[0])
		snprintf(actor, sizeof(actor), "user:%u", (unsigned)getuid());
	return actor;
}
