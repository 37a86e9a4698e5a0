/* Stores: shops with their credentials, currency and time zone. */
#include "db/conn.h"
#include "db/secret.h"
#include "db/table.h"
#include "src/arena.h"
#include "src/buf.h"

#include <stdio.h>
#include <string.h>

static const struct ta_field fields[] = {
	{.name = "name",
		.title = "Name",
		.flags = FIELD_REQUIRED,
		.max = 60,
		.check = field_check_name,
		.help = "what operators call the store"},
	{.name = "platform",
		.title = "Platform",
		.type = FIELD_CHOICE,
		.flags = FIELD_REQUIRED | FIELD_FIXED,
		.choices = "shopify|meta|custom",
		.help = "shopify, meta or custom"},
	{.name = "domain",
		.title = "Domain",
		.flags = FIELD_LOWER,
		.max = 253,
		.check = field_check_domain,
		.help = "a Shopify store's NAME.myshopify.com, else the shop's host"},
	{.name = "currency",
		.title = "Currency",
		.flags = FIELD_REQUIRED | FIELD_UPPER,
		.min = 3,
		.max = 3,
		.check = field_check_currency,
		.help = "ISO 4217 code of the books, such as EUR"},
	{.name = "timezone",
		.title = "Time zone",
		.flags = FIELD_REQUIRED,
		.max = 60,
		.check = field_check_timezone,
		.def = "UTC",
		.help = "IANA name such as Europe/Berlin; hours and days follow it"},
	{.name = "consent",
		.title = "Consent",
		.type = FIELD_CHOICE,
		.flags = FIELD_REQUIRED,
		.choices = "optional|required",
		.def = "optional",
		.help = "may an event of unknown consent be sent (optional) or not (required)"},
	{.name = "purchase_on",
		.title = "Purchase on",
		.type = FIELD_CHOICE,
		.flags = FIELD_REQUIRED,
		.choices = "created|paid",
		.def = "created",
		.help = "the moment an order becomes a purchase"},
	{.name = "basis",
		.title = "Value basis",
		.type = FIELD_CHOICE,
		.flags = FIELD_REQUIRED | FIELD_WIDE,
		.choices = "total|subtotal|net",
		.def = "total",
		.help = "which price of an order is its value"},
	{.name = "send_pos",
		.title = "Send POS orders",
		.type = FIELD_BOOL,
		.flags = FIELD_REQUIRED | FIELD_WIDE,
		.def = "false",
		.help = "whether point-of-sale orders go to the platforms"},
	{.name = "send_draft",
		.title = "Send draft orders",
		.type = FIELD_BOOL,
		.flags = FIELD_REQUIRED | FIELD_WIDE,
		.def = "false",
		.help = "whether orders made from drafts go to the platforms"},
	{.name = "webhook_secret",
		.title = "Webhook secret",
		.flags = FIELD_SECRET,
		.max = SECRET_MAX,
		.help = "signs the shop's webhooks; the one before stays valid"},
	{.name = "canary",
		.title = "Canary",
		.type = FIELD_INT,
		.flags = FIELD_REQUIRED | FIELD_WIDE,
		.max = 10080,
		.def = "0",
		.help = "minutes between two synthetic orders that go the whole way; 0: none"},
	{.name = "state",
		.title = "State",
		.flags = FIELD_READONLY,
		.help = "active or uninstalled"},
	{.name = "created",
		.title = "Created",
		.type = FIELD_TIME,
		.flags = FIELD_READONLY | FIELD_WIDE,
		.help = "when it was added"},
};

/* A file of tzdata, by its magic: folders and tables lie beside the zones. */
static bool is_zone_file(const char *path)
{
	char magic[4] = "";
	FILE *f = fopen(path, "re");
	bool is = f && fread(magic, 1, sizeof(magic), f) == sizeof(magic) &&
		  memcmp(magic, "TZif", sizeof(magic)) == 0;
	if (f)
		fclose(f);
	return is;
}

/* tzdata knows the name, or PostgreSQL does. */
static enum ta_rc check_zone(struct table_change *c, struct ta_err *err)
{
	char path[160];
	const char *zone = table_value(c, "timezone");
	snprintf(path, sizeof(path), "/usr/share/zoneinfo/%.100s", zone);
	if (is_zone_file(path) && strncmp(zone, "right/", 6) != 0)
		return TA_OK;
	PGresult *r = NULL;
	struct db_args a = DB_ARGS_INIT;
	db_arg_text(&a, zone);
	enum ta_rc rc = db_query(
		c->db, "SELECT FROM pg_timezone_names WHERE name = $1 LIMIT 1", &a, &r, err);
	if (!rc && db_rows(r) == 0)
		rc = ta_fail_field(err, "timezone",
			"timezone: there is no time zone \"%.60s\"; write it as in Europe/Berlin",
			zone);
	PQclear(r);
	db_args_release(&a);
	return rc;
}

static enum ta_rc check(struct table_change *c, struct ta_err *err)
{
	const char *domain = table_value(c, "domain");
	if (strcmp(table_value(c, "platform"), "shopify") == 0) {
		if (!domain)
			return ta_fail_field(err, "domain",
				"domain: is required for a Shopify store; NAME.myshopify.com");
		if (!field_is_shopify_domain(domain))
			return ta_fail_field(err, "domain",
				"domain: \"%.80s\" is not of the form NAME.myshopify.com; the shop's "
				"webhooks come under that name",
				domain);
	}
	return check_zone(c, err);
}

static enum ta_rc seal_secret(
	struct table_change *c, const void *uid, struct buf *out, struct ta_err *err)
{
	struct secret_place at = secret_of_store(uid);
	return table_seal(c, "webhook_secret", &at, out, err);
}

static void bind(struct db_args *a, const struct table_change *c)
{
	static const char *const bound[] = {"name", "domain", "currency", "timezone", "consent",
		"purchase_on", "basis", "send_pos", "send_draft", "canary"};
	for (size_t i = 0; i < TA_COUNT(bound); i++)
		db_arg_text(a, table_value(c, bound[i]));
	db_arg_i64(a, c->now_us);
}

static enum ta_rc insert(struct table_change *c, struct ta_err *err)
{
	uint8_t uid[16];
	struct buf sealed = BUF_INIT(SECRET_MAX + SEAL_OVERHEAD + 1);
	PGresult *r = NULL;
	struct db_args a = DB_ARGS_INIT;
	enum ta_rc rc = table_new_uid(c, uid, err);
	if (!rc)
		rc = seal_secret(c, uid, &sealed, err);
	bind(&a, c);
	db_arg_text(&a, table_value(c, "platform"));
	db_arg_bytes(&a, uid, sizeof(uid));
	db_arg_bytes(&a, sealed.len ? sealed.p : NULL, sealed.len);
	if (!rc)
		rc = db_query(c->db,
			"INSERT INTO store (name, domain, currency, timezone, consent, purchase_on, "
			"basis, send_pos, send_draft, canary, created_us, updated_us, platform, uid, "
			"webhook_secret) VALUES ($1, $2, $3, $4, $5, $6, $7, $8::boolean, "
			"$9::boolean, $10::text::int, $11, $11, $12, $13, $14) RETURNING id",
			&a, &r, err);
	if (!rc)
		c->edit->id = db_i64(r, 0, 0);
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
	int secret = field_index(fields, TA_COUNT(fields), "webhook_secret");
	bool cleared = c->v[secret] && !*c->v[secret];
	enum ta_rc rc = table_uid(c, uid, err);
	if (!rc)
		rc = seal_secret(c, uid, &sealed, err);
	bind(&a, c);
	db_arg_i64(&a, c->edit->id);
	db_arg_bytes(&a, sealed.len ? sealed.p : NULL, sealed.len);
	db_arg_bool(&a, cleared);
	if (!rc)
		rc = db_query(c->db,
			"UPDATE store SET name = $1, domain = $2, currency = $3, timezone = $4, "
			"consent = $5, purchase_on = $6, basis = $7, send_pos = $8::boolean, "
			"send_draft = $9::boolean, canary = $10::text::int, updated_us = $11, version = version "
			"+ 1, webhook_secret_prev = CASE WHEN $14 THEN NULL WHEN $13 IS NULL THEN "
			"webhook_secret_prev ELSE webhook_secret END, "
			"webhook_secret = CASE WHEN $14 THEN NULL ELSE coalesce($13, webhook_secret) "
			"END WHERE id = $12",
			&a, NULL, err);
	db_args_release(&a);
	buf_release(&sealed);
	return rc;
}

/* A store that ever received something stays: what was accepted must stay explained. */
static enum ta_rc remove_row(struct table_change *c, struct ta_err *err)
{
	static const char *const steps[] = {
		"DELETE FROM pixel_version WHERE pixel_id IN (SELECT id FROM pixel WHERE store_id = $1)",
		"DELETE FROM pixel WHERE store_id = $1", "DELETE FROM api_key WHERE store_id = $1",
		"DELETE FROM store WHERE id = $1"};
	PGresult *r = NULL;
	struct db_args a = DB_ARGS_INIT;
	db_arg_i64(&a, c->edit->id);
	enum ta_rc rc = db_query(c->db,
		"SELECT EXISTS (SELECT FROM inbox WHERE store_id = $1), EXISTS (SELECT FROM event "
		"WHERE store_id = $1), EXISTS (SELECT FROM pixel WHERE store_id = $1 AND deleted_us IS "
		"NULL), EXISTS (SELECT FROM rule WHERE store_id = $1 AND to_rev IS NULL)",
		&a, &r, err);
	if (!rc && (db_bool(r, 0, 0) || db_bool(r, 0, 1)))
		rc = ta_fail(err, TA_DENIED,
			"the store has received events and they stay explained; delete its pixels and "
			"revoke its keys instead");
	else if (!rc && db_bool(r, 0, 2))
		rc = ta_fail(err, TA_DENIED, "the store still has pixels; delete them first");
	else if (!rc && db_bool(r, 0, 3))
		rc = ta_fail(err, TA_DENIED, "the store still has rules; delete them first");
	for (size_t i = 0; !rc && i < TA_COUNT(steps); i++)
		rc = db_query(c->db, steps[i], &a, NULL, err);
	PQclear(r);
	db_args_release(&a);
	return rc;
}

const struct table table_store = {
	.word = "store",
	.title = "Stores",
	.fields = fields,
	.nfields = TA_COUNT(fields),
	.document = "stores",
	.keeps_uid = true, /* book keys are made of it: the same order is the same event there */
	.place = secret_of_store,
	.select =
		"SELECT id::text, version::text, name, platform, domain, currency, timezone, consent, "
		"purchase_on, basis, send_pos::text, send_draft::text, CASE WHEN webhook_secret IS NULL "
		"THEN NULL ELSE 'set' END, canary::text, state, created_us::text FROM store "
		"WHERE ($1 = 0 OR id = $1) AND ($2 IS NULL OR name = $2) ORDER BY name LIMIT 10000",
	.find = "SELECT id FROM store WHERE id::text = $1 OR name = $1 LIMIT 2",
	.check = check,
	.insert = insert,
	.update = update,
	.remove = remove_row,
	.remove_word = "delete",
};
