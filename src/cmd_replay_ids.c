/* The deliveries that trackai delivery replay --ids names. */
#include "db/conn.h"
#include "db/find.h"
#include "src/buf.h"
#include "src/cmd_file.h"
#include "src/cmd_replay.h"

#include <stdlib.h>
#include <string.h>

#define IDS_BYTES ((size_t)64 << 20)

static bool number(const char *s, int64_t *out)
{
	size_t n = strlen(s);
	if (!n || n > 18 || strspn(s, "0123456789") != n)
		return false;
	*out = strtoll(s, NULL, 10);
	return true;
}

/* A pixel's number, or its name in the event's store. */
static enum ta_rc read_pixel(
	struct db *db, const char *text, struct replay_pick *k, struct ta_err *err)
{
	TA_CLEANUP(db_clear) PGresult *r = NULL;
	int64_t id = 0;
	struct db_args a = DB_ARGS_INIT;
	if (number(text, &id) && id <= INT32_MAX) {
		k->pixel_id = (int32_t)id;
		return TA_OK;
	}
	db_arg_i64(&a, k->event_id);
	db_arg_text(&a, text);
	enum ta_rc rc = db_read(db,
		"SELECT p.id FROM event e JOIN pixel p ON p.store_id = e.store_id WHERE e.id = $1 "
		"AND p.name = $2",
		&a, &r, err);
	if (!rc && !db_rows(r))
		rc = ta_fail(err, TA_NOTFOUND, "event %lld is of no store with a pixel \"%.60s\"",
			(long long)k->event_id, text);
	if (!rc)
		k->pixel_id = (int32_t)db_i64(r, 0, 0);
	return rc;
}

static enum ta_rc read_one(struct db *db, char *word, struct replay_pick *k, struct ta_err *err)
{
	char *slash = strchr(word, '/');
	*k = (struct replay_pick){0};
	if (slash)
		*slash++ = '\0';
	enum ta_rc rc =
		number(word, &k->event_id) ? TA_OK : find_event_id(db, word, &k->event_id, err);
	return rc || !slash || !*slash ? rc : read_pixel(db, slash, k, err);
}

static enum ta_rc read_text(const char *ids, struct buf *b, struct ta_err *err)
{
	if (strcmp(ids, "-") == 0)
		return cmd_read_file(ids, IDS_BYTES, b, err);
	if (*ids == '@')
		return cmd_read_file(ids + 1, IDS_BYTES, b, err);
	buf_adds(b, ids);
	return TA_OK;
}

enum ta_rc replay_read_ids(struct db *db, const char *ids, struct arena *a,
	struct replay_picks *out, struct ta_err *err)
{
	static const char between[] = ", \t\r\n";
	struct buf b = BUF_INIT(IDS_BYTES + 1);
	enum ta_rc rc = read_text(ids, &b, err);
	char *text = rc ? NULL : arena_strdup(a, buf_str(&b));
	size_t most = 1;
	for (const char *s = text; s && *s; s++)
		most += strchr(between, *s) != NULL;
	out->v = arena_alloc(a, most * sizeof(*out->v));
	out->n = 0;
	for (char *s = text; !rc && s && *(s += strspn(s, between));) {
		size_t len = strcspn(s, between);
		char *next = s + len + (s[len] != '\0');
		s[len] = '\0';
		rc = read_one(db, s, &out->v[out->n++], err);
		s = next;
	}
	if (!rc && !out->n)
		rc = ta_fail(err, TA_USAGE, "--ids names nothing: EVENT or EVENT/PIXEL, by comma");
	buf_release(&b);
	return rc;
}
