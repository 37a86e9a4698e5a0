/* Pixels: destination accounts of a store. Every edit keeps the settings as they were
 * (pixel_version), because a batch in flight is rebuilt with its own version. */
#include "db/conn.h"
#include "db/secret.h"
#include "db/table.h"
#include "src/arena.h"
#include "src/buf.h"
#include "src/name_map.h"
#include "src/platform.h"

#include <stdio.h>
#include <string.h>

static const struct ta_field fields[] = {
	{.name = "store",
		.title = "Store",
		.type = FIELD_REF,
		.flags = FIELD_REQUIRED | FIELD_FIXED,
		.ref = "store",
		.help = "the store whose events it gets"},
	{.name = "name",
		.title = "Name",
		.max = 60,
		.check = field_check_name,
		.help = "what operators call it; the platform's name by default"},
	{.name = "platform",
		.title = "Platform",
		.type = FIELD_CHOICE,
		.flags = FIELD_REQUIRED | FIELD_FIXED,
		.choices = "pinterest|meta|tiktok|sheets",
		.help = "pinterest, meta, tiktok or sheets"},
	{.name = "account",
		.title = "Account",
		.flags = FIELD_REQUIRED,
		.max = 100,
		.check = field_check_account,
		.help = "the ad account, pixel, data set or spreadsheet id"},
	{.name = "token",
		.title = "Token",
		.flags = FIELD_REQUIRED | FIELD_SECRET,
		.max = SECRET_MAX,
		.help = "the platform's access token"},
	{.name = "test_code",
		.title = "Test code",
		.max = 100,
		.check = field_check_account,
		.help = "sends everything as a test under this code"},
	{.name = "content_id",
		.title = "Content id",
		.type = FIELD_CHOICE,
		.flags = FIELD_REQUIRED | FIELD_WIDE,
		.choices = "auto|variant_id|product_id|sku",
		.def = "auto",
		.help = "which id of an item is sent"},
	{.name = "event_names",
		.title = "Event names",
		.flags = FIELD_WIDE | FIELD_LINES,
		.max = 8000,
		.check = event_map_check,
		.help = "its names of events: lead = signup, custom:x = Contact; never: not sent"},
	{.name = "content_ids",
		.title = "Content ids",
		.flags = FIELD_WIDE | FIELD_LINES,
		.max = NAME_MAP_BYTES,
		.check = name_map_check,
		.help = "the catalogue's ids of ours: 4711 = SKU-1, 12 = X; never: left out"},
	{.name = "state", .title = "State", .flags = FIELD_READONLY, .help = "active or held"},
	{.name = "state_reason",
		.title = "Reason",
		.flags = FIELD_READONLY,
		.help = "why it is held: operator, auth, config, restored"},
	{.name = "state_detail",
		.title = "Detail",
		.flags = FIELD_READONLY | FIELD_WIDE,
		.help = "the platform's words"},
	{.name = "since_id",
		.title = "Since",
		.flags = FIELD_READONLY | FIELD_WIDE,
		.help = "it gets events behind this id"},
	{.name = "created",
		.title = "Created",
		.type = FIELD_TIME,
		.flags = FIELD_READONLY | FIELD_WIDE,
		.help = "when it was added"},
};

static enum ta_rc store_id_of(struct table_change *c, int64_t *id, struct ta_err *err)
{
	struct table_row store;
	enum ta_rc rc = table_find(
		c->db, table_get("store"), table_value(c, "store"), c->edit->mem, &store, err);
	*id = rc ? 0 : store.id;
	return rc;
}

/* Without a name: the platform's, numbered when the store has it already. */
static enum ta_rc choose_name(
	struct table_change *c, int64_t store_id, const char **name, struct ta_err *err)
{
	const char *platform = table_value(c, "platform");
	*name = table_value(c, "name");
	for (int i = 1; !*name; i++) {
		const char *try = i == 1 ? platform : arena_fmt(c->edit->mem, "%s-%d", platform, i);
		PGresult *r = NULL;
		struct db_args a = DB_ARGS_INIT;
		db_arg_i64(&a, store_id);
		db_arg_text(&a, try);
		enum ta_rc rc = db_query(c->db,
			"SELECT FROM pixel WHERE store_id = $1 AND name = $2 LIMIT 1", &a, &r, err);
		if (!rc && db_rows(r) == 0)
			*name = try;
		PQclear(r);
		db_args_release(&a);
		if (rc)
			return rc;
	}
	return TA_OK;
}

static enum ta_rc seal_token(
	struct table_change *c, const void *uid, struct buf *out, struct ta_err *err)
{
	struct secret_place at = secret_of_pixel(uid);
	return table_seal(c, "token", &at, out, err);
}

/* The settings of the row's current version, without secrets. */
static enum ta_rc keep_version(struct table_change *c, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	db_arg_i64(&a, c->edit->id);
	db_arg_i64(&a, c->rev);
	return db_run(c->db,
		"INSERT INTO pixel_version (pixel_id, version, rev, settings) SELECT id, version, $2, "
		"jsonb_build_object('name', name, 'platform', platform, 'account', account, "
		"'test_code', test_code, 'content_id', content_id, 'event_names', event_names, "
		"'content_ids', content_ids) FROM pixel WHERE id = $1",
		&a, err);
}

static const char *or_empty(const char *v)
{
	return v ? v : "";
}

static void bind(struct db_args *a, const struct table_change *c, const char *name)
{
	db_arg_text(a, name);
	db_arg_text(a, table_value(c, "account"));
	db_arg_text(a, table_value(c, "test_code"));
	db_arg_text(a, table_value(c, "content_id"));
	db_arg_i64(a, c->now_us);
	db_arg_text(a, or_empty(table_value(c, "event_names")));
	db_arg_text(a, or_empty(table_value(c, "content_ids")));
}

static enum ta_rc insert(struct table_change *c, struct ta_err *err)
{
	uint8_t uid[16];
	int64_t store_id = 0;
	const char *name = NULL;
	struct buf sealed = BUF_INIT(SECRET_MAX + SEAL_OVERHEAD + 1);
	PGresult *r = NULL;
	struct db_args a = DB_ARGS_INIT;
	crypto_random(uid, sizeof(uid));
	enum ta_rc rc = store_id_of(c, &store_id, err);
	if (!rc)
		rc = choose_name(c, store_id, &name, err);
	if (!rc)
		rc = seal_token(c, uid, &sealed, err);
	if (rc)
		goto out;
	c->v[field_index(fields, TA_COUNT(fields), "name")] = name;
	c->label = name;
	bind(&a, c, name);
	db_arg_i64(&a, store_id);
	db_arg_text(&a, table_value(c, "platform"));
	db_arg_bytes(&a, uid, sizeof(uid));
	db_arg_bytes(&a, sealed.p, sealed.len);
	rc = db_query(c->db,
		"INSERT INTO pixel (name, account, test_code, content_id, created_us, updated_us, "
		"event_names, content_ids, store_id, platform, uid, token, token_us, since_id) VALUES ($1, "
		"$2, $3, $4, $5, $5, $6, $7, $8, $9, $10, $11, $5, (SELECT coalesce(max(id), 0) FROM event)) RETURNING id",
		&a, &r, err);
	if (!rc) {
		c->edit->id = db_i64(r, 0, 0);
		rc = keep_version(c, err);
	}
out:
	PQclear(r);
	db_args_release(&a);
	buf_release(&sealed);
	return rc;
}

static enum ta_rc update(struct table_change *c, struct ta_err *err)
{
	uint8_t uid[16];
	struct buf sealed = BUF_INIT(SECRET_MAX + SEAL_OVERHEAD + 1);
	struct db_args a = DB_ARGS_INIT;
	const char *name = table_value(c, "name");
	if (!name)
		return ta_fail_field(err, "name", "name: a pixel needs one");
	enum ta_rc rc = table_uid(c, uid, err);
	if (!rc)
		rc = seal_token(c, uid, &sealed, err);
	bind(&a, c, name);
	db_arg_i64(&a, c->edit->id);
	db_arg_bytes(&a, sealed.len ? sealed.p : NULL, sealed.len);
	if (!rc)
		rc = db_query(c->db,
			"UPDATE pixel SET name = $1, account = $2, test_code = $3, content_id = $4, "
			"updated_us = $5, event_names = $6, content_ids = $7, version = version + 1, "
			"token = coalesce($9, token), token_us = CASE WHEN $9 IS NULL THEN token_us ELSE $5 END "
			"WHERE id = $8",
			&a, NULL, err);
	if (!rc)
		rc = keep_version(c, err);
	db_args_release(&a);
	buf_release(&sealed);
	return rc;
}

/* The row stays, because deliveries name it; its name becomes free again. */
static enum ta_rc remove_row(struct table_change *c, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	db_arg_i64(&a, c->edit->id);
	db_arg_i64(&a, c->now_us);
	enum ta_rc rc = db_query(c->db,
		"UPDATE pixel SET deleted_us = $2, updated_us = $2, version = version + 1, "
		"name = name || ' (deleted ' || id || ')', token = NULL WHERE id = $1",
		&a, NULL, err);
	if (!rc)
		rc = keep_version(c, err);
	db_args_release(&a);
	return rc;
}

/* What depends on the platform: the account's form, and the names of events it knows. */
static enum ta_rc check(struct table_change *c, struct ta_err *err)
{
	const struct event_map *events;
	struct ta_err why = {0};
	const char *account = table_value(c, "account");
	int platform = platform_of(table_value(c, "platform"));
	if (platform >= 0 && !platform_account_valid((enum platform_id)platform, account))
		return ta_fail_field(err, "account", "account: \"%.100s\" is no %s; expected %s",
			account, platform_get((enum platform_id)platform)->account,
			platform_get((enum platform_id)platform)->account_form);
	if (event_map_parse(c->edit->mem, table_value(c, "event_names"), platform, &events, &why))
		return ta_fail_field(err, "event_names", "event_names: %s", why.msg);
	return TA_OK;
}

const struct table table_pixel = {
	.word = "pixel",
	.title = "Pixels",
	.fields = fields,
	.nfields = TA_COUNT(fields),
	.document = "pixels",
	.place = secret_of_pixel,
	.select = "SELECT p.id::text, p.version::text, s.name, p.name, p.platform, p.account, "
		  "CASE WHEN p.token IS NULL THEN NULL ELSE 'set' END, p.test_code, p.content_id, "
		  "nullif(p.event_names, ''), nullif(p.content_ids, ''), "
		  "p.state, p.state_reason, p.state_detail, p.since_id::text, p.created_us::text "
		  "FROM pixel p JOIN store s ON s.id = p.store_id WHERE p.deleted_us IS NULL "
		  "AND ($1 = 0 OR p.id = $1) AND ($2 IS NULL OR s.name = $2) "
		  "ORDER BY s.name, p.name LIMIT 10000",
	.find = "SELECT p.id FROM pixel p JOIN store s ON s.id = p.store_id "
		"WHERE p.deleted_us IS NULL AND (p.id::text = $1 OR p.name = $1 OR s.name || '/' || p.name = $1) LIMIT 2",
	.check = check,
	.insert = insert,
	.update = update,
	.remove = remove_row,
	.remove_word = "delete",
};
